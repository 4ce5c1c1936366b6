// The provider's own arguments, and what every resource of it has.

import { describe, expect, it } from "vitest";
import { CLOUD_VARIABLE } from "../../../sandbox/cloud/store.js";
import { secret } from "../../../sandbox/pulumi/property-tree.js";
import { gcpService } from "../../../sandbox/pulumi/resource-gcp/service.js";
import { startProvider, urnOf } from "../provider-client.js";
import { Bench, PROJECT, revealed, TOKENS } from "./bench.js";

const DISK = { zone: "sandbox-a", type: "pd-balanced", size: 10 };

export function configuring(bench: () => Bench): void {
    describe("the provider", () => {
        it("needs the sandbox's cloud, and says how Google's own is had", async () => {
            const provider = await startProvider(gcpService);
            const before = process.env[CLOUD_VARIABLE];
            process.env[CLOUD_VARIABLE] = "";
            await expect(provider.configure({ project: PROJECT })).rejects.toThrow(
                `QUORUM_CLOUD is not set: this is the sandbox's stand-in for Google Cloud, and it needs the directory that the sandbox keeps its cloud in. Run Pulumi by "make up" or "make pulumi", or install Pulumi's own gcp provider for the real Google Cloud.`,
            );
            process.env[CLOUD_VARIABLE] = before;
            provider.stop();
        });

        it("a sandbox that was never started has no zones", async () => {
            const provider = await startProvider(gcpService);
            const before = process.env[CLOUD_VARIABLE]!;
            process.env[CLOUD_VARIABLE] = `${before}/elsewhere`;
            await provider.configure({ project: PROJECT });
            process.env[CLOUD_VARIABLE] = before;
            await expect(
                provider.create(urnOf(TOKENS.disk, "d"), { ...DISK, name: "d" }),
            ).rejects.toThrow(/has no machines yet \(machines\.json\): start the sandbox/);
            provider.stop();
        });

        it("gives project and region to resources that name none", async () => {
            const made = await bench().make("address", { name: "by-default" });
            expect(made.id).toBe("projects/acme/regions/sandbox/addresses/by-default");
        });

        it("says which argument is missing where it has no default", async () => {
            await expect(bench().make("disk", { name: "nowhere", size: 10 })).rejects.toThrow(
                "zone: required field is not set. Give it to gcp:compute/disk:Disk, or to the provider (gcp:zone).",
            );
        });

        it("refuses unknown and missing arguments, all at once", async () => {
            await expect(
                bench().make("nat", { name: "nat", ruter: "r", router: "r" }),
            ).rejects.toThrow(
                `Invalid or unknown key "ruter": @pulumi/gcp has no such input of gcp:compute/routerNat:RouterNat.\nMissing required argument "sourceSubnetworkIpRangesToNat".`,
            );
        });

        it("refuses a type that it does not have, by name", async () => {
            await expect(
                bench().provider.check(urnOf("gcp:sql/instance:Instance", "it"), {}),
            ).rejects.toThrow(
                "gcp:sql/instance:Instance is not supported by the sandbox's stand-in for Google Cloud",
            );
        });
    });

    describe("labels", () => {
        it("carry Pulumi's mark, and the computed kinds are secret", async () => {
            const made = await bench().make("disk", {
                ...DISK,
                name: "marked",
                labels: { a: "b" },
            });
            const all = { a: "b", "goog-pulumi-provisioned": "true" };
            expect(made.state["labels"]).toEqual({ a: "b" });
            expect(made.state["pulumiLabels"]).toEqual(secret(all));
            expect(made.state["effectiveLabels"]).toEqual(secret(all));
            expect(
                (await bench().plan(made, { ...DISK, name: "marked", labels: { a: "b" } })).changes,
            ).toEqual({});
        });

        it("of a colleague stay, and are no change", async () => {
            const args = { ...DISK, name: "shared", labels: { a: "b" } };
            const made = await bench().make("disk", args);
            await bench().console(made.id, {
                effectiveLabels: { a: "b", "goog-pulumi-provisioned": "true", team: "x" },
            });
            const refreshed = await bench().refresh(made);
            expect((await bench().plan(refreshed, args)).changes).toEqual({});
            const changed = await bench().update(refreshed, { ...args, labels: { a: "c" } });
            expect(revealed(changed)["effectiveLabels"]).toEqual({
                a: "c",
                "goog-pulumi-provisioned": "true",
                team: "x",
            });
        });

        it("are left out of the mark when the provider says so, and get its defaults", async () => {
            const other = await startProvider(gcpService);
            await other.configure({
                project: PROJECT,
                addPulumiAttributionLabel: "false",
                defaultLabels: `{"team":"data"}`,
            });
            const urn = urnOf(TOKENS.disk, "plain");
            const { properties } = await other.create(urn, { ...DISK, name: "plain" });
            expect(properties["effectiveLabels"]).toEqual(secret({ team: "data" }));
            other.stop();
        });
    });

    describe("names", () => {
        it("that are made up have seven hex digits, are kept, and let the new one come first", async () => {
            const made = await bench().make("disk", DISK, { name: "data" });
            expect(made.inputs["name"]).toMatch(/^data-[0-9a-f]{7}$/);
            const plan = await bench().plan(made, { ...DISK, type: "pd-ssd" });
            expect(plan).toMatchObject({ replaces: ["type"], deleteBeforeReplace: false });
            expect((await bench().plan(made, DISK)).isChanged).toBe(false);
        });

        it("that the program gives make the old one go first", async () => {
            const args = { ...DISK, name: "orders-a-0" };
            const made = await bench().make("disk", args);
            const plan = await bench().plan(made, { ...args, type: "pd-ssd" });
            expect(plan).toMatchObject({ replaces: ["type"], deleteBeforeReplace: true });
        });

        it.each([
            ["disk", { ...DISK, name: "Data" }, /"Data" is no name that Google takes/],
            ["disk", { ...DISK, name: "d".repeat(64) }, /1 to 63 lower-case letters/],
            [
                "cluster",
                { name: "c".repeat(41), initialNodeCount: 1 },
                /1 to 40 lower-case letters/,
            ],
            ["account", { accountId: "short" }, /6 to 30 lower-case letters/],
            [
                "zone",
                { name: "z", dnsName: "orders.internal" },
                /"orders.internal" must end with a dot/,
            ],
        ] as const)(
            "of %s: what Google does not take is refused before it is asked",
            async (type, args, message) => {
                await expect(bench().make(type, args)).rejects.toThrow(message);
            },
        );
    });

    describe("a delete", () => {
        it.each([
            ["PREVENT", true],
            ["ABANDON", true],
            ["DELETE", false],
        ])(
            "with deletionPolicy %s in the state leaves the resource: %s",
            async (deletionPolicy, stays) => {
                const name = `policy-${deletionPolicy.toLowerCase()}`;
                const made = await bench().make("disk", { ...DISK, name, deletionPolicy });
                const removal = bench().remove(made);
                if (deletionPolicy === "PREVENT") {
                    await expect(removal).rejects.toThrow(
                        `cannot destroy "projects/acme/zones/sandbox-a/disks/policy-prevent" without setting deletion_policy="DELETE"`,
                    );
                } else {
                    await removal;
                }
                expect(bench().there(made.id) !== undefined).toBe(stays);
            },
        );

        it("of what a colleague has deleted is done", async () => {
            const made = await bench().make("disk", { ...DISK, name: "vanished" });
            await bench().cloud.change((writer) => writer.remove(made.id));
            expect((await bench().refresh(made)).id).toBe("");
            await bench().remove(made);
        });
    });
}
