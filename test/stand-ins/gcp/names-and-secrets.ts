// Accounts and roles, DNS, and Secret Manager.

import { describe, expect, it } from "vitest";
import { secret } from "../../../sandbox/pulumi/property-tree.js";
import type { Bench } from "./bench.js";

const GET = "gcp:secretmanager/getSecretVersion:getSecretVersion";

export function namesAndSecrets(bench: () => Bench): void {
    describe("a service account", () => {
        it("has an address that roles are given to", async () => {
            const account = await bench().make("account", { accountId: "orders-nodes" });
            const email = "orders-nodes@acme.iam.gserviceaccount.com";
            expect(account.id).toBe(`projects/acme/serviceAccounts/${email}`);
            expect(account.state).toMatchObject({
                email,
                member: `serviceAccount:${email}`,
                name: account.id,
                uniqueId: expect.stringMatching(/^\d{21}$/) as string,
            });
            const role = {
                project: "acme",
                role: "roles/artifactregistry.reader",
                member: `serviceAccount:${email}`,
            };
            const given = await bench().make("member", role);
            expect(given.id).toBe(`acme/roles/artifactregistry.reader/serviceAccount:${email}`);
            // Giving it twice is giving it once.
            expect((await bench().make("member", role)).id).toBe(given.id);
            const plan = await bench().plan(given, { ...role, role: "roles/viewer" });
            expect(plan).toMatchObject({ replaces: ["role"], deleteBeforeReplace: true });
            expect((await bench().refresh(given)).id).toBe(given.id);
            await bench().remove(given);
            expect((await bench().refresh(given)).id).toBe("");
        });

        it("with an id that is taken is refused, or taken over on request", async () => {
            await bench().make("account", { accountId: "taken-id" });
            await expect(bench().make("account", { accountId: "taken-id" })).rejects.toThrow(
                "already exists",
            );
            const again = await bench().make("account", {
                accountId: "taken-id",
                createIgnoreAlreadyExists: true,
            });
            expect(again.state["email"]).toBe("taken-id@acme.iam.gserviceaccount.com");
        });

        it("that does not exist gets no role", async () => {
            const member = "serviceAccount:nobody@acme.iam.gserviceaccount.com";
            await expect(
                bench().make("member", { project: "acme", role: "roles/viewer", member }),
            ).rejects.toThrow(
                "Service account nobody@acme.iam.gserviceaccount.com does not exist., badRequest",
            );
            await expect(
                bench().make("member", { project: "acme", role: "roles/viewer", member: "nobody" }),
            ).rejects.toThrow(`"nobody" is no member of a policy`);
        });
    });

    describe("a private zone", () => {
        it("has records of its own domain, and goes when they are gone", async () => {
            const { network } = await bench().network("dns", 176);
            const zone = await bench().make("zone", {
                name: "orders",
                dnsName: "orders.internal.",
                visibility: "private",
                privateVisibilityConfig: { networks: [{ networkUrl: network.id }] },
            });
            const args = {
                managedZone: "orders",
                name: "orders-a-0.orders.internal.",
                type: "A",
                ttl: 60,
                rrdatas: ["172.30.8.50"],
            };
            const record = await bench().make("record", args);
            expect(record.id).toBe(
                "projects/acme/managedZones/orders/rrsets/orders-a-0.orders.internal./A",
            );
            await expect(bench().make("record", args)).rejects.toThrow("already exists");
            await expect(
                bench().make("record", { ...args, name: "elsewhere.example." }),
            ).rejects.toThrow("'elsewhere.example.' is not in orders.internal.");
            const moved = { ...args, rrdatas: ["172.30.8.51"] };
            expect((await bench().plan(record, moved)).replaces).toEqual([]);
            const updated = await bench().update(record, moved);
            expect(updated.state["rrdatas"]).toEqual(["172.30.8.51"]);
            expect(
                (await bench().plan(record, { ...args, ttl: 5, name: "b.orders.internal." }))
                    .replaces,
            ).toEqual(["name"]);
            await expect(bench().remove(zone)).rejects.toThrow(
                "The resource named 'orders' cannot be deleted because it contains one or more 'resource records'.",
            );
            await bench().remove(updated);
            await bench().remove(zone);
        });
    });

    describe("a secret", () => {
        it("keeps its versions, whose content is secret everywhere", async () => {
            const args = { secretId: "orders-credentials", replication: { auto: {} } };
            const made = await bench().make("secret", args);
            expect(made.id).toBe("projects/acme/secrets/orders-credentials");
            const first = await bench().make("version", {
                secret: made.id,
                secretData: secret("correct horse"),
            });
            expect(first.id).toBe("projects/acme/secrets/orders-credentials/versions/1");
            expect(first.state["secretData"]).toEqual(secret("correct horse"));
            const second = await bench().make("version", {
                secret: made.id,
                secretData: "battery staple",
            });
            expect(second.id).toBe("projects/acme/secrets/orders-credentials/versions/2");
            expect(second.state["secretData"]).toEqual(secret("battery staple"));
            const find = (more: object) =>
                bench().provider.invoke(GET, { secret: "orders-credentials", ...more });
            expect((await find({}))["secretData"]).toEqual(secret("battery staple"));
            expect((await find({ version: "1" }))["secretData"]).toEqual(secret("correct horse"));
            await bench().remove(second);
            await expect(find({})).rejects.toThrow("/versions/2] is in DESTROYED state.");
            expect((await bench().refresh(second)).id).toBe("");
            // The number of a destroyed version is not given again.
            const third = await bench().make("version", { secret: made.id, secretData: "x" });
            expect(third.state["version"]).toBe("3");
        });

        it("another content is another version", async () => {
            const made = await bench().make("secret", {
                secretId: "other",
                replication: { auto: {} },
            });
            const args = { secret: made.id, secretData: secret("one") };
            const version = await bench().make("version", args);
            expect((await bench().plan(version, args)).isChanged).toBe(false);
            const plan = await bench().plan(version, { ...args, secretData: secret("two") });
            expect(plan.replaces).toEqual(["secretData"]);
        });

        it("that is not there, and a function that is not, are refused", async () => {
            await expect(bench().provider.invoke(GET, { secret: "lost" })).rejects.toThrow(
                "Secret [projects/acme/secrets/lost] not found or has no versions.",
            );
            await expect(bench().provider.invoke("gcp:compute/getZones:getZones")).rejects.toThrow(
                "gcp:compute/getZones:getZones is not supported by the sandbox's stand-in for Google Cloud, which has gcp:secretmanager/getSecretVersion:getSecretVersion.",
            );
        });

        it("with deletion protection in the state is not deleted", async () => {
            const args = {
                secretId: "guarded",
                replication: { auto: {} },
                deletionProtection: true,
            };
            const made = await bench().make("secret", args);
            await expect(bench().remove(made)).rejects.toThrow(
                "cannot destroy secret manager secret without setting deletion_protection=false",
            );
            const open = await bench().update(made, { ...args, deletionProtection: false });
            await bench().remove(open);
        });
    });
}
