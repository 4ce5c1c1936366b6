// The fake engine's answers for Google's resources. They do not prove that Google's provider answers like this: that provider
// is not to be had here.

import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import {
    runProgram,
    UNKNOWN,
    type Registration,
    type RunOptions,
    type RunResult,
} from "./engine.js";
import type { ForceNewTables } from "./engine/differences.js";
import { gcpAnswer } from "./engine/gcp-outputs.js";
import { secretManager } from "./gcp/secret-manager.js";

const PROGRAM = fileURLToPath(new URL("./fixtures/google", import.meta.url));

function run(
    config: Record<string, string> = {},
    options: Omit<RunOptions, "config"> = {},
): Promise<RunResult> {
    return runProgram({ program: PROGRAM, config, ...options });
}

/** A new stack, and the preview of another one that reads what the first has kept. */
let first: RunResult;
let preview: RunResult;
beforeAll(async () => {
    first = await run();
    preview = await run({ adopt: "true" }, { preview: true, invokes: secretManager(first) });
});

const named = ({ resources }: RunResult, name: string): Registration =>
    resources.find((registration) => registration.name === name)!;
const ofGoogle = ({ resources }: RunResult): Registration[] =>
    resources.filter(({ type }) => type.startsWith("gcp:"));

describe("the fake engine answers for Google", () => {
    test("with ids in Terraform's format", () => {
        const ids = ofGoogle(first).map(({ name, id }): [string, string] => [name, id]);
        expect(Object.fromEntries(ids)).toEqual({
            shared: "projects/host-project/global/networks/shared",
            orders: "projects/a-project/global/networks/orders",
            "orders-nodes": "projects/a-project/regions/europe-west1/subnetworks/orders",
            "orders-router": expect.stringMatching(
                /^projects\/a-project\/regions\/europe-west1\/routers\/orders-router-[0-9a-f]{7}$/,
            ) as string,
            "orders-nat": expect.stringMatching(
                /^a-project\/europe-west1\/orders-router-[0-9a-f]{7}\/orders$/,
            ) as string,
            "orders-members": "projects/a-project/global/firewalls/orders-members",
            "orders-account":
                "projects/a-project/serviceAccounts/orders-nodes@a-project.iam.gserviceaccount.com",
            "orders-role":
                "a-project/roles/container.defaultNodeServiceAccount/serviceAccount:orders-nodes@a-project.iam.gserviceaccount.com",
            "orders-cluster": "projects/a-project/locations/europe-west1/clusters/orders",
            "orders-pool-b":
                "projects/a-project/locations/europe-west1/clusters/orders/nodePools/orders-b",
            "orders-pool-system": expect.stringMatching(
                /^projects\/a-project\/locations\/europe-west1\/clusters\/orders\/nodePools\/orders-pool-system-[0-9a-f]{7}$/,
            ) as string,
            "orders-b-0": "projects/a-project/zones/europe-west1-b/disks/orders-b-0",
            "orders-single": "projects/a-project/regions/europe-west1/disks/orders-single",
            "orders-snapshots": "projects/a-project/regions/europe-west1/resourcePolicies/orders",
            "orders-b-0-snapshots": "a-project/europe-west1-b/orders-b-0/orders",
            "orders-b-0-address": "projects/a-project/regions/europe-west1/addresses/orders-b-0",
            "orders-zone": "projects/a-project/managedZones/orders-internal",
            "orders-b-0-record":
                "projects/a-project/managedZones/orders-internal/rrsets/orders-b-0.orders.internal./A",
            "orders-credentials": "projects/a-project/secrets/orders-credentials",
            "orders-credentials-version":
                "projects/100000000001/secrets/orders-credentials/versions/1",
        });
    });

    test("with what Google computes, beside what was given", () => {
        const { outputs } = first;
        expect(outputs["endpoint"]).toMatch(/^34\.\d+\.\d+\.\d+$/);
        // Beside it stands a client's key, so that all of masterAuth is a secret.
        const authority = Buffer.from("certificate authority of orders").toString("base64");
        expect(outputs["certificateAuthority"]).toEqual({ secret: authority });
        expect(outputs["dnsEndpoint"]).toMatch(/^gke-[0-9a-f]{12}-\d+\.europe-west1\.gke\.goog$/);
        expect(outputs["sharedNetwork"]).toBe("shared");
        expect(named(first, "orders-b-0-record").inputs["rrdatas"]).toEqual([
            named(first, "orders-b-0-address").outputs["address"],
        ]);
        const { masterAuth, privateClusterConfig } = named(first, "orders-cluster").outputs;
        expect(masterAuth).toMatchObject({
            clientCertificateConfig: { issueClientCertificate: false },
        });
        expect(privateClusterConfig).toMatchObject({ masterIpv4CidrBlock: "172.16.64.0/28" });
    });

    test("with nothing of that in the preview of a new stack", () => {
        const cluster = named(preview, "orders-cluster");
        expect(cluster.id).toBe("");
        expect(cluster.outputs).toMatchObject({
            name: "orders",
            endpoint: UNKNOWN,
            masterAuth: {
                clusterCaCertificate: UNKNOWN,
                clientCertificateConfig: { issueClientCertificate: false },
            },
        });
        expect(named(preview, "orders-b-0-record").inputs["rrdatas"]).toEqual([UNKNOWN]);
        expect(named(preview, "shared").outputs["name"]).toBe("shared");
    });

    test("with the passwords that another stack kept in Secret Manager", () => {
        expect(preview.outputs["kept"]).toBe("correct-horse-battery");
        const empty = secretManager()["gcp:secretmanager/getSecretVersion:getSecretVersion"]!;
        expect(() => empty({ secret: "projects/a-project/secrets/orders-credentials" })).toThrow(
            "Secret [orders-credentials] not found or has no versions",
        );
    });

    test("and refuses a name that is taken, also by what a deletion leaves there", async () => {
        const attachment = "gcp:compute/diskResourcePolicyAttachment:DiskResourcePolicyAttachment";
        const forceNew: ForceNewTables = {
            paths: {
                "gcp:container/nodePool:NodePool": ["nodeConfig"],
                "gcp:compute/disk:Disk": ["type"],
                [attachment]: ["disk"],
            },
        };
        // The pool is to be replaced without being deleted first, and keeps its name; the disk is retained.
        const [pool, disk] = await Promise.all([
            run({ machine: "c4-standard-4" }, { previous: first, forceNew }),
            run({ diskType: "pd-ssd" }, { previous: first, forceNew }),
        ]);
        const errors = [pool, disk].flatMap(({ messages }) => messages.map(({ text }) => text));
        expect(errors).toEqual([
            "googleapi: Error 409: The resource 'projects/a-project/locations/europe-west1/clusters/orders/nodePools/orders-b' already exists, alreadyExists",
            "googleapi: Error 409: The resource 'projects/a-project/zones/europe-west1-b/disks/orders-b-0' already exists, alreadyExists",
        ]);
    });

    test("only where it is told the project", () => {
        const disk = named(first, "orders-b-0");
        expect(gcpAnswer(disk, { project: "another" }, false)!.id).toBe(
            "projects/another/zones/europe-west1-b/disks/orders-b-0",
        );
        expect(() => gcpAnswer(disk, {}, false)).toThrow(
            "orders-b-0: project: required field is not set, here or in the provider",
        );
    });
});
