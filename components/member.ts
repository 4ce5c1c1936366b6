// One member: its disk, its Service, its service account and its StatefulSet of one replica.

import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { registerAccount } from "./account";
import type { ContainerPlan, Engine, JobFacts, PodFacts } from "./engines/engine";
import { memberLabels, memberSelector, oneMemberSelector } from "./names";
import { PLATFORMS } from "./platforms";
import { container, inZones, layTools, podSecurity, reachingRecord, volumes } from "./pod";
import type { Disk, Storage } from "./storage/driver";
import type { Member } from "./topology";

/** Beyond the time of the membership job, which gives up on a member that has not joined by then: an update ends with it. */
const MARGIN_SECONDS = 60;

export interface MemberArgs {
    readonly engine: Engine;
    readonly facts: JobFacts;
    readonly member: Member;
    readonly storage: Storage;
    /** Hash over what the pod reads at its start: another value restarts it. */
    readonly checksum: string;
    /** What must exist before the pod can start: namespace, credentials, configuration, peers Service, and a check that passed. */
    readonly foundation: readonly pulumi.Resource[];
    /** The members before this one in the chain: they are ready before this one is touched. */
    readonly after: readonly MemberResource[];
}

/** A member in Pulumi's tree: all that belongs to it and goes with it. */
export class MemberResource extends pulumi.ComponentResource {
    public readonly disk: Disk;
    public readonly set: k8s.apps.v1.StatefulSet;

    public constructor(args: MemberArgs, opts: pulumi.ComponentResourceOptions) {
        const { engine, facts, member, foundation, after } = args;
        super("quorum:index:Member", member.name, {}, opts);
        const { spec } = facts;
        const labels = memberLabels(spec, member);
        const metadata = { name: member.name, namespace: spec.namespace, labels };
        const options = { parent: this, dependsOn: [...foundation] };
        this.disk = args.storage.diskOf(member, this);

        // Members must find one another before anyone is ready: the address resolves from the pod's first second.
        const service = new k8s.core.v1.Service(
            `${member.name}-service`,
            {
                metadata,
                spec: {
                    clusterIP: "None",
                    publishNotReadyAddresses: true,
                    selector: oneMemberSelector(spec, member),
                    ports: engine
                        .ports(spec)
                        .map(({ name, port }) => ({ name, port, targetPort: port })),
                },
            },
            options,
        );

        const account = registerAccount(metadata, engine.memberAccess(facts, member), options);
        const timeout = `${spec.membershipTimeout + MARGIN_SECONDS}s`;
        this.set = new k8s.apps.v1.StatefulSet(
            member.name,
            {
                metadata,
                spec: {
                    replicas: 1,
                    // Set once and never exposed: the provider replaces a StatefulSet whose history limit changes.
                    revisionHistoryLimit: 3,
                    // Parallel: an update also replaces a pod that never became ready (kubernetes#67250), so that a wrong
                    // image is mended by setting the right one.
                    podManagementPolicy: "Parallel",
                    serviceName: member.name,
                    selector: { matchLabels: oneMemberSelector(spec, member) },
                    template: podTemplate({
                        ...args,
                        claim: this.disk.claim,
                        account: account.name,
                    }),
                },
            },
            {
                parent: this,
                dependsOn: [
                    ...foundation,
                    ...this.disk.dependencies,
                    ...account.dependencies,
                    service,
                    ...after,
                ],
                customTimeouts: { create: timeout, update: timeout },
            },
        );
        this.registerOutputs();
    }
}

/** The pod of a member. What changes it restarts the member. */
export function podTemplate(args: {
    readonly engine: Engine;
    readonly facts: PodFacts;
    readonly member: Member;
    readonly checksum: string;
    readonly claim: pulumi.Input<string>;
    readonly account: pulumi.Input<string>;
}): k8s.types.input.core.v1.PodTemplateSpec {
    const { engine, facts, member, checksum, claim, account } = args;
    const { spec } = facts;
    const plan = engine.member(facts, member);
    const context = { spec, engine, image: facts.image };
    const reaching = (each: readonly ContainerPlan[]) =>
        facts.isRemote(member) ? reachingRecord(spec, each) : each;
    const [init, containers] = [reaching(plan.init), reaching(plan.containers)];
    const plans = [...init, ...containers];
    return {
        metadata: {
            labels: { ...memberLabels(spec, member), ...plan.labels },
            annotations: { "quorum.dev/checksum": checksum },
        },
        spec: {
            serviceAccountName: account,
            automountServiceAccountToken: false,
            enableServiceLinks: false,
            terminationGracePeriodSeconds: plan.graceSeconds,
            securityContext: podSecurity(engine.user, spec.privileged),
            affinity: placement(facts, member),
            ...PLATFORMS[spec.platform].memberPlacement(spec),
            ...(plan.ownNames && {
                hostAliases: [{ ip: "127.0.0.1", hostnames: [...plan.ownNames] }],
            }),
            initContainers: [
                ...layTools(spec, engine, plans),
                ...init.map((step) => container(context, step)),
            ],
            containers: containers.map((each) => container(context, each)),
            volumes: [
                { name: "data", persistentVolumeClaim: { claimName: claim } },
                ...volumes(spec, plans, engine),
            ],
        },
    };
}

/** In its zone, and never on a host with another member of the same role: one lost host is one lost member. */
function placement({ spec }: PodFacts, member: Member): k8s.types.input.core.v1.Affinity {
    return {
        ...inZones([member.zone]),
        podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
                {
                    topologyKey: "kubernetes.io/hostname",
                    labelSelector: {
                        matchLabels: { ...memberSelector(spec), "quorum.dev/role": member.role },
                    },
                },
            ],
        },
    };
}
