// What the nodes of a simulated cluster agree on, and the rules of changing it.

import { Refusal, type Store } from "../shared/index.js";
import type { Dialect } from "./dialect.js";

export type Membership = "active" | "decommissioning" | "decommissioned";

/** What the cluster keeps about a node. */
export interface NodeRecord {
    readonly id: number;
    /** host:port */
    readonly address: string;
    readonly locality: string;
    readonly membership: Membership;
    /** How many replicas of ranges it holds. */
    readonly replicas: number;
    /** KaiwuDB: between `node upgrade` and a start with `--upgrade-complete`; and before it has joined. */
    readonly state: "" | "UPGRADING" | "JOINING";
}

/** What a node says about itself, again and again. */
export interface Liveness {
    readonly updatedAt: number;
    readonly startedAt: string;
    readonly build: string;
    readonly draining: boolean;
}

/** A node as `node status` shows it. */
export interface NodeStatus extends NodeRecord, Liveness {
    readonly isLive: boolean;
    /** Gossip has forgotten it: what it gossiped is printed as NULL. */
    readonly isForgotten: boolean;
}

/** A node that was silent for longer is not live. The real one's is 9 s (liveness.go). */
export const LIVE_MS = 6000;
export const HEARTBEAT_MS = 1000;
/** How long gossip remembers a silent node. The real one's is 2 h (NodeDescriptorTTL in gossip.go): nobody waits for that here. */
const FORGOTTEN_MS = 30_000;

/** Replicas that a node holds in the end, and how many move at a step: so that a decommission takes seconds. */
const REPLICAS = 24;
const MOVED = 6;

const nodeKey = (id: number): string => `nodes/${String(id).padStart(4, "0")}`;

/** The replicated state of one cluster, through one node's store. */
export class Cluster {
    public constructor(
        private readonly store: Store,
        private readonly dialect: Dialect,
    ) {}

    public async nodes(): Promise<NodeStatus[]> {
        const records = await this.store.list("nodes/");
        const liveness = new Map(
            (await this.store.list("liveness/")).map(({ key, value }) => [
                key.split("/")[1],
                JSON.parse(value) as Liveness,
            ]),
        );
        const silentFor = ({ updatedAt }: Liveness): number => Date.now() - updatedAt;
        const starts = [...liveness.values()]
            .filter((said) => silentFor(said) < LIVE_MS)
            .map(({ startedAt }) => Date.parse(startedAt));
        return records.map(({ value }) => {
            const node = JSON.parse(value) as NodeRecord;
            const said = liveness.get(`${node.id}`) ?? {
                updatedAt: 0,
                startedAt: "",
                build: "",
                draining: false,
            };
            const isLive = silentFor(said) < LIVE_MS;
            // It is in memory only: whoever was silent before all that live were started is unknown to them.
            const isUnknown = starts.every((at) => at > said.updatedAt);
            const isForgotten = !isLive && (silentFor(said) > FORGOTTEN_MS || isUnknown);
            return { ...node, ...said, isLive, isForgotten };
        });
    }

    /** A new node's number; numbers are never used again. */
    public async nextId(): Promise<number> {
        for (;;) {
            const [entry] = await this.store.list("next-id");
            if (!entry) {
                if (await this.store.create("next-id", "2")) return 1;
            } else if (await this.store.replace(entry, `${Number(entry.value) + 1}`)) {
                return Number(entry.value);
            }
        }
    }

    public async add(node: NodeRecord): Promise<void> {
        await this.store.put(nodeKey(node.id), JSON.stringify(node));
    }

    public async beat(id: number, liveness: Liveness): Promise<void> {
        await this.store.put(`liveness/${id}`, JSON.stringify(liveness));
    }

    /** Changes a node's record; somebody else may change it at the same time. */
    public async change(
        id: number,
        work: (node: NodeRecord) => Partial<NodeRecord>,
    ): Promise<NodeRecord> {
        for (;;) {
            const [entry] = await this.store.list(nodeKey(id));
            if (!entry) throw new Refusal(`node ${id} does not exist`);
            const node = JSON.parse(entry.value) as NodeRecord;
            const changed = { ...node, ...work(node) };
            if (await this.store.replace(entry, JSON.stringify(changed))) return changed;
        }
    }

