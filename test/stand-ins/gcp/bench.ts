// What the suites of the gcp stand-in share: a provider on a cloud of its own, a machines controller
// in this process that plays the sandbox's side, and what the engine does around each call.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EVERY_CLUSTER, EVERY_NODE_POOL } from "../../../sandbox/cloud/paths.js";
import type { ClusterStatus, Machines, NodePoolStatus } from "../../../sandbox/cloud/status.js";
import { Cloud, CLOUD_VARIABLE, type CloudResource } from "../../../sandbox/cloud/store.js";
import { plainObject, type TreeObject } from "../../../sandbox/pulumi/property-tree.js";
import { gcpService } from "../../../sandbox/pulumi/resource-gcp/service.js";
import { textAt } from "../../../sandbox/pulumi/resource-gcp/values.js";
import { startProvider, urnOf, type ProviderUnderTest } from "../provider-client.js";

export const PROJECT = "acme";
export const ZONES = ["sandbox-a", "sandbox-b", "sandbox-c"];

const base64 = (text: string) => Buffer.from(text).toString("base64");

const controlPlane = (name: string, endpoint: string) => ({
    name,
    endpoint,
    port: 6443,
    certificateAuthority: base64(`authority of ${name}`),
    clientCertificate: base64(`certificate for ${name}`),
    clientKey: base64(`key for ${name}`),
    version: "1.34.10",
});

export const MACHINES: Machines = {
    controlPlanes: [controlPlane("one", "172.30.7.1"), controlPlane("two", "172.30.9.1")],
    addresses: "172.30.8.0/24",
    zones: ZONES,
};

/** Short names of types. */
export const TOKENS = {
    account: "gcp:serviceaccount/account:Account",
    address: "gcp:compute/address:Address",
    attachment: "gcp:compute/diskResourcePolicyAttachment:DiskResourcePolicyAttachment",
    cluster: "gcp:container/cluster:Cluster",
    disk: "gcp:compute/disk:Disk",
    firewall: "gcp:compute/firewall:Firewall",
    member: "gcp:projects/iAMMember:IAMMember",
    nat: "gcp:compute/routerNat:RouterNat",
    network: "gcp:compute/network:Network",
    policy: "gcp:compute/resourcePolicy:ResourcePolicy",
    pool: "gcp:container/nodePool:NodePool",
    record: "gcp:dns/recordSet:RecordSet",
    regionAttachment:
        "gcp:compute/regionDiskResourcePolicyAttachment:RegionDiskResourcePolicyAttachment",
    regionDisk: "gcp:compute/regionDisk:RegionDisk",
    router: "gcp:compute/router:Router",
    secret: "gcp:secretmanager/secret:Secret",
    subnetwork: "gcp:compute/subnetwork:Subnetwork",
    version: "gcp:secretmanager/secretVersion:SecretVersion",
    zone: "gcp:dns/managedZone:ManagedZone",
} as const;

export type TypeName = keyof typeof TOKENS;

export interface Made {
    readonly urn: string;
    readonly id: string;
    /** As the engine keeps them. */
    readonly inputs: TreeObject;
    readonly state: TreeObject;
}

/** Every so often the controller looks at the files. */
const LOOK_MILLISECONDS = 20;

/** Makes nodes of nothing, as the sandbox's machines controller makes real ones. */
class MachinesController {
    /** Each revision that it has followed: pool -> [machine type, nodes]. */
    readonly followed: [string, string, number][] = [];
    /** What it cannot do: name of a pool or cluster -> why. */
    readonly refuses = new Map<string, string>();
    /** While true it does nothing, as a sandbox that is stopped. */
    asleep = false;
    readonly #timer: NodeJS.Timeout;

    constructor(private readonly cloud: Cloud) {
        this.#timer = setInterval(() => void this.#look(), LOOK_MILLISECONDS);
    }

    stop(): void {
        clearInterval(this.#timer);
    }

    async #look(): Promise<void> {
        if (this.asleep) return;
        await this.cloud.change((writer) => {
            for (const pattern of [EVERY_CLUSTER, EVERY_NODE_POOL]) {
                for (const { path, resource } of this.cloud.find(pattern)) {
                    const { state } = resource.status as unknown as ClusterStatus;
                    if (state === "STOPPING") writer.remove(path);
                    else if (state === "PROVISIONING" || state === "RECONCILING") {
                        writer.write(path, this.#follow(resource));
                    }
                }
            }
        });
    }

    #follow(resource: CloudResource): CloudResource<ClusterStatus | NodePoolStatus> {
        const { properties } = resource;
        const name = textAt(properties, "name");
        const message = this.refuses.get(name);
        const status = resource.status as unknown as ClusterStatus & NodePoolStatus;
        if (message !== undefined) {
            return { ...resource, status: { ...status, state: "ERROR", message } };
        }
        if (resource.type === TOKENS.cluster) {
            return { ...resource, status: { ...status, state: "RUNNING" } };
        }
        const zones = properties["nodeLocations"] as string[];
        const count = Number(properties["nodeCount"]) * zones.length;
        const machine = (properties["nodeConfig"] as { machineType: string }).machineType;
        this.followed.push([name, machine, count]);
        const nodes = Array.from({ length: count }, (_, index) => `${name}-${index}`);
        const observed = status.revision;
        return { ...resource, status: { ...status, state: "RUNNING", observed, nodes } };
    }
}

