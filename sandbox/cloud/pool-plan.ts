// What a node pool asks for, and the next step from the machines that it has to that. Pure.

import { createHash } from "node:crypto";
import type { Taint } from "../cluster/plan.js";
import type { MachineState } from "./status.js";
import type { Json, JsonObject } from "./store.js";

/** What is read of a pool's properties, in Pulumi's spelling. */
interface PoolProperties {
    readonly location?: string;
    readonly nodeLocations?: readonly string[];
    readonly nodeCount?: number;
    readonly initialNodeCount?: number;
    readonly autoscaling?: { readonly minNodeCount?: number };
    readonly version?: string;
    readonly nodeConfig?: JsonObject & {
        readonly machineType?: string;
        readonly labels?: Record<string, string>;
        readonly taints?: { key: string; value: string; effect: string }[];
    };
    readonly nodeDrainConfigs?: readonly { readonly respectPdbDuringNodePoolDeletion?: boolean }[];
}

/** What a pool asks for. */
export interface PoolWish {
    readonly zone: string;
    readonly count: number;
    readonly machineType: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly taints: readonly Taint[];
    /** Another one when nodes must be made again to be what the pool says. */
    readonly template: string;
    /** Whether budgets count when the pool is deleted; GKE's default is that they do not. */
    readonly deletionRespectsBudgets: boolean;
}

/**
 * Blocks of nodeConfig that GKE changes by making nodes again, by the pool's upgrade strategy (Terraform provider google
 * v7.45.0, node_config.go; the other blocks replace the pool).
 */
const MAKES_NODES_AGAIN = [
    ...["machineType", "diskType", "diskSizeGb", "bootDisk", "imageType", "labels", "taints"],
    ...["tags", "resourceLabels", "kubeletConfig", "linuxNodeConfig", "workloadMetadataConfig"],
    ...["gvnic", "loggingVariant"],
];

/** GKE's names of effects -> Kubernetes'. */
const EFFECTS: Readonly<Record<string, string>> = {
    NO_SCHEDULE: "NoSchedule",
    PREFER_NO_SCHEDULE: "PreferNoSchedule",
    NO_EXECUTE: "NoExecute",
};

/** The type that GKE takes when none is named. */
const DEFAULT_MACHINE_TYPE = "e2-medium";

/** The same text for the same value, whatever the order of its keys. */
function canonical(value: Json | undefined): string {
    if (value === null || typeof value !== "object") return JSON.stringify(value ?? null);
    if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
    const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
    return `{${entries.map(([key, one]) => `${JSON.stringify(key)}:${canonical(one)}`).join(",")}}`;
}

function templateOf({ nodeConfig = {}, version }: PoolProperties): string {
    const parts = MAKES_NODES_AGAIN.map((key) => canonical(nodeConfig[key]));
    return createHash("sha256")
        .update([version ?? "", ...parts].join("\n"))
        .digest("hex")
        .slice(0, 8);
}

function countOf({ nodeCount, initialNodeCount, autoscaling }: PoolProperties): number {
    // No autoscaler runs in the sandbox: a pool with one stays at its minimum.
    return nodeCount ?? Math.max(initialNodeCount ?? 0, autoscaling?.minNodeCount ?? 0);
}

/** Reads a pool's properties; throws a sentence for what the sandbox cannot make. */
export function wishOf(properties: JsonObject, zones: readonly string[]): PoolWish {
    const pool = properties as PoolProperties;
    const { nodeLocations = [], nodeConfig = {} } = pool;
    const [zone, ...more] = nodeLocations.length > 0 ? nodeLocations : [pool.location ?? ""];
    if (more.length > 0) {
        throw new Error(
            `The sandbox makes node pools of one zone, not of ${nodeLocations.join(", ")}: one zone in nodeLocations.`,
        );
    }
    if (zone === undefined || !zones.includes(zone)) {
        throw new Error(`There is no zone "${zone ?? ""}"; the zones are ${zones.join(", ")}.`);
    }
    return {
        zone,
        count: countOf(pool),
        machineType: nodeConfig.machineType ?? DEFAULT_MACHINE_TYPE,
        labels: nodeConfig.labels ?? {},
        taints: (nodeConfig.taints ?? []).map(({ key, value, effect }) => ({
            key,
            value,
            effect: EFFECTS[effect] ?? effect,
        })),
        template: templateOf(pool),
        deletionRespectsBudgets:
            pool.nodeDrainConfigs?.[0]?.respectPdbDuringNodePoolDeletion === true,
    };
}

/** A machine of the pool, as the next step depends on it. */
export interface PoolMachine {
    readonly name: string;
    readonly template: string;
}

export type PoolStep =
    | { readonly kind: "make"; readonly count: number }
    /** Drained by the budgets, one at a time. */
    | { readonly kind: "retire"; readonly name: string }
    /** All, because the pool goes. */
    | { readonly kind: "clear" }
    /** Nothing is left to do. */
    | { readonly kind: "settle" };

/**
 * The next step. Nodes that must be made again go one by one, a new one before each (GKE's default: maxSurge 1,
 * maxUnavailable 0). Which node goes when there are too many is GKE's choice and nobody else's: here it is the first by
 * name, and names are drawn at random.
 */
export function nextStep(
    state: MachineState,
    wish: Pick<PoolWish, "count" | "template">,
    machines: readonly PoolMachine[],
): PoolStep {
    if (state === "STOPPING") return { kind: machines.length > 0 ? "clear" : "settle" };
    const outdated = machines.filter(({ template }) => template !== wish.template);
    if (machines.length < wish.count) return { kind: "make", count: wish.count - machines.length };
    if (machines.length > wish.count) {
        const names = (outdated.length > 0 ? outdated : machines).map(({ name }) => name).sort();
        return { kind: "retire", name: names[0]! };
    }
    return outdated.length > 0 ? { kind: "make", count: 1 } : { kind: "settle" };
}
