// What a change of the keys of platform `gke` does to a running cluster.

import {
    announced,
    found,
    identity,
    settled,
    type Rule,
    type RulesOf,
    type Side,
} from "../../rules/rule";
import { CHANNELS } from "../gke-keys";
import { disksOf, familyOf } from "./families";
import { diskPlanOf, nodesOf, regionOf } from "./plan";

/** Zones in the order in which their nodes are touched. */
const inOrder = ({ zones }: Side): string => [...zones].sort().join(", then ");

const AN_HOUR =
    "A member away from its node for more than an hour is not waited for: that is Google's bound.";

/** Another region would be another Kubernetes cluster, and other disks. */
const placeRule: Rule = (old, wanted, circumstances) => {
    if (old.platform !== "gke" || wanted.platform !== "gke") {
        return [];
    }
    const [from, to] = [old, wanted].map(({ zones }) => regionOf([...zones].sort()[0]!));
    return found(
        ...identity("gke.project")(old, wanted, circumstances),
        from !== to && {
            severity: "refused",
            path: "zones",
            old: old.zones,
            new: wanted.zones,
            reason: `the Kubernetes cluster, its network and the disks are in ${from!}, and stay there: make a second cluster in ${to!}, in a stack of its own, and move the data.`,
        },
    );
};

const channelRule: Rule = (old, wanted) => {
    const [before, after] = [old.gke?.channel, wanted.gke?.channel];
    if (before === undefined || after === undefined || before === after) {
        return [];
    }
    const change = { path: "gke.channel", old: before, new: after };
    return CHANNELS.indexOf(after) > CHANNELS.indexOf(before)
        ? [
              {
                  ...change,
                  severity: "refused",
                  reason: `Kubernetes may be newer already than ${after} offers, and does not go back.`,
              },
          ]
        : [
              {
                  ...change,
                  severity: "announced",
                  reason: `Google upgrades control plane and nodes to a newer release, within ${wanted.gke!.window} (UTC).`,
              },
          ];
};

const endpointRule: Rule = (old, wanted, circumstances) =>
    wanted.gke?.endpoint === "private"
        ? settled(
              "gke.endpoint",
              "the rest of this very update would find the control plane unreachable, unless Pulumi runs within the network: make it private from the start.",
          )(old, wanted, circumstances)
        : announced(
              "gke.endpoint",
              "the control plane is reached by another way; nothing is restarted.",
          )(old, wanted, circumstances);

const protectionRule = announced("gke.deletionProtection", (_, { gke, name, storage }) =>
    gke === undefined
        ? undefined
        : gke.deletionProtection
          ? "from the end of this update on, neither Pulumi nor Google deletes the Kubernetes cluster."
          : `FROM THE END OF THIS UPDATE ON "pulumi destroy" DELETES the Kubernetes cluster of ${name}; its disks ${storage.onDelete === "keep" ? "stay" : "GO TOO"}.`,
);

/** Another type within a family is another machine for each node; another family is another pool. */
const typeRule: Rule = (old, wanted) => {
    const [before, after] = [old.machines?.type, wanted.machines?.type];
    if (before === undefined || after === undefined || before === after) {
        return [];
    }
    const change = { path: "machines.type", old: before, new: after };
    const { type } = diskPlanOf(old, old.plan.first);
    if (old.storage.driver === "gce-disk" && !disksOf(after).includes(type)) {
        const reason = `the members' disks are ${type}, and machines of family ${familyOf(after)} attach ${disksOf(after).join(", ")} only: data does not go from one kind of disk to another.`;
        return [{ ...change, severity: "refused", reason }];
    }
    const how =
        familyOf(before) === familyOf(after)
            ? `nodes are recreated one by one, a new one first: ${inOrder(wanted)}.`
            : `new pools come first: ${inOrder(wanted)}; then the old ones are drained, one member at a time, and go.`;
    return [
        {
            ...change,
            severity: "announced",
            reason: `${how} Every member is restarted by it. ${AN_HOUR}`,
        },
    ];
};

/** Which node Google takes from a zone is its choice; while a member leaves, it might be the one of a member that stays. */
const countRule: Rule = (old, wanted) => {
    const zones = wanted.machines === undefined ? [] : old.zones;
    const shrinking = zones
        .filter((zone) => wanted.zones.includes(zone))
        .map((zone) => ({
            zone,
            before: nodesOf(old, old.plan, zone),
            after: nodesOf(wanted, wanted.plan, zone),
        }))
        .filter(({ before, after }) => after < before);
    return shrinking.map(({ zone, before, after }) => {
        const leaving = old.plan.members.filter(
            (member) =>
                member.zone === zone &&
                !wanted.plan.members.some(({ name }) => name === member.name),
        );
        const change = {
            path: "machines.count",
            old: old.machines?.count,
            new: wanted.machines?.count,
        };
        return leaving.length > 0
            ? {
                  ...change,
                  severity: "refused",
                  reason: `${leaving.map(({ name }) => name).join(", ")} leaves zone ${zone}, and ${before - after} of its ${before} nodes would go before it did, whichever Google takes. Keep the nodes in this update: pulumi config set --path quorum:machines.count ${before}. Take that out in the next one, and they go.`,
              }
            : {
                  ...change,
                  severity: "announced",
                  reason: `zone ${zone} gives back ${before - after} of ${before} nodes, whichever Google takes: it is drained, and a member on it moves to another one of the zone.`,
              };
    });
};

const RECREATED = (key: "machines.bootDisk" | "machines.system", whose: string) =>
    announced(key, (_, wanted) =>
        wanted.machines === undefined
            ? undefined
            : `${whose} nodes are recreated one by one: ${inOrder(wanted)}.`,
    );

/** What changes of the platform's keys mean. */
export const GKE_RULES: RulesOf<
    | "gke.project"
    | "gke.channel"
    | "gke.network"
    | "gke.subnetwork"
    | "gke.ranges"
    | "gke.endpoint"
    | "gke.authorizedNetworks"
    | "gke.window"
    | "gke.exclusions"
    | "gke.deletionProtection"
    | "machines.type"
    | "machines.count"
    | "machines.bootDisk"
    | "machines.system"
> = {
    "gke.project": placeRule,
    "gke.channel": channelRule,
    "gke.network": identity("gke.network"),
    "gke.subnetwork": identity("gke.subnetwork"),
    "gke.ranges": identity("gke.ranges"),
    "gke.endpoint": endpointRule,
    "gke.authorizedNetworks": announced("gke.authorizedNetworks", (_, { gke }) =>
        gke === undefined
            ? undefined
            : `the control plane's address is open to ${gke.authorizedNetworks.join(", ") || "nobody"} from now on.`,
    ),
    "gke.window": "when Google upgrades; nothing is touched now",
    "gke.exclusions": "when Google does not upgrade; nothing is touched now",
    "gke.deletionProtection": protectionRule,
    "machines.type": typeRule,
    "machines.count": countRule,
    "machines.bootDisk": RECREATED("machines.bootDisk", "the members' and the system's"),
    "machines.system": RECREATED("machines.system", "the system's"),
};
