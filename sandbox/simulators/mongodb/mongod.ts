// `mongod --config FILE`: the checks of its start, then the member until it is told to stop.

import { readFileSync, statSync } from "node:fs";
import { parse } from "yaml";
import {
    CommandError,
    commandLine,
    http,
    listen,
    log,
    otherwise,
    toStore,
} from "../shared/index.js";
import { answers } from "./commands.js";
import { Member } from "./member.js";
import { VERSION } from "./versions.js";
import { wireServer } from "./wire.js";

/** The settings that Quorum uses; any other is refused, as mongod refuses what it does not know. */
interface Settings {
    readonly net: {
        readonly port: number;
        readonly bindIpAll: boolean;
        readonly unixDomainSocket: unknown;
    };
    readonly security: { readonly keyFile: string };
    readonly replication: { readonly replSetName: string };
    readonly storage: {
        readonly dbPath: string;
        readonly wiredTiger: { readonly engineConfig: { readonly cacheSizeGB: number } };
    };
}

const KNOWN: Readonly<Record<string, readonly string[]>> = {
    net: ["port", "bindIpAll", "unixDomainSocket"],
    security: ["keyFile"],
    replication: ["replSetName"],
    storage: ["dbPath", "wiredTiger"],
};

function readSettings(file: string): Settings {
    const settings = parse(readFileSync(file, "utf8")) as Record<string, Record<string, unknown>>;
    for (const [section, values] of Object.entries(settings)) {
        for (const name of Object.keys(values)) {
            if (!KNOWN[section]?.includes(name)) {
                throw new CommandError(`Unrecognized option: ${section}.${name}`, 2);
            }
        }
    }
    return settings as unknown as Settings;
}

/** https://www.mongodb.com/docs/v8.0/core/security-internal-authentication/, "Keyfiles". */
function readKeyfile(file: string): string {
    if ((statSync(file).mode & 0o077) !== 0) {
        throw new CommandError(`permissions on ${file} are too open`);
    }
    const key = readFileSync(file, "utf8").replace(/\s/g, "");
    if (key.length < 6 || key.length > 1024) {
        throw new CommandError(
            `security key in ${file} has length ${key.length}, must be between 6 and 1024 chars`,
        );
    }
    if (!/^[A-Za-z0-9+/=]+$/.test(key)) {
        throw new CommandError(`invalid char in key file ${file}`);
    }
    return key;
}

/** Smallest cache that mongod takes: 0.25 GB. */
const LEAST_CACHE_GB = 0.25;

export async function mongod(args: readonly string[]): Promise<void> {
    const { flags, has } = commandLine(
        args,
        { config: "string", oplogSize: "string", version: "boolean" },
        { f: "config" },
    );
    if (has("version")) {
        console.log(`db version v${VERSION} (simulator, not MongoDB)`);
        return;
    }
    const settings = readSettings(flags["config"] ?? "/etc/mongod.conf");
    const { cacheSizeGB } = settings.storage.wiredTiger.engineConfig;
    if (cacheSizeGB < LEAST_CACHE_GB) {
        throw new CommandError(
            `cacheSizeGB must be at least ${LEAST_CACHE_GB}, and is ${cacheSizeGB}`,
            2,
        );
    }
    const member = new Member({
        setName: settings.replication.replSetName,
        dataPath: settings.storage.dbPath,
        keyfile: readKeyfile(settings.security.keyFile),
    });
    log(`this is a simulator of MongoDB ${VERSION}, not MongoDB; cache ${cacheSizeGB} GB`);
    const stop = () => {
        log("received SIGTERM");
        void member.stop().then(() => process.exit(0));
    };
    process.once("SIGTERM", stop).once("SIGINT", stop);
    await member.start();
    await listen(
        settings.net.port,
        toStore(),
        http(member.peers),
        otherwise(wireServer(answers(member))),
    );
    log(`waits for connections on port ${settings.net.port}`);
    await new Promise(() => undefined);
}
