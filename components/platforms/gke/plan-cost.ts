// What a plan on Google Cloud costs: which of its things have a price.

import { engineOf } from "../../engines";
import { DOORS, type DoorName } from "../../outside";
import type { ClusterSpec } from "../../spec";
import { MAIN_ROLE } from "../../topology";
import type { SizedSpec } from "../platform";
import { costOf, differenceOf, type CostItem, type CostReport } from "./cost";
import { differenceTable } from "./cost-table";
import { gkePlanOf, type GkePlan, type PoolPlan } from "./plan";
import { pricesWith } from "./prices";

const PURPOSES: Readonly<Record<PoolPlan["purpose"], string>> = {
    member: "members",
    system: "system",
};

/** Everything of a plan that costs something each month. */
export function costItemsOf(spec: ClusterSpec, plan: GkePlan): CostItem[] {
    const { region } = plan;
    const { storage } = spec;
    const machines = plan.pools.reduce((sum, { count }) => sum + count, 0);
    const { disk } = storage;
    return [
        ...plan.pools.flatMap(({ zone, purpose, machineType, count, bootDisk }): CostItem[] => {
            const each = { region, zone, count, purpose: PURPOSES[purpose] };
            return [
                { ...each, kind: "node", machine: machineType },
                { ...each, kind: "bootDisk", ...bootDisk },
            ];
        }),
        ...plan.disks.map(({ zone, type, gib, replicaZone }): CostItem => {
            const each = { kind: "disk", region, zone, count: 1, purpose: "members", gib } as const;
            return replicaZone === undefined || type === "hyperdisk-balanced"
                ? { ...each, type, iops: disk?.iops, throughput: disk?.throughput }
                : { ...each, type, regional: true };
        }),
        ...(disk?.snapshots ? [{ kind: "snapshots", region, count: 1 } as const] : []),
        ...balancerItems(spec, region),
        { kind: "managementFee", region, count: plan.clusters.length },
        {
            kind: "dnsZone",
            count: spec.names.domain !== undefined && plan.named.length > 0 ? 1 : 0,
        },
        // Without a network of its own it goes out by somebody else's NAT.
        ...(plan.network
            ? ([
                  { kind: "nat", region, count: 1, machines },
                  // Google takes more of them for very many connections.
                  { kind: "address", region, count: 1, use: "nat" },
              ] as const)
            : []),
        { kind: "secret", count: 1 },
    ];
}

/** One for each member that serves clients, and one for each of their Services; on the Internet also its address. */
function balancerItems(spec: ClusterSpec, region: string): CostItem[] {
    const { roles, services } = engineOf(spec.engine);
    const counts: Readonly<Record<DoorName, number>> = {
        members: roles.find(({ name }) => name === MAIN_ROLE)!.count(spec),
        clients: services.length,
    };
    return DOORS.filter((name) => spec.access[name].type === "LoadBalancer").flatMap((purpose) => {
        const each = { region, count: counts[purpose], purpose };
        return [
            { ...each, kind: "loadBalancer" },
            ...(spec.access[purpose].internal
                ? []
                : [{ ...each, kind: "address", use: "loadBalancer" } as const]),
        ];
    });
}

/** What a plan costs a month. */
export const costOfPlan = (spec: ClusterSpec, plan: GkePlan, prices = spec.prices): CostReport =>
    costOf(costItemsOf(spec, plan), pricesWith(prices));

/** What an update costs or saves, both sides at today's prices. */
export function costChange(old: SizedSpec, wanted: SizedSpec): string | undefined {
    if (old.platform !== "gke" || wanted.platform !== "gke") {
        return undefined;
    }
    const [before, after] = [old, wanted].map((spec) =>
        costOfPlan(spec, gkePlanOf(spec, spec.plan), wanted.prices),
    );
    const difference = differenceOf(before!, after!);
    return difference.changes.length === 0 ? undefined : differenceTable(difference);
}
