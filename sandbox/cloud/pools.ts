// Node pools of the cloud: makes the machines that they ask for, makes them again one by one when they must be other
// ones, and takes them away. Each pool goes its own way, for one that drains may take an hour.

import { randomBytes } from "node:crypto";
import { basename } from "node:path";
import { waitForNodes } from "../cluster/readiness.js";
import { addNode, removeNode, switchOff } from "../cluster/machines.js";
import { CLOUD_ZONES, SANDBOXES, type Sandbox, type SandboxNode } from "../cluster/plan.js";
import { nodesOf } from "../cluster/registry.js";
import { ApiError } from "../controllers/api.js";
import { log, type Controller } from "../controllers/controller.js";
import { messageOf } from "../failure.js";
import { apiOf, clusterOfPool, sandboxOf } from "./control-planes.js";
import { cordon, drain } from "./drain.js";
import { EVERY_NODE_POOL } from "./paths.js";
import { nextStep, wishOf, type PoolStep, type PoolWish } from "./pool-plan.js";
import type { ClusterStatus, MachineState, NodePoolStatus } from "./status.js";
import type { Cloud, CloudResource } from "./store.js";

/** Parts of cluster's and pool's names in a node's, which has 63 characters at most. */
const NAME_PART = 20;

/** After an error. */
const RETRY_MILLISECONDS = 2_000;

/** States in which a pool waits for us. */
const OURS: readonly MachineState[] = ["PROVISIONING", "RECONCILING", "STOPPING"];

/** A pool and all that is known of it at one moment. */
interface Pool {
    readonly path: string;
    readonly sandbox: Sandbox;
    readonly status: NodePoolStatus;
    readonly wish: PoolWish;
    readonly nodes: readonly SandboxNode[];
}

export class PoolController implements Controller {
    readonly name = "GKE's node pools";
    readonly #busy = new Set<string>();

    constructor(
        private readonly cloud: Cloud,
        readonly sources: Controller["sources"],
    ) {}

    reconcile(): Promise<void> {
        for (const { path, resource } of this.cloud.find<NodePoolStatus>(EVERY_NODE_POOL)) {
            if (OURS.includes(resource.status.state)) this.#begin(path);
        }
        for (const path of this.#orphans()) this.#begin(path);
        return Promise.resolve();
    }

    /** Pools that machines name and that nobody keeps any more. */
    #orphans(): string[] {
        const named = SANDBOXES.flatMap(nodesOf).flatMap(({ machine }) => machine?.pool ?? []);
        return [...new Set(named)].filter((path) => this.cloud.read(path) === undefined);
    }

    #begin(path: string): void {
        if (this.#busy.has(path)) return;
        this.#busy.add(path);
        void this.#work(path)
            .catch((thrown: unknown) => {
                log(this.name, `${basename(path)}: will try again: ${messageOf(thrown)}`);
                setTimeout(() => this.#begin(path), RETRY_MILLISECONDS);
            })
            .finally(() => this.#busy.delete(path));
    }

    async #work(path: string): Promise<void> {
        for (;;) {
            const resource = this.cloud.read<NodePoolStatus>(path);
            if (resource === undefined) {
                await this.#removeOrphans(path);
                return;
            }
            const { state } = resource.status;
            // A cluster that goes takes its nodes along; see clusters.ts.
            if (!OURS.includes(state) || this.#clusterStops(path)) return;
            let pool: Pool;
            try {
                pool = this.#poolOf(path, resource);
            } catch (thrown) {
                await this.#report(path, { state: "ERROR", message: messageOf(thrown) });
                return;
            }
            const machines = pool.nodes.map(({ name, machine }) => ({
                name,
                template: machine!.template,
            }));
            const step = nextStep(state, pool.wish, machines);
            if (step.kind === "settle") {
                await this.#settle(pool);
                return;
            }
            await this.#take(step, pool);
        }
    }

    #clusterStops(path: string): boolean {
        const cluster = this.cloud.read<ClusterStatus>(clusterOfPool(path));
        return cluster === undefined || cluster.status.state === "STOPPING";
    }

    #poolOf(path: string, { properties, status }: CloudResource<NodePoolStatus>): Pool {
        const sandbox = sandboxOf(this.cloud, clusterOfPool(path));
        if (sandbox === undefined) throw new Error("The pool's cluster has no control plane.");
        const nodes = nodesOf(sandbox).filter(({ machine }) => machine?.pool === path);
        return { path, sandbox, status, wish: wishOf(properties, CLOUD_ZONES), nodes };
    }

