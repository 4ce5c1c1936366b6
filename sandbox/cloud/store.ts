// The sandbox's stand-in of Google Cloud: a directory with one JSON file a resource. Whoever plays a
// part of Google's (the provider that Pulumi talks to, the controller that makes machines, the CSI
// driver) reads and writes it here and nowhere else, so that nobody sees half a file, and nobody's
// change is lost under another's.

import {
    existsSync,
    mkdirSync,
    readdirSync,
    readFileSync,
    renameSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { inTurn } from "./turn.js";

/** Names the directory, for every process that plays a part of Google's. */
export const CLOUD_VARIABLE = "QUORUM_CLOUD";

export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
    [key: string]: Json;
}

/**
 * One resource as it is in the cloud.
 *
 * @typeParam Status what is known of it beyond its properties; see status.ts
 */
export interface CloudResource<Status = JsonObject> {
    /** Pulumi's type token, such as `gcp:compute/disk:Disk`. */
    readonly type: string;
    /** The id in Pulumi's and Terraform's form. Mostly, not always, the path of the file. */
    readonly id: string;
    /** Inputs with Google's defaults, and computed outputs, in Pulumi's spelling. */
    readonly properties: JsonObject;
    readonly status: Status;
}

/** A resource and the place where it is kept. */
export interface Placed<Status = JsonObject> {
    /** Below the directory, without `.json`. */
    readonly path: string;
    readonly resource: CloudResource<Status>;
}

/** What may be done to the cloud's files while nobody else does anything to them. */
export interface Writer {
    /** Makes or replaces a resource's file, in one step. */
    write<Status>(path: string, resource: CloudResource<Status>): void;
    /** Removes a resource with everything below it: a cluster with its pools, a disk with its bytes. */
    remove(path: string): void;
}

const SUFFIX = ".json";

/** A path from names; a name that has a slash in it (a role, a member) stays one folder or file. */
export function pathOf(...names: readonly string[]): string {
    return names
        .map((name) => {
            if (name === "" || name === "." || name === "..") {
                throw new Error(`"${name}" is no name of anything in the sandbox's cloud.`);
            }
            return name.replaceAll("%", "%25").replaceAll("/", "%2F");
        })
        .join("/");
}

function namesIn(folder: string): string[] {
    return existsSync(folder) ? readdirSync(folder).sort() : [];
}

export class Cloud {
    readonly directory: string;

    constructor(directory: string) {
        this.directory = resolve(directory);
    }

    #file(path: string): string {
        return join(this.directory, `${path}${SUFFIX}`);
    }

    /** The resource at a path; undefined when there is none. */
    read<Status = JsonObject>(path: string): CloudResource<Status> | undefined {
        let text: string;
        try {
            text = readFileSync(this.#file(path), "utf8");
        } catch (error) {
            if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
            throw error;
        }
        return JSON.parse(text) as CloudResource<Status>;
    }

    /** Every resource whose path fits; a `*` stands for any one name. */
    find<Status = JsonObject>(pattern: string): Placed<Status>[] {
        const parts = pattern.split("/");
        const last = parts.pop() ?? "";
        const folders = parts.reduce<string[]>(
            (found, part) =>
                found.flatMap((folder) =>
                    part === "*"
                        ? namesIn(join(this.directory, folder)).map((name) => join(folder, name))
                        : [join(folder, part)],
                ),
            [""],
        );
        const paths = folders.flatMap((folder) =>
            namesIn(join(this.directory, folder))
                .filter((name) => name.endsWith(SUFFIX))
                .map((name) => name.slice(0, -SUFFIX.length))
                .filter((name) => last === "*" || last === name)
                .map((name) => join(folder, name)),
        );
        return paths.flatMap((path) => {
            // Gone since the folder was listed: as good as never seen.
            const resource = this.read<Status>(path);
            return resource === undefined ? [] : [{ path, resource }];
        });
    }

    /** The file that holds a disk's bytes. */
    bytesOf(path: string): string {
        return join(this.directory, `${path}.img`);
    }

    /**
     * Runs `work` while nobody else changes anything: what it has read and checked still holds when
     * it writes. Keep it short; never wait for anything in it.
     */
    change<T>(work: (writer: Writer) => T): Promise<T> {
        mkdirSync(this.directory, { recursive: true });
        const writer: Writer = {
            write: (path, resource) => this.#write(path, resource),
            remove: (path) => this.#remove(path),
        };
        return inTurn(join(this.directory, ".turn"), () => work(writer));
    }

    /**
     * Changes one resource from what it is now; undefined from `change` leaves it. Resolves to what
     * is there afterwards, or undefined when there is no such resource.
     */
    update<Status = JsonObject>(
        path: string,
        change: (now: CloudResource<Status>) => CloudResource<Status> | undefined,
    ): Promise<CloudResource<Status> | undefined> {
        return this.change((writer) => {
            const now = this.read<Status>(path);
            if (now === undefined) return undefined;
            const next = change(now);
            if (next !== undefined) writer.write(path, next);
            return next ?? now;
        });
    }

    #write<Status>(path: string, resource: CloudResource<Status>): void {
        const file = this.#file(path);
        mkdirSync(dirname(file), { recursive: true });
        const unfinished = `${file}.${process.pid}`;
        writeFileSync(unfinished, `${JSON.stringify(resource, undefined, 2)}\n`);
        renameSync(unfinished, file);
    }

    #remove(path: string): void {
        // The JSON file last: as long as it is there the resource is, for those who look.
        rmSync(join(this.directory, path), { recursive: true, force: true });
        rmSync(this.bytesOf(path), { force: true });
        rmSync(this.#file(path), { force: true });
    }
}
