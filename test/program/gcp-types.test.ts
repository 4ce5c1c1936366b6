// Inputs of Google's resources against what @pulumi/gcp declares, and the fake engine's answers for them. It does not prove
// that Google accepts a value, or that Google's provider answers like this: that provider is not to be had here.

import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import {
    runProgram,
    Secret,
    UNKNOWN,
    type PropertyMap,
    type Registration,
    type RunOptions,
    type RunResult,
} from "./engine.js";
import type { ForceNewTables } from "./engine/differences.js";
import { gcpAnswer } from "./engine/gcp-outputs.js";
import { blankRegistration } from "./engine/requests.js";
import { gcpOutputProblems, gcpProblems } from "./gcp/check.js";
import { secretManager } from "./gcp/secret-manager.js";

const PROGRAM = fileURLToPath(new URL("./fixtures/google", import.meta.url));

function run(
    config: Record<string, string> = {},
    options: Omit<RunOptions, "config"> = {},
): Promise<RunResult> {
    return runProgram({ program: PROGRAM, config, ...options });
}

/** The problems of one resource that a program might send. */
function problems(
    type: string,
    inputs: PropertyMap,
    required?: Record<string, string[]>,
): string[] {
    const resource = { ...blankRegistration("", `gcp:${type}`, "it"), inputs };
    return gcpProblems({ resources: [resource], invokes: [] }, { required }).map((problem) =>
        problem.replace(`gcp:${type} it: `, ""),
    );
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

describe("a correct program", () => {
    test("has no problem, in any of its types", () => {
        expect(first.messages).toEqual([]);
        expect(gcpProblems(first)).toEqual([]);
        expect(new Set(ofGoogle(first).map(({ type }) => type.split(":")[2]))).toEqual(
            new Set(
                (
                    "Network Subnetwork Router RouterNat Firewall Account IAMMember Cluster NodePool Disk RegionDisk " +
                    "ResourcePolicy DiskResourcePolicyAttachment RegionDiskResourcePolicyAttachment Address ManagedZone RecordSet Secret SecretVersion"
                ).split(" "),
            ),
        );
    });

    test("has none in preview either, where much is unknown", () => {
        expect(preview.exitCode).toBe(0);
        expect(named(preview, "orders-nodes").inputs["network"]).toBe(UNKNOWN);
        expect(gcpProblems(preview)).toEqual([]);
    });
});

describe("a mistake is named, with its place", () => {
    const node = (nodeConfig: PropertyMap): PropertyMap => ({ cluster: "orders", nodeConfig });
    const snapshots = (snapshotProperties: PropertyMap): PropertyMap => ({
        snapshotSchedulePolicy: {
            schedule: { dailySchedule: { daysInCycle: 1, startTime: "04:00" } },
            snapshotProperties,
        },
    });
    const pool = "container/nodePool:NodePool";
    const cases: [string, string, PropertyMap, string[]][] = [
        [
            "a misspelt input",
            "compute/disk:Disk",
            { provisionedIop: 3000 },
            ["provisionedIop is no input; did you mean provisionedIops"],
        ],
        [
            "a misspelt key inside",
            pool,
            node({ bootDisk: { sizeGB: 50 } }),
            ["nodeConfig.bootDisk.sizeGB is no input; did you mean sizeGb"],
        ],
        [
            "a singular where the list is called by its plural",
            pool,
            { cluster: "orders", nodeDrainConfig: [], maintenancePolicies: [{ exclusion: true }] },
            [
                "nodeDrainConfig is no input; did you mean nodeDrainConfigs",
                "maintenancePolicies[0].exclusion is no input",
            ],
        ],
        [
            "a list where a string belongs",
            "compute/resourcePolicy:ResourcePolicy",
            snapshots({ storageLocations: ["europe-west1"] }),
            [
                "snapshotSchedulePolicy.snapshotProperties.storageLocations is a list, where a string belongs",
            ],
        ],
        [
            "a string where a list belongs",
            pool,
            { cluster: "orders", nodeLocations: "europe-west1-b" },
            ["nodeLocations is a string, where a list of strings belongs"],
        ],
        [
            "strings where numbers belong",
            pool,
            node({
                bootDisk: { sizeGb: "50", provisionedIops: "3000", provisionedThroughput: "140" },
            }),
            ["sizeGb", "provisionedIops", "provisionedThroughput"].map(
                (key) => `nodeConfig.bootDisk.${key} is a string, where a number belongs`,
            ),
        ],
        [
            "a string where a truth value belongs, inside a list",
            pool,
            {
                cluster: "orders",
                nodeDrainConfigs: [{ respectPdbDuringNodePoolDeletion: "true" }],
            },
            [
                "nodeDrainConfigs[0].respectPdbDuringNodePoolDeletion is a string, where a boolean belongs",
            ],
        ],
        [
            "an object where a list of them belongs",
            "compute/firewall:Firewall",
            { network: "orders", allows: { protocol: "tcp" } },
            ["allows is an object, where a list of objects belongs"],
        ],
        [
            "a list where an object belongs",
            "container/cluster:Cluster",
            { maintenancePolicy: [{ dailyMaintenanceWindow: { startTime: "03:00" } }] },
            ["maintenancePolicy is a list, where an object belongs"],
        ],
        [
            "a number among labels",
            "compute/disk:Disk",
            { labels: { "quorum.dev/index": 0 } },
            ['labels["quorum.dev/index"] is a number, where a string belongs'],
        ],
        [
            "a value outside of its enumeration",
            "compute/routerNat:RouterNat",
            {
                router: "orders",
                sourceSubnetworkIpRangesToNat: "ALL",
                logConfig: { enable: true, filter: "errors" },
            },
            [
                'sourceSubnetworkIpRangesToNat is "ALL", which is none of ALL_SUBNETWORKS_ALL_IP_RANGES, ALL_SUBNETWORKS_ALL_PRIMARY_IP_RANGES, LIST_OF_SUBNETWORKS',
                'logConfig.filter is "errors", which is none of ERRORS_ONLY, TRANSLATIONS_ONLY, ALL',
            ],
        ],
        [
            "a missing input",
            "compute/subnetwork:Subnetwork",
            { ipCidrRange: "10.64.0.0/20", secondaryIpRanges: [{ ipCidrRange: "10.68.0.0/16" }] },
            [
                "network is missing, and is required",
                "secondaryIpRanges[0].rangeName is missing, and is required",
            ],
        ],
    ];
    test.each(cases)("%s", (_what, type, inputs, expected) => {
        expect(problems(type, inputs)).toEqual(expected);
    });

    test("an input that only the provider's own table requires", () => {
        const required = { "gcp:compute/disk:Disk": ["zone", "guestOsFeatures[*].type"] };
        expect(problems("compute/disk:Disk", {}, required)).toEqual([
            "zone is missing, and is required",
        ]);
        const inputs: PropertyMap = { zone: UNKNOWN, guestOsFeatures: [{ type: "GVNIC" }, {}] };
        expect(problems("compute/disk:Disk", inputs, required)).toEqual([
            "guestOsFeatures[1].type is missing, and is required",
        ]);
    });

    test("in a secret, without its value", () => {
        const type = "secretmanager/secretVersion:SecretVersion";
        const inputs = { secret: "orders", secretData: new Secret({ password: "hunter2" }) };
        expect(problems(type, inputs)).toEqual(["secretData is an object, where a string belongs"]);
    });

    test("with the resource's own name, in a run; of a provider and a function too", () => {
        const broken = (name: string, more: PropertyMap): Registration => {
            const registration = named(first, name);
            return { ...registration, inputs: { ...registration.inputs, ...more } };
        };
        const token = "gcp:secretmanager/getSecretVersion:getSecretVersion";
        const sent = {
            resources: [
                broken("orders-b-0", { provisionedIop: 3000 }),
                broken("google", { defaultLabels: '["orders"]' }),
            ],
            invokes: [{ token, args: { secrets: "orders" }, provider: "", result: {} }],
        };
        expect(gcpProblems(sent)).toEqual([
            "gcp:compute/disk:Disk orders-b-0: provisionedIop is no input; did you mean provisionedIops",
            "pulumi:providers:gcp google: defaultLabels is a list, where an object belongs",
            `${token}: secret is missing, and is required`,
            `${token}: secrets is no input; did you mean secret`,
        ]);
    });

    test("and what the package does not have at all", () => {
        expect(() => problems("compute/disc:Disc", {})).toThrow(
            "@pulumi/gcp has no compute/disc, which would declare gcp:compute/disc:Disc",
        );
    });
});

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
            "orders-single-snapshots": "a-project/europe-west1/orders-single/orders",
            "orders-b-0-address": "projects/a-project/regions/europe-west1/addresses/orders-b-0",
            "orders-zone": "projects/a-project/managedZones/orders-internal",
            "orders-b-0-record":
                "projects/a-project/managedZones/orders-internal/rrsets/orders-b-0.orders.internal./A",
            "orders-credentials": "projects/a-project/secrets/orders-credentials",
            "orders-credentials-version":
                "projects/100000000001/secrets/orders-credentials/versions/1",
        });
    });

    test("with outputs that the package declares, and nothing else", () => {
        expect(ofGoogle(first).flatMap(gcpOutputProblems)).toEqual([]);
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