    async #take(step: PoolStep, pool: Pool): Promise<void> {
        switch (step.kind) {
            case "make":
                await Promise.all(Array.from({ length: step.count }, () => this.#make(pool)));
                return;
            case "retire":
                await this.#retire(pool, step.name);
                return;
            case "clear":
                await this.#clear(pool);
                return;
            case "settle":
                return;
        }
    }

    async #make({ path, sandbox, wish }: Pool): Promise<void> {
        const parts = path.split("/");
        const [cluster, pool] = [parts.at(-3)!, parts.at(-1)!];
        const random = randomBytes(2).toString("hex");
        const name = `gke-${cluster.slice(0, NAME_PART)}-${pool.slice(0, NAME_PART)}-${wish.template}-${random}`;
        log(this.name, `${basename(path)}: makes ${name} in ${wish.zone}`);
        await addNode(sandbox, {
            name,
            zone: wish.zone,
            labels: {
                "cloud.google.com/gke-nodepool": pool,
                "node.kubernetes.io/instance-type": wish.machineType,
                ...wish.labels,
            },
            taints: wish.taints,
            machine: {
                pool: path,
                template: wish.template,
                type: wish.machineType,
                providerId: `gce://${parts[1]!}/${wish.zone}/${name}`,
            },
        });
    }

    /** One node, by the budgets. The others must be there first, or a pool could lose two at a time. */
    async #retire({ path, sandbox, nodes }: Pool, name: string): Promise<void> {
        const others = nodes.filter((node) => node.name !== name);
        await waitForNodes(sandbox, others);
        log(this.name, `${basename(path)}: drains ${name}`);
        const isDeletedAtOnce = (): boolean => {
            const now = this.cloud.read<NodePoolStatus>(path);
            if (now === undefined) return true;
            return (
                now.status.state === "STOPPING" &&
                !wishOf(now.properties, CLOUD_ZONES).deletionRespectsBudgets
            );
        };
        await drain(apiOf(sandbox), name, () => !isDeletedAtOnce());
        await this.#remove(nodes.find((node) => node.name === name)!);
    }

    async #clear({ path, sandbox, wish, nodes }: Pool): Promise<void> {
        const api = apiOf(sandbox);
        // All first: what leaves one of them must not come to another.
        for (const { name } of nodes) await cordon(api, name);
        const how = wish.deletionRespectsBudgets ? "by the budgets" : "whatever the budgets say";
        log(this.name, `${basename(path)}: empties its ${nodes.length} nodes ${how}`);
        await Promise.all(
            nodes.map(async (node) => {
                await drain(api, node.name, () => wish.deletionRespectsBudgets);
                await this.#remove(node);
            }),
        );
    }

    /** The machine first: a kubelet that lives would go on with its pods. */
    async #remove(node: SandboxNode): Promise<void> {
        await switchOff(node);
        try {
            await apiOf(node.sandbox).request("DELETE", `/api/v1/nodes/${node.name}`);
        } catch (thrown) {
            if (!(thrown instanceof ApiError && thrown.status === 404)) throw thrown;
        }
        await removeNode(node);
        log(this.name, `${node.name} is gone`);
    }

    async #removeOrphans(path: string): Promise<void> {
        const nodes = SANDBOXES.flatMap(nodesOf).filter(({ machine }) => machine?.pool === path);
        for (const node of nodes) await this.#remove(node);
    }

    async #settle({ path, status, nodes }: Pool): Promise<void> {
        if (status.state === "STOPPING") {
            await this.cloud.change((writer) => writer.remove(path));
            log(this.name, `${basename(path)} is deleted`);
            return;
        }
        await this.#report(path, {
            state: "RUNNING",
            observed: status.revision,
            nodes: nodes.map(({ name }) => name),
        });
    }

    /** Unless the pool has been asked for something else since. */
    async #report(path: string, report: Partial<NodePoolStatus>): Promise<void> {
        await this.cloud.update<NodePoolStatus>(path, (now) => {
            const isNews =
                now.status.state === "STOPPING" ||
                (report.observed !== undefined && report.observed !== now.status.revision);
            return isNews ? undefined : { ...now, status: { ...now.status, ...report } };
        });
    }
}
