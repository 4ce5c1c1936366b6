// Zone files, which a sandbox's name server reads beside the cluster's own names.

import {
    existsSync,
    mkdirSync,
    readdirSync,
    readFileSync,
    renameSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { zoneFilesOf, type Sandbox } from "./plan.js";

/** How long a resolver may remember that a name is not there. */
const NEGATIVE_SECONDS = 5;

/** Google's, for a record that names none. */
const DEFAULT_SECONDS = 300;

/** The serial number of a zone in its file; CoreDNS reads a file again when it has risen. */
const SERIAL = /SOA \S+ \S+ (\d+) /;

/** What is read of a record set's properties. */
export interface RecordSet {
    readonly name: string;
    readonly type: string;
    readonly ttl?: number;
    readonly rrdatas?: readonly string[];
}

/** The lines of a zone, but for its head. Pure. */
export function recordLines(records: readonly RecordSet[]): string[] {
    return records.flatMap(({ name, type, ttl = DEFAULT_SECONDS, rrdatas = [] }) =>
        rrdatas.map((data) => `${name} ${ttl} IN ${type} ${data}`),
    );
}

function zoneText(domain: string, serial: number, lines: readonly string[]): string {
    const head = `${domain} ${NEGATIVE_SECONDS} IN SOA ns.${domain} hostmaster.${domain} ${serial} 60 60 60 ${NEGATIVE_SECONDS}`;
    return [head, `${domain} ${NEGATIVE_SECONDS} IN NS ns.${domain}`, ...lines, ""].join("\n");
}

function textOf(file: string): string {
    return existsSync(file) ? readFileSync(file, "utf8") : "";
}

/** Domain, with its last dot -> the lines of its zone. */
export type Zones = ReadonlyMap<string, readonly string[]>;

/**
 * Makes these the zones that a sandbox's name server answers, and no others. Returns those that changed. CoreDNS takes the name
 * of a zone from its file's, and looks at the files every few seconds.
 */
export function writeZones(sandbox: Sandbox, zones: Zones): string[] {
    const folder = zoneFilesOf(sandbox);
    mkdirSync(folder, { recursive: true });
    const fileOf = (domain: string): string => `db.${domain.replace(/\.$/, "")}`;
    const wanted = new Set([...zones.keys()].map(fileOf));
    for (const name of readdirSync(folder).filter((one) => !wanted.has(one))) {
        rmSync(join(folder, name));
    }
    return [...zones].flatMap(([domain, lines]) => {
        const file = join(folder, fileOf(domain));
        const present = textOf(file);
        const serial = Number(SERIAL.exec(present)?.[1] ?? 0);
        if (present === zoneText(domain, serial, lines)) return [];
        writeFileSync(`${folder}.new`, zoneText(domain, serial + 1, lines));
        renameSync(`${folder}.new`, file);
        return [domain];
    });
}
