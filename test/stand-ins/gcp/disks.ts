// Disks: what replaces one, what a replacement does to a running database, what grows in place.

import { existsSync, statSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Bench, revealed } from "./bench.js";

const GIB = 2 ** 30;
const DISK = { zone: "sandbox-a", type: "pd-balanced", size: 10 };

const path = (name: string) => `projects/acme/zones/sandbox-a/disks/${name}`;

export function disks(bench: () => Bench): void {
    describe("a disk", () => {
        it("is a file of its size that takes no room, and has the id that a volume handle is", async () => {
            const made = await bench().make("disk", { ...DISK, name: "fresh" });
            expect(made.id).toBe("projects/acme/zones/sandbox-a/disks/fresh");
            expect(bench().there(made.id)).toMatchObject({
                type: "gcp:compute/disk:Disk",
                id: made.id,
                properties: { name: "fresh", size: 10, type: "pd-balanced", zone: "sandbox-a" },
                status: { attachedTo: null },
            });
            const bytes = statSync(bench().cloud.bytesOf(made.id));
            expect(bytes.size).toBe(10 * GIB);
            expect(bytes.blocks).toBe(0);
            expect(made.state["selfLink"]).toBe(`https://www.googleapis.com/compute/v1/${made.id}`);
            expect(made.state["users"]).toEqual([]);
        });

        it("with a name that is taken is refused in Google's words", async () => {
            await bench().make("disk", { ...DISK, name: "twice" });
            await expect(bench().make("disk", { ...DISK, name: "twice" })).rejects.toThrow(
                `Error creating Disk: googleapi: Error 409: The resource '${path("twice")}' already exists, alreadyExists`,
            );
        });

        it.each([
            [{ size: 9 }, "Disk size cannot be smaller than 10 GB for pd-balanced"],
            [{ type: "hyperdisk-balanced", size: 3 }, "cannot be smaller than 4 GB"],
            [{ zone: "europe-west1-b" }, "Unknown zone; the sandbox has sandbox-a, sandbox-b"],
            [{ provisionedIops: 3000 }, "It cannot be set for disk type pd-balanced"],
            [{ snapshot: "s" }, `A disk that is made from something ("snapshot") is not supported`],
        ])("with %o is refused", async (wrong, message) => {
            await expect(
                bench().make("disk", { ...DISK, name: "wrong", ...wrong }),
            ).rejects.toThrow(message);
            expect(existsSync(bench().cloud.bytesOf(path("wrong")))).toBe(false);
        });

        it.each([
            [{ type: "pd-ssd" }, ["type"]],
            [{ zone: "sandbox-b" }, ["zone"]],
            [{ size: 5 }, ["size"]],
            [{ description: "x" }, ["description"]],
            [{ resourcePolicies: "daily" }, ["resourcePolicies"]],
            [{ provisionedIops: 3000 }, ["provisionedIops"]],
            [{ diskEncryptionKey: { kmsKeySelfLink: "k" } }, ["diskEncryptionKey"]],
            [{ size: 20 }, []],
            [{ labels: { a: "b" } }, []],
            [{ deletionPolicy: "PREVENT" }, []],
        ])("changed by %o is replaced by %o", async (change, replaces) => {
            const name = "changed";
            const made =
                bench().there(path(name)) === undefined
                    ? await bench().make("disk", { ...DISK, name })
                    : await adopted(bench(), name);
            const plan = await bench().plan(made, { ...DISK, name, ...change });
            expect(plan.isChanged).toBe(true);
            expect(plan.replaces).toEqual(replaces);
        });

        it("of a running node is taken from it by a delete, and its bytes are gone", async () => {
            const made = await bench().make("disk", { ...DISK, name: "running" });
            await bench().console(made.id, {}, { attachedTo: "node-1" });
            const attached = await bench().refresh(made);
            expect(attached.state["users"]).toEqual([
                "https://www.googleapis.com/compute/v1/projects/acme/zones/sandbox-a/instances/node-1",
            ]);
            writeFileSync(bench().cloud.bytesOf(made.id), "rows");
            await bench().remove(attached);
            expect(existsSync(bench().cloud.bytesOf(made.id))).toBe(false);
            expect(bench().there(made.id)).toBeUndefined();
        });

        it("grows in place, and never gets smaller", async () => {
            const args = { ...DISK, name: "grows" };
            const made = await bench().make("disk", args);
            const grown = await bench().update(made, { ...args, size: 20 });
            expect(statSync(bench().cloud.bytesOf(made.id)).size).toBe(20 * GIB);
            expect(grown.state["size"]).toBe(20);
            await expect(bench().update(grown, { ...args, size: 10 })).rejects.toThrow(
                "New disk size '10' GB must be larger than existing size '20' GB",
            );
        });

        it("that a colleague grew is replaced after a refresh, unless the program ignores its size", async () => {
            const args = { ...DISK, name: "grown-by-hand" };
            const made = await bench().make("disk", args);
            await bench().console(made.id, { size: 20 });
            const refreshed = await bench().refresh(made);
            expect(refreshed.inputs["size"]).toBe(20);
            expect((await bench().plan(refreshed, args)).replaces).toEqual(["size"]);
            expect((await bench().plan(refreshed, args, ["size"])).isChanged).toBe(false);
        });

        it("that grew behind the program keeps its size when something else is updated, and the state learns it", async () => {
            const args = { ...DISK, name: "grown-behind" };
            const made = await bench().make("disk", args);
            await bench().console(made.id, { size: 20 });
            const updated = await bench().update(made, { ...args, labels: { a: "b" } });
            expect(bench().there(made.id)!.properties["size"]).toBe(20);
            expect(updated.state["size"]).toBe(20);
            const next = { ...args, labels: { a: "b" } };
            expect((await bench().plan(updated, next)).replaces).toEqual(["size"]);
        });

        it("takes a new speed once in four hours", async () => {
            const args = {
                ...DISK,
                type: "hyperdisk-balanced",
                name: "fast",
                provisionedIops: 3000,
            };
            const made = await bench().make("disk", args);
            const faster = await bench().update(made, { ...args, provisionedIops: 6000 });
            expect(faster.state["provisionedIops"]).toBe(6000);
            await expect(
                bench().update(faster, { ...args, provisionedIops: 9000 }),
            ).rejects.toThrow("due to being rate limited: once in 4 hours");
        });

        it("in a preview makes nothing", async () => {
            const inputs = await bench().provider.check(
                "urn:pulumi:test::stand-ins::gcp:compute/disk:Disk::planned",
                { ...DISK, name: "planned" },
            );
            const made = await bench().provider.create(
                "urn:pulumi:test::stand-ins::gcp:compute/disk:Disk::planned",
                inputs,
                { preview: true },
            );
            expect(made.id).toBe("");
            expect(bench().there(path("planned"))).toBeUndefined();
        });
    });

    describe("an import", () => {
        it.each([
            ["projects/acme/zones/sandbox-a/disks/kept"],
            ["acme/sandbox-a/kept"],
            ["sandbox-a/kept"],
        ])("by %s finds a disk that an earlier stack left", async (id) => {
            if (bench().there(path("kept")) === undefined) {
                await bench().make("disk", { ...DISK, name: "kept" });
            }
            const urn = "urn:pulumi:test::stand-ins::gcp:compute/disk:Disk::kept";
            const found = await bench().provider.read(urn, id);
            expect(found.id).toBe(path("kept"));
            expect(found.properties).toMatchObject({ size: 10, zone: "sandbox-a" });
        });

        it("of what Pulumi marked, or of labels, differs from the program, as with the real provider", async () => {
            await bench().make("disk", { ...DISK, name: "labelled", labels: { a: "b" } });
            const made = await adopted(bench(), "labelled");
            const args = { ...DISK, name: "labelled", labels: { a: "b" } };
            // pulumi-gcp#3044: "inputs to import do not match the existing resource: [pulumiLabels]".
            expect((await bench().plan(made, args)).changes).toEqual({
                labels: "add",
                pulumiLabels: "update",
            });
            const ignoring = await bench().plan(made, args, ["labels", "pulumiLabels"]);
            expect(ignoring.changes).toEqual({});
        });

        it("of what is not there finds nothing, and of what is no id says the form", async () => {
            const urn = "urn:pulumi:test::stand-ins::gcp:compute/disk:Disk::kept";
            expect((await bench().provider.read(urn, path("never-made"))).id).toBe("");
            await expect(bench().provider.read(urn, "a/b/c/d/e")).rejects.toThrow(
                `"a/b/c/d/e" is no id of gcp:compute/disk:Disk: it has the form projects/{project}/zones/{zone}/disks/{name}.`,
            );
        });
    });

    describe("a regional disk", () => {
        const args = {
            name: "both",
            region: "sandbox",
            replicaZones: ["sandbox-a", "sandbox-b"],
            type: "pd-balanced",
            size: 10,
        };

        it("is in two zones of one region", async () => {
            const made = await bench().make("regionDisk", args);
            expect(made.id).toBe("projects/acme/regions/sandbox/disks/both");
            const plan = await bench().plan(made, {
                ...args,
                replicaZones: ["sandbox-a", "sandbox-c"],
            });
            expect(plan.replaces).toEqual(["replicaZones"]);
            await expect(
                bench().make("regionDisk", { ...args, name: "one", replicaZones: ["sandbox-a"] }),
            ).rejects.toThrow("A regional disk is in two zones.");
            await expect(
                bench().make("regionDisk", { ...args, name: "big", type: "pd-standard" }),
            ).rejects.toThrow("cannot be smaller than 200 GB for pd-standard");
        });
    });

    describe("a snapshot schedule", () => {
        it("is attached beside the disk, and goes only when no disk has it", async () => {
            const policy = await bench().make("policy", {
                name: "daily",
                snapshotSchedulePolicy: {
                    schedule: { dailySchedule: { daysInCycle: 1, startTime: "04:00" } },
                },
            });
            const disk = await bench().make("disk", { ...DISK, name: "scheduled" });
            const attached = await bench().make("attachment", {
                name: "daily",
                disk: "scheduled",
                zone: "sandbox-a",
            });
            expect(attached.id).toBe("acme/sandbox-a/scheduled/daily");
            await expect(bench().remove(policy)).rejects.toThrow(
                `The resource policy resource '${policy.id}' is already being used by '${disk.id}'`,
            );
            await bench().remove(attached);
            await bench().remove(policy);
            expect(revealed(disk)["resourcePolicies"]).toBeUndefined();
        });

        it("is attached to a disk in two zones by another type, and holds its policy as well", async () => {
            const policy = await bench().make("policy", { name: "nightly" });
            const disk = await bench().make("regionDisk", {
                name: "two-zones",
                region: "sandbox",
                replicaZones: ["sandbox-a", "sandbox-b"],
                type: "pd-balanced",
                size: 10,
            });
            const zonal = { name: "nightly", disk: "two-zones", zone: "sandbox-a" };
            await expect(bench().make("attachment", zonal)).rejects.toThrow(
                "projects/acme/zones/sandbox-a/disks/two-zones",
            );
            const attached = await bench().make("regionAttachment", {
                name: "nightly",
                disk: "two-zones",
                region: "sandbox",
            });
            expect(attached.id).toBe("acme/sandbox/two-zones/nightly");
            await expect(bench().remove(policy)).rejects.toThrow(
                `The resource policy resource '${policy.id}' is already being used by '${disk.id}'`,
            );
            await bench().remove(attached);
            await bench().remove(policy);
        });
    });
}

/** As the engine has a disk that it imported. */
async function adopted(bench: Bench, name: string) {
    const urn = `urn:pulumi:test::stand-ins::gcp:compute/disk:Disk::${name}`;
    const { id, properties, inputs } = await bench.provider.read(urn, path(name));
    return { urn, id, state: properties, inputs };
}
