// Who is let in from outside of Kubernetes: what may be asked for, and what a change of it does to clients.

import type { Engine } from "../engines/engine";
import {
    DOORS,
    endpointName,
    isOpen,
    mayBeOnTheInternet,
    ownAnnotations,
    surroundingsOf,
    type Door,
    type DoorName,
} from "../outside";
import type { Problem } from "../problems";
import type { ClusterSpec, CompleteSpec } from "../spec";
import { MAIN_ROLE, type Plan } from "../topology";
import { announced, changeOf, found, type Maybe, type Rule, type RulesOf, type Side } from "./rule";

const EVERYBODY = "0.0.0.0/0";
const WRITE_EVERYBODY = `or write ${EVERYBODY}, which lets everybody in`;

/** What is wrong with `access`, given who the members are. */
export function accessProblems(spec: CompleteSpec, engine: Engine, plan: Plan): Problem[] {
    // Masters and the like serve no clients.
    const members = plan.ofRole(MAIN_ROLE).map(({ name }) => name);
    const services = engine.services.map(endpointName);
    return [
        ...DOORS.flatMap((name) => doorProblems(name, spec, engine)),
        ...namesProblems("members", spec, members, "a member; the members are"),
        ...namesProblems("clients", spec, services, "a Service of clients; there is"),
        ...sharedAddresses(spec),
    ];
}

function doorProblems(name: DoorName, spec: CompleteSpec, engine: Engine): Problem[] {
    const door = spec.access[name];
    const refuse = (key: keyof Door, reason: string): Problem => ({
        path: `access.${name}.${key}`,
        value: door[key],
        reason,
    });
    if (door.type !== "LoadBalancer") {
        const idle = idleKeys(door).map((key) =>
            refuse(
                key,
                `means nothing with type ${door.type}: set quorum:access.${name}.type, or remove the key (pulumi config rm --path quorum:access.${name} removes all of them)`,
            ),
        );
        if (idle.length > 0) {
            return idle;
        }
    }
    const why = whySources(name, spec);
    return [
        ...(why !== undefined && door.sourceRanges.length === 0
            ? [{ ...refuse("sourceRanges", why), value: undefined }]
            : []),
        ...collisions(name, spec),
        ...clearTextProblems(door, engine, refuse),
    ];
}

/** Keys of load balancers, and of what is not open at all. */
function idleKeys({ type, addresses, internal, sourceRanges, annotations }: Door): (keyof Door)[] {
    const isShut = type === "ClusterIP";
    return [
        ...(Object.keys(addresses).length > 0 ? (["addresses"] as const) : []),
        ...(internal ? [] : (["internal"] as const)),
        ...(isShut && sourceRanges.length > 0 ? (["sourceRanges"] as const) : []),
        ...(isShut && Object.keys(annotations).length > 0 ? (["annotations"] as const) : []),
    ];
}

/** Why it must be said who may come; `undefined`: it need not. */
function whySources(name: DoorName, spec: CompleteSpec): string | undefined {
    const door = spec.access[name];
    if (door.type === "NodePort") {
        return `a port of the nodes is open to whoever reaches a node: name the networks whose clients are let in, ${WRITE_EVERYBODY}`;
    }
    if (!mayBeOnTheInternet(spec, door)) {
        return undefined;
    }
    return door.internal
        ? `nothing asks this cloud for internal load balancers, so they may be on the Internet: give the annotation that does (quorum:access.${name}.annotations), or name the networks whose clients are let in, ${WRITE_EVERYBODY}`
        : `load balancers that are not internal are on the Internet: name the networks whose clients are let in, ${WRITE_EVERYBODY}`;
}

/** Annotations that keys of their own stand for. */
function collisions(name: DoorName, spec: CompleteSpec): Problem[] {
    const door = spec.access[name];
    const own = ownAnnotations(spec, door, name === "members" ? spec.names.domain : undefined);
    return Object.keys(door.annotations)
        .filter((key) => Object.hasOwn(own, key))
        .map((key) => ({
            path: `access.${name}.annotations.${key}`,
            value: door.annotations[key],
            reason: `is set by quorum:access.${name}.internal or quorum:names.domain: remove one of the two`,
        }));
}

/** What goes unencrypted is for networks of one's own. */
function clearTextProblems(
    door: Door,
    { clearText }: Engine,
    refuse: (key: keyof Door, reason: string) => Problem,
): Problem[] {
    if (clearText === undefined || !isOpen(door)) {
        return [];
    }
    const instead = `${clearText} Use internal addresses, and name the networks of your own`;
    return [
        ...(door.internal ? [] : [refuse("internal", `is refused: ${instead}`)]),
        ...(door.sourceRanges.includes(EVERYBODY)
            ? [refuse("sourceRanges", `lets everybody in: ${instead}`)]
            : []),
    ];
}

