// The cloud's private DNS zones: written as zone files, which the sandboxes' name servers read.

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
import { zoneFilesOf, type Sandbox } from "../cluster/plan.js";
import { log, type Controller } from "../controllers/controller.js";
import { EVERY_MANAGED_ZONE } from "./paths.js";
import type { Cloud } from "./store.js";

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

export class NameController implements Controller {
    readonly name = "private DNS zones";

    constructor(
        private readonly cloud: Cloud,
        private readonly sandboxes: readonly Sandbox[],
        readonly sources: Controller["sources"],
    ) {}

    reconcile(): Promise<void> {
        const zones = new Map<string, string[]>();
        for (const { path, resource } of this.cloud.find(EVERY_MANAGED_ZONE)) {
            const { dnsName, visibility } = resource.properties;
            if (visibility !== "private" || typeof dnsName !== "string") continue;
            const records = this.cloud.find(`${path}/recordSets/*`);
            zones.set(
                dnsName,
                recordLines(
                    records.map(({ resource }) => resource.properties as unknown as RecordSet),
                ),
            );
        }
        for (const sandbox of this.sandboxes) this.#write(zoneFilesOf(sandbox), zones);
        return Promise.resolve();
    }

    /** CoreDNS takes the name of a zone from its file's. */
    #write(folder: string, zones: ReadonlyMap<string, readonly string[]>): void {
        mkdirSync(folder, { recursive: true });
        const fileOf = (domain: string): string => `db.${domain.replace(/\.$/, "")}`;
        const wanted = new Set([...zones.keys()].map(fileOf));
        for (const name of readdirSync(folder).filter((one) => !wanted.has(one))) {
            rmSync(join(folder, name));
        }
        for (const [domain, lines] of zones) {
            const file = join(folder, fileOf(domain));
            const present = textOf(file);
            const serial = Number(SERIAL.exec(present)?.[1] ?? 0);
            if (present === zoneText(domain, serial, lines)) continue;
            writeFileSync(`${folder}.new`, zoneText(domain, serial + 1, lines));
            renameSync(`${folder}.new`, file);
            log(this.name, `${domain} has ${lines.length} records`);
        }
    }
}
