// The files of the sandbox's cloud: nobody sees half of one, and of two who change one at once both
// are heard.

import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EVERY_ZONAL_DISK, zonalDiskPath } from "../../sandbox/cloud/paths.js";
import { Cloud, pathOf, type CloudResource } from "../../sandbox/cloud/store.js";

let cloud: Cloud;
beforeEach(() => {
    cloud = new Cloud(mkdtempSync(join(tmpdir(), "quorum-cloud-")));
});
afterEach(() => rmSync(cloud.directory, { recursive: true, force: true }));

interface Count {
    count: number;
}

function disk(name: string): CloudResource<Count> {
    const id = zonalDiskPath("p", "sandbox-a", name);
    return { type: "gcp:compute/disk:Disk", id, properties: { name }, status: { count: 0 } };
}

const PATH = zonalDiskPath("p", "sandbox-a", "data");

/** Another process that adds 1 to the count, 50 times. */
function counter(directory: string) {
    const store = pathToFileURL(join(import.meta.dirname, "../../sandbox/cloud/store.ts")).href;
    const source = `
        import { Cloud } from ${JSON.stringify(store)};
        const cloud = new Cloud(${JSON.stringify(directory)});
        for (let turn = 0; turn < 50; turn++) {
            await cloud.update(${JSON.stringify(PATH)}, (now) => ({
                ...now,
                status: { count: now.status.count + 1 },
            }));
        }`;
    return promisify(execFile)(process.execPath, [
        ...["--import", "tsx", "--input-type=module", "--eval", source],
    ]);
}

describe("the sandbox's cloud", () => {
    it("gives back what was written, by path and by pattern", async () => {
        await cloud.change((writer) => {
            writer.write(PATH, disk("data"));
            writer.write(zonalDiskPath("p", "sandbox-b", "more"), disk("more"));
        });
        expect(cloud.read(PATH)).toEqual(disk("data"));
        expect(cloud.find(EVERY_ZONAL_DISK).map(({ path }) => path)).toEqual([
            "projects/p/zones/sandbox-a/disks/data",
            "projects/p/zones/sandbox-b/disks/more",
        ]);
        expect(cloud.find("projects/p/zones/sandbox-b/disks/data")).toEqual([]);
        expect(cloud.read("projects/p/zones/sandbox-c/disks/data")).toBeUndefined();
    });

    it("removes a disk with its bytes, and a parent with what is below it", async () => {
        await cloud.change((writer) => writer.write(PATH, disk("data")));
        writeFileSync(cloud.bytesOf(PATH), "bytes");
        const below = pathOf(...PATH.split("/"), "attachments", "schedule");
        await cloud.change((writer) => writer.write(below, disk("schedule")));
        await cloud.change((writer) => writer.remove(PATH));
        expect(cloud.read(PATH)).toBeUndefined();
        expect(cloud.read(below)).toBeUndefined();
        expect(existsSync(cloud.bytesOf(PATH))).toBe(false);
    });

    it("updates nothing that is not there", async () => {
        expect(await cloud.update(PATH, (now) => now)).toBeUndefined();
        expect(cloud.find(EVERY_ZONAL_DISK)).toEqual([]);
    });

    it("keeps names with a slash in one place, and takes no name that leads elsewhere", () => {
        expect(pathOf("iam", "roles/viewer")).toBe("iam/roles%2Fviewer");
        expect(() => pathOf("disks", "..")).toThrow(`".." is no name of anything`);
    });

    it("loses no change of three processes that change one resource at once", async () => {
        await cloud.change((writer) => writer.write(PATH, disk("data")));
        await Promise.all([1, 2, 3].map(() => counter(cloud.directory)));
        expect(cloud.read<Count>(PATH)?.status.count).toBe(150);
    });

    it("goes on after one who died in its turn", async () => {
        const turn = join(cloud.directory, ".turn");
        mkdirSync(turn);
        const longAgo = new Date(Date.now() - 60_000);
        utimesSync(turn, longAgo, longAgo);
        await cloud.change((writer) => writer.write(PATH, disk("data")));
        expect(cloud.read(PATH)).toEqual(disk("data"));
    });
});