function namesProblems(
    door: DoorName,
    { access }: CompleteSpec,
    known: readonly string[],
    what: string,
): Problem[] {
    return Object.entries(access[door].addresses)
        .filter(([name]) => !known.includes(name))
        .map(([name, value]) => ({
            path: `access.${door}.addresses.${name}`,
            value,
            reason: `${name} is not ${what} ${known.join(", ")}`,
        }));
}

/** Addresses by the end of their keys: `members.addresses.orders-a-0`. */
function addressesOf({ access }: Pick<ClusterSpec, "access">): Readonly<Record<string, string>> {
    return Object.fromEntries(
        DOORS.flatMap((door) =>
            Object.entries(access[door].addresses).map(([name, address]) => [
                `${door}.addresses.${name}`,
                address,
            ]),
        ),
    );
}

/** An address leads to one Service. */
function sharedAddresses(spec: CompleteSpec): Problem[] {
    const addresses = Object.entries(addressesOf(spec));
    return addresses.flatMap(([key, value], position) => {
        const other = addresses.slice(0, position).find(([, earlier]) => earlier === value);
        return other
            ? [
                  {
                      path: `access.${key}`,
                      value,
                      reason: `is the address of ${lastOf(other[0])} too`,
                  },
              ]
            : [];
    });
}

const lastOf = (key: string): string => key.split(".").at(-1)!;

/** Who is let in by a door, as the end of a sentence. */
function whoComes({ sourceRanges }: Door): string {
    if (sourceRanges.includes(EVERYBODY)) {
        return `by EVERYBODY who gets that far (${EVERYBODY})`;
    }
    return sourceRanges.length > 0
        ? `from ${sourceRanges.join(", ")}`
        : "by everybody in the internal load balancers' network (there are no sourceRanges)";
}

const WHOM: Readonly<Record<DoorName, string>> = {
    members: "the members",
    clients: "the clients' Services",
};

type Opened = Pick<ClusterSpec, "access" | "platform" | "gke">;

/** What a specification opens, a sentence for each door. */
export const openings = (spec: Opened, engine: Pick<Engine, "clearText">): string[] =>
    DOORS.filter((name) => isOpen(spec.access[name])).map((name) => opening(name, spec, engine));

/** Who comes in by a door and where; what goes unencrypted is said with it. */
function opening(name: DoorName, spec: Opened, { clearText }: Pick<Engine, "clearText">): string {
    const door = spec.access[name];
    const warning = clearText === undefined ? "" : ` ${clearText}`;
    return `${WHOM[name]} can be reached from outside of Kubernetes ${placeOf(spec, door)}, ${whoComes(door)}.${policyWord(spec, door)}${warning}`;
}

function placeOf(spec: Opened, door: Door): string {
    if (door.type === "NodePort") {
        return "at ports of the nodes";
    }
    if (!mayBeOnTheInternet(spec, door)) {
        return "at internal load balancers";
    }
    return door.internal
        ? "at load balancers, which may be on the Internet"
        : "at load balancers ON THE INTERNET";
}

/** Where the network policy cannot help, that is said. */
function policyWord(spec: Opened, { type }: Door): string {
    const { nodeRanges, peerRanges } = surroundingsOf(spec);
    return type === "LoadBalancer" && nodeRanges.length + peerRanges.length === 0
        ? " The network policy lets every address reach the clients' ports: it would need quorum:access.nodeRanges to do otherwise."
        : "";
}

/** The door opens, closes, or is another one. */
const typeRule =
    (name: DoorName): Rule =>
    (old, wanted) => {
        const [before, after] = [old.access[name], wanted.access[name]];
        const sentences = [
            ...(isOpen(before) ? [`clients outside that use the ${before.type} are cut off.`] : []),
            ...(isOpen(after) ? [opening(name, wanted, wanted.definition)] : []),
        ];
        return found(
            changeOf(`access.${name}.type`, [old, wanted], {
                severity: "announced",
                reason: sentences.join(" "),
            }),
        );
    };

/** A change of a door that was open and stays so: whoever opens or closes it is told all of it at once. */
const whileOpen =
    (
        name: DoorName,
        key: "internal" | "sourceRanges" | "annotations",
        reason: (door: Door) => string,
    ): Rule =>
    (old, wanted) =>
        found(
            isOpen(old.access[name]) &&
                isOpen(wanted.access[name]) &&
                old.access[name].type === wanted.access[name].type &&
                changeOf(`access.${name}.${key}`, [old, wanted], {
                    severity: "announced",
                    reason: reason(wanted.access[name]),
                }),
        );

