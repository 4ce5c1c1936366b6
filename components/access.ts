// Who reaches the members in one Kubernetes cluster: the Services of clients and peers, the members' addresses outside, the
// network policy and the disruption budgets.

import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { ClientService, Engine, JobFacts, Port } from "./engines/engine";
import {
    clusterLabels,
    componentLabels,
    memberLabels,
    memberSelector,
    objectNames,
    oneMemberSelector,
} from "./names";
import { registerNetworkPolicy } from "./network-policy";
import {
    endpointName,
    entranceOf,
    externalName,
    isOpen,
    outsideOf,
    type Surroundings,
} from "./outside";
import type { Site } from "./site";
import { MAIN_ROLE, type Member, type Role } from "./topology";

export interface AccessArgs {
    readonly engine: Engine;
    readonly facts: JobFacts;
    readonly surroundings: Surroundings;
    readonly site: Pick<Site, "named" | "has">;
    readonly namespace: pulumi.Resource;
}

/** The same inside of the component. */
interface Context extends AccessArgs {
    readonly parent: pulumi.Resource;
}

/** Access in Pulumi's tree. */
export class Access extends pulumi.ComponentResource {
    /** What members need of the network before they start. */
    public readonly foundation: readonly pulumi.Resource[];
    /** Where the Services of clients are reached from outside, by the endpoint's name; empty where nobody is let in. */
    public readonly endpoints: Readonly<Record<string, pulumi.Output<string>>>;
    /** Where members are reached from outside. */
    public readonly external: ReadonlyMap<Member, pulumi.Output<string>>;

    public constructor(args: AccessArgs, opts: pulumi.ComponentResourceOptions) {
        const { facts, site } = args;
        const { spec, ofRole } = facts;
        super("quorum:index:Access", site.named(`${spec.name}-access`), {}, opts);
        const context = { ...args, parent: this };
        const { clients, members } = spec.access;
        const peers = registerPeers(context);
        const plans = args.engine.services;
        const services = plans.map((plan) => registerService(context, plan));
        for (const role of args.engine.roles) {
            registerBudget(context, role);
        }
        registerNetworkPolicy(context);
        this.endpoints = isOpen(clients)
            ? Object.fromEntries(
                  plans.map((plan, index) => [endpointName(plan), outsideOf(services[index]!)]),
              )
            : {};
        this.external = new Map(
            // Only these serve clients.
            (isOpen(members) ? ofRole(MAIN_ROLE) : [])
                .filter(site.has)
                .map((member) => [member, outsideOf(registerExternal(context, member))]),
        );
        this.foundation = [peers, ...services];
        this.registerOutputs();
    }
}

/** By it members find one another. */
function registerPeers({ engine, facts, site, namespace, parent }: Context): pulumi.Resource {
    const { spec } = facts;
    const names = objectNames(spec);
    return new k8s.core.v1.Service(
        site.named(names.peers),
        {
            metadata: {
                name: names.peers,
                namespace: spec.namespace,
                labels: componentLabels(spec, "peers"),
            },
            spec: {
                clusterIP: "None",
                // Members must find one another before anyone is ready.
                publishNotReadyAddresses: true,
                selector: memberSelector(spec),
                ports: servicePorts(engine.ports(spec)),
            },
        },
        { parent, dependsOn: [namespace] },
    );
}

/** Each role has a quorum of its own, so each has a budget of its own; that of a pinned role is always one. */
function registerBudget({ engine, facts, site, namespace, parent }: Context, role: Role): void {
    const { spec } = facts;
    const name = [spec.name, ...(role.name === MAIN_ROLE ? [] : [role.name])].join("-");
    const several = engine.roles.length > 1;
    new k8s.policy.v1.PodDisruptionBudget(
        site.named(`${name}-budget`),
        {
            metadata: { name, namespace: spec.namespace, labels: clusterLabels(spec) },
            spec: {
                maxUnavailable: role.pinned ? 1 : spec.maxUnavailable,
                selector: {
                    matchLabels: {
                        ...memberSelector(spec),
                        ...(several && { "quorum.dev/role": role.name }),
                    },
                },
            },
        },
        { parent, dependsOn: [namespace] },
    );
}

const servicePorts = (ports: readonly Port[]) =>
    ports.map(({ name, port }) => ({ name, port, targetPort: port, protocol: "TCP" }));

function registerService(
    { facts, site, namespace, parent }: Context,
    plan: ClientService,
): k8s.core.v1.Service {
    const { spec } = facts;
    const name = `${spec.name}${plan.suffix}`;
    const labels = componentLabels(spec, "client");
    const { target } = plan;
    const { clients } = spec.access;
    const address = clients.addresses[endpointName(plan)];
    const entrance = entranceOf(spec, clients, { ...(address !== undefined && { address }) });
    const options = { parent, dependsOn: [namespace] };
    return new k8s.core.v1.Service(
        site.named(`${name}-clients`),
        {
            metadata: {
                name,
                namespace: spec.namespace,
                labels,
                annotations: entrance.annotations,
            },
            spec: {
                ...entrance.spec,
                ports: servicePorts(plan.ports),
                ...(target.kind !== "leader" && {
                    selector: {
                        ...memberSelector(spec),
                        "quorum.dev/role": MAIN_ROLE,
                        ...(target.kind === "labels" && target.labels),
                    },
                }),
            },
        },
        options,
    );
}

/**
 * A member's Service for clients outside. It leads to the member when that is ready, and not before: the members talk to
 * one another inside, and clients must not be sent to one that is not caught up. Where members are in several Kubernetes
 * clusters it is how they find one another, before anyone is ready and at every port.
 */
function registerExternal(
    { engine, facts, surroundings, namespace, parent }: Context,
    member: Member,
): k8s.core.v1.Service {
    const { spec } = facts;
    const name = `${member.name}-external`;
    const address = surroundings.addressOf(member);
    const hostname = externalName(spec, member);
    const fixed = {
        ...(address !== undefined && { address }),
        ...(hostname !== undefined && { hostname }),
    };
    const entrance = entranceOf(spec, spec.access.members, fixed, surroundings.peerRanges);
    const ports = engine.ports(spec);
    const carriesPeers = spec.layout === "cluster-per-zone";
    return new k8s.core.v1.Service(
        name,
        {
            metadata: {
                name,
                namespace: spec.namespace,
                labels: memberLabels(spec, member),
                annotations: entrance.annotations,
            },
            spec: {
                ...entrance.spec,
                ...(carriesPeers && { publishNotReadyAddresses: true }),
                selector: oneMemberSelector(spec, member),
                ports: servicePorts(
                    carriesPeers ? ports : ports.filter(({ scope }) => scope === "client"),
                ),
            },
        },
        { parent, dependsOn: [namespace] },
    );
}