export class Bench {
    private constructor(
        readonly cloud: Cloud,
        readonly provider: ProviderUnderTest,
        readonly machines: MachinesController,
    ) {}

    static async start(configuration: TreeObject = {}): Promise<Bench> {
        const cloud = new Cloud(mkdtempSync(join(tmpdir(), "quorum-cloud-")));
        writeFileSync(join(cloud.directory, "machines.json"), JSON.stringify(MACHINES));
        process.env[CLOUD_VARIABLE] = cloud.directory;
        const provider = await startProvider(gcpService);
        await provider.configure({ project: PROJECT, region: "sandbox", ...configuration });
        return new Bench(cloud, provider, new MachinesController(cloud));
    }

    stop(): void {
        this.machines.stop();
        this.provider.stop();
        rmSync(this.cloud.directory, { recursive: true, force: true });
    }

    /** Checks and creates, as the engine does. */
    async make(
        type: TypeName,
        args: TreeObject,
        options: { name?: string; timeout?: number } = {},
    ): Promise<Made> {
        const urn = urnOf(TOKENS[type], options.name ?? textAt(args, "name"));
        const inputs = await this.provider.check(urn, args);
        const { id, properties } = await this.provider.create(urn, inputs, options);
        return { urn, id, inputs, state: properties };
    }

    async plan(made: Made, args: TreeObject, ignoreChanges: string[] = []) {
        const news = await this.provider.check(made.urn, args, made.inputs);
        return this.provider.diff(made.urn, made.state, news, {
            oldInputs: made.inputs,
            ignoreChanges,
        });
    }

    async update(
        made: Made,
        args: TreeObject,
        options: { ignoreChanges?: string[]; timeout?: number } = {},
    ): Promise<Made> {
        const inputs = await this.provider.check(made.urn, args, made.inputs);
        const state = await this.provider.update(made.urn, made.state, inputs, {
            id: made.id,
            oldInputs: made.inputs,
            ...options,
        });
        return { ...made, inputs, state };
    }

    async refresh(made: Made): Promise<Made> {
        const found = await this.provider.read(made.urn, made.id, made.state, made.inputs);
        return { urn: made.urn, id: found.id, inputs: found.inputs, state: found.properties };
    }

    remove(made: Made, timeout = 0): Promise<void> {
        return this.provider.delete(made.urn, made.id, made.state, timeout);
    }

    /** What is in the cloud under an id that is also the path of its file. */
    there(id: string): CloudResource | undefined {
        return this.cloud.read(id);
    }

    /** As a colleague in Google's console, or Google itself. */
    async console(id: string, change: TreeObject, status: TreeObject = {}): Promise<void> {
        await this.cloud.update(id, (now) => ({
            ...now,
            properties: { ...now.properties, ...change },
            status: { ...now.status, ...status },
        }));
    }

    /** A network with a subnetwork for a cluster. */
    async network(name: string, second = 64): Promise<{ network: Made; subnetwork: Made }> {
        const network = await this.make("network", { name, autoCreateSubnetworks: false });
        const subnetwork = await this.make("subnetwork", {
            name,
            network: network.id,
            ipCidrRange: `10.${second}.0.0/20`,
            secondaryIpRanges: [
                { rangeName: "pods", ipCidrRange: `10.${second + 1}.0.0/16` },
                { rangeName: "services", ipCidrRange: `10.${second + 2}.0.0/20` },
            ],
        });
        return { network, subnetwork };
    }

    /** Arguments of a cluster in it. */
    static clusterIn(name: string, { network, subnetwork }: { network: Made; subnetwork: Made }) {
        return {
            name,
            location: "sandbox",
            network: network.id,
            subnetwork: subnetwork.id,
            ipAllocationPolicy: {
                clusterSecondaryRangeName: "pods",
                servicesSecondaryRangeName: "services",
            },
            initialNodeCount: 1,
            removeDefaultNodePool: true,
            deletionProtection: false,
        };
    }
}

/** A state without the marks of secrets. */
export const revealed = (made: Made): TreeObject => plainObject(made.state);