const internalRule = (name: DoorName): Rule =>
    whileOpen(name, "internal", (door) =>
        door.internal
            ? `${WHOM[name]} leave the Internet: clients there are cut off, and addresses that are not fixed become others.`
            : `${WHOM[name]} can be reached ON THE INTERNET from now on, ${whoComes(door)}. The load balancers are made anew: connections end, and addresses that are not fixed become others.`,
    );

const sourcesRule = (name: DoorName): Rule =>
    whileOpen(
        name,
        "sourceRanges",
        (door) =>
            `${WHOM[name]} can be reached ${whoComes(door)} from now on; all others are cut off.`,
    );

const annotationsRule = (name: DoorName): Rule =>
    whileOpen(
        name,
        "annotations",
        () =>
            "the cloud decides by them what kind of load balancer it is: without one that asks for an internal one it may be on the Internet.",
    );

/** Members read their certificate at their start, and nothing of `access` starts one. */
const certified = ({ definition }: Side): string =>
    definition.certificates
        ? " The members' certificate is made anew with it, and each member shows it from its next start on."
        : "";

/** An address has one Service at a time, in the cloud too. */
const addressesRule: Rule = (old, wanted) => {
    const [before, after] = [addressesOf(old), addressesOf(wanted)];
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    const balanced = DOORS.filter((name) => wanted.access[name].type === "LoadBalancer");
    const stays = (key: string) => balanced.some((name) => key.startsWith(name));
    return found(
        ...keys.map((key): Maybe => {
            const [was, is] = [before[key], after[key]];
            const change = { path: `access.${key}`, old: was, new: is };
            const taken = Object.entries(before).find(
                ([holder, address]) => holder !== key && address === is,
            );
            if (was === is) {
                return undefined;
            }
            if (is !== undefined && taken) {
                const reason = `${is} is still the address of ${lastOf(taken[0])}: each Service would wait for what the other has. Take it away in one update and give it in the next.`;
                return { ...change, severity: "refused", reason };
            }
            const gone = was === undefined ? "" : `clients outside that use ${was} are cut off.`;
            const come =
                is !== undefined
                    ? `${lastOf(key)} gets the address ${is}.${certified(wanted)}`
                    : stays(key)
                      ? `The cloud chooses another address for ${lastOf(key)}.`
                      : "";
            return {
                ...change,
                severity: "announced",
                reason: [gone, come].filter(Boolean).join(" "),
            };
        }),
    );
};

const domainRule: Rule = (old, wanted) => {
    if (wanted.layout === "cluster-per-zone") {
        const reason = "members know one another by these names, which are in their data.";
        return found(changeOf("names.domain", [old, wanted], { severity: "refused", reason }));
    }
    const example = (domain: string) => `${wanted.plan.primary.name}.${domain}`;
    const [before, after] = [old.names.domain, wanted.names.domain];
    const reason =
        (before === undefined
            ? ""
            : `nothing says ${example(before)} any more: clients that use such names lose them with their records. `) +
        (after === undefined
            ? ""
            : `members have names such as ${example(after)}: external-dns makes the records, or you do.${certified(wanted)}`);
    return found(
        changeOf("names.domain", [old, wanted], { severity: "announced", reason: reason.trim() }),
    );
};

const nodesRule = announced("access.nodeRanges", (_, wanted) => {
    const { nodeRanges } = surroundingsOf(wanted);
    if (!DOORS.some((name) => isOpen(wanted.access[name]))) {
        return undefined;
    }
    return nodeRanges.length === 0
        ? "the network policy lets every address reach the clients' ports from now on: only load balancers keep sourceRanges."
        : `the network policy lets in nodes of ${nodeRanges.join(", ")}, pods, and sourceRanges: clients that a node outside of these brings are cut off.`;
});

const peersRule = announced("access.peerRanges", (_, wanted) =>
    wanted.access.peerRanges.length === 0
        ? undefined
        : `members take connections of other members from ${wanted.access.peerRanges.join(", ")} from now on: a Kubernetes cluster whose nodes and pods are outside of these is cut off.`,
);

/** What changes of who is let in mean. Nothing of it is in a pod: none restarts anybody. */
export const ACCESS_RULES: RulesOf<
    `access.${DoorName}.${keyof Door}` | "access.nodeRanges" | "access.peerRanges" | "names.domain"
> = {
    "access.members.type": typeRule("members"),
    "access.members.internal": internalRule("members"),
    "access.members.sourceRanges": sourcesRule("members"),
    "access.members.annotations": annotationsRule("members"),
    "access.members.addresses": addressesRule,
    "access.clients.type": typeRule("clients"),
    "access.clients.internal": internalRule("clients"),
    "access.clients.sourceRanges": sourcesRule("clients"),
    "access.clients.annotations": annotationsRule("clients"),
    "access.clients.addresses": addressesRule,
    "access.nodeRanges": nodesRule,
    "access.peerRanges": peersRule,
    "names.domain": domainRule,
};