    public async setting(name: string): Promise<string> {
        const fallback = this.dialect.settings[name];
        if (fallback === undefined) throw new Refusal(`unknown cluster setting '${name}'`);
        return (await this.store.get(`settings/${name}`)) ?? fallback;
    }

    public async setSetting(name: string, value: string): Promise<void> {
        await this.setting(name);
        await this.store.put(`settings/${name}`, value);
    }

    public async replicationFactor(): Promise<number> {
        return Number((await this.store.get("zone/num_replicas")) ?? 3);
    }

    /** The series whose features are switched on. */
    public async activeVersion(): Promise<string> {
        return (await this.store.get("cluster/version")) ?? "";
    }

    /** Replicas that are on no live node: nobody has copied them yet. */
    public async underReplicated(): Promise<number> {
        const lost = (await this.nodes()).filter(
            ({ isLive, membership }) => !isLive && membership !== "decommissioned",
        );
        return lost.reduce((sum, { replicas }) => sum + replicas, 0);
    }

    /** What would keep the replicas of these nodes from moving; `undefined`: nothing. */
    public async blocked(leaving: readonly number[]): Promise<string | undefined> {
        const targets = (await this.nodes()).filter(
            ({ id, isLive, membership }) =>
                isLive && membership === "active" && !leaving.includes(id),
        );
        const factor = await this.replicationFactor();
        return targets.length >= factor
            ? undefined
            : `0 of ${targets.length} live stores are able to take a new replica for the range ` +
                  `(${targets.length} already have a voter, 0 already have a non-voter); likely not enough nodes in cluster`;
    }

    /** Switches a series on for good. Every node must run it, and a dead one that was not decommissioned stands in the way. */
    public async finalize(wanted: string): Promise<void> {
        const active = await this.activeVersion();
        if (wanted === active) return;
        const refusal = this.dialect.upgradeRefusal(active, wanted);
        if (refusal !== undefined) throw new Refusal(refusal);
        for (const node of await this.nodes()) {
            if (node.membership === "decommissioned") continue;
            if (!node.isLive) throw new Refusal(`n${node.id} required, but unavailable`);
            const series = this.dialect.series(node.build);
            if (series !== wanted) {
                throw new Refusal(
                    `cannot upgrade to ${wanted}: node running ${series}: n${node.id}`,
                );
            }
        }
        await this.store.put("cluster/version", wanted);
    }

    /** One step of what goes on by itself; one node does it for all. */
    public async tick(): Promise<void> {
        const nodes = await this.nodes();
        for (const node of nodes) {
            const { id, isLive, membership, replicas } = node;
            if (membership === "active" && isLive && replicas < REPLICAS) {
                await this.change(id, (now) => ({
                    replicas: Math.min(REPLICAS, now.replicas + MOVED),
                }));
            }
            if (membership === "decommissioning" && replicas > 0 && !(await this.blocked([id]))) {
                await this.change(id, (now) =>
                    now.membership === "decommissioning"
                        ? { replicas: Math.max(0, now.replicas - MOVED) }
                        : {},
                );
            }
        }
        await this.upgradeByItself(nodes);
    }

    /** Without the setting that holds it back, the upgrade is finalised as soon as the last node runs the new series. */
    private async upgradeByItself(nodes: readonly NodeStatus[]): Promise<void> {
        const isHeld = this.dialect.isModern
            ? (await this.setting("cluster.auto_upgrade.enabled")) === "false"
            : (await this.setting("cluster.preserve_downgrade_option")) !== "";
        const series = new Set(
            nodes
                .filter(({ membership }) => membership !== "decommissioned")
                .map(({ build }) => this.dialect.series(build)),
        );
        if (!isHeld && series.size === 1) {
            await this.finalize([...series][0]!).catch(() => undefined);
        }
    }

    /** KaiwuDB: nothing of the schema changes, nobody joins and nobody leaves while a node is not healthy. */
    public async requireHealthy(what: string, except?: string): Promise<void> {
        if (!this.dialect.joinsSerially) return;
        for (const { id, isLive, membership, state, address } of await this.nodes()) {
            if (membership === "decommissioned" || address === except) continue;
            if (state !== "") throw new Refusal(`${what}: node ${id} is ${state}`, 503);
            if (!isLive) throw new Refusal(`${what}: node ${id} is unhealthy`, 503);
        }
    }
}
