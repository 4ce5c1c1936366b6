// The other Kubernetes clusters of a database whose zones are clusters of their own (layout `cluster-per-zone`). The cluster
// record is in the first one only, so that all writes to it have one order; members of the others reach it there.

import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Access } from "./access";
import { registerAccount, registerToken, type AccountToken } from "./account";
import type { Engine, JobFacts } from "./engines/engine";
import { deletesClaims } from "./engines/shared";
import type { Files } from "./files";
import { copyCredentials, registerFiles, registerNamespace } from "./foundation";
import { clusterLabels, componentLabels, objectNames } from "./names";
import type { Surroundings } from "./outside";
import type { Platform, ZoneCluster } from "./platforms/platform";
import { SpecError } from "./problems";
import { registerMirror } from "./record";
import { keptBy, type Site } from "./site";
import { homeOf } from "./topology";

/** What is the same in all of them. */
interface Common {
    readonly engine: Engine;
    readonly facts: JobFacts;
    readonly files: Files;
    readonly surroundings: Surroundings;
    readonly credentials: pulumi.Output<Record<string, string>>;
}

export interface RemoteClusterArgs extends Common {
    readonly zone: string;
    readonly keeper: pulumi.ProviderResource | undefined;
    /** How its members reach the cluster record. */
    readonly record: Reach;
}

/** How a pod of one Kubernetes cluster reaches the API server of another. */
export interface Reach extends AccountToken {
    readonly server: pulumi.Input<string>;
}

/** What members stand on in one Kubernetes cluster. */
export interface Place {
    readonly site: Site;
    readonly namespace: pulumi.Resource;
    readonly access: Access;
    /** What they need there before they start, beside what all members need. */
    readonly foundation: readonly pulumi.Resource[];
}

/** Another Kubernetes cluster in Pulumi's tree: what its members stand on. They are below it, too. */
export class RemoteCluster extends pulumi.ComponentResource implements Place {
    public readonly site: Site;
    public readonly namespace: k8s.core.v1.Namespace;
    public readonly access: Access;
    public readonly foundation: readonly pulumi.Resource[];
    /** How the jobs reach it. */
    public readonly token: AccountToken;

    public constructor(args: RemoteClusterArgs, opts: pulumi.ComponentResourceOptions) {
        const { engine, facts, zone, keeper, files, surroundings, credentials, record } = args;
        const { spec } = facts;
        super("quorum:index:RemoteCluster", `${spec.name}-${zone}`, {}, opts);
        const names = objectNames(spec);
        const site: Site = {
            parent: this,
            named: (name) => `${name}-${zone}`,
            kept: keptBy(keeper),
            has: (member) => member.zone === zone,
        };
        const namespace = registerNamespace(spec, site);
        const options = { parent: this, dependsOn: [namespace] };
        const access = new Access(
            { engine, facts, surroundings, site, namespace },
            { parent: this },
        );
        const recordAccess = new k8s.core.v1.Secret(
            site.named(names.recordAccess),
            {
                metadata: {
                    name: names.recordAccess,
                    namespace: spec.namespace,
                    labels: clusterLabels(spec),
                },
                type: "Opaque",
                stringData: {
                    server: record.server,
                    token: record.token,
                    "ca.crt": record.authority,
                },
            },
            options,
        );
        const certificates = engine.certificates
            ? [
                  // The certificates' job fills it.
                  new k8s.core.v1.Secret(
                      site.named(names.certificates),
                      {
                          metadata: {
                              name: names.certificates,
                              namespace: spec.namespace,
                              labels: componentLabels(spec, "certificates"),
                          },
                          type: "Opaque",
                      },
                      { ...options, ignoreChanges: ["data", "stringData"] },
                  ),
              ]
            : [];
        this.site = site;
        this.namespace = namespace;
        this.access = access;
        this.token = registerJobsToken(args, site, options);
        this.foundation = [
            copyCredentials(spec, credentials, namespace, site),
            ...registerFiles(spec, files, namespace, site),
            ...registerMirror({ engine, facts, namespace, parent: access }, site),
            ...access.foundation,
            ...certificates,
            recordAccess,
        ];
        this.registerOutputs();
    }
}

/** Who the jobs are here: they bring certificates, and delete the claims of members that left where that is theirs to do. */
function registerJobsToken(
    { engine, facts }: RemoteClusterArgs,
    site: Site,
    options: pulumi.CustomResourceOptions,
): AccountToken {
    const { spec } = facts;
    const names = objectNames(spec);
    const metadata = {
        name: names.membership,
        namespace: spec.namespace,
        labels: componentLabels(spec, "membership"),
    };
    const rules = [
        ...(engine.certificates
            ? [{ apiGroup: "", resource: "secrets", names: [names.certificates], verbs: ["patch"] }]
            : []),
        ...(deletesClaims(spec)
            ? [{ apiGroup: "", resource: "persistentvolumeclaims", verbs: ["delete"] }]
            : []),
    ];
    return registerToken(
        metadata,
        registerAccount(metadata, rules, options, site.named),
        options,
        site.named,
    );
}

/** Registers all of them, with what the first one has for them. Nothing in layouts with one Kubernetes cluster. */
export function registerRemoteClusters(
    common: Common,
    platform: Platform | undefined,
    options: { readonly parent: pulumi.Resource; readonly dependsOn: pulumi.Resource[] },
): { clusters: RemoteCluster[]; foundation: pulumi.Resource[] } {
    const { facts } = common;
    // Also without members: a member that leaves leaves something to clear away.
    const zones = facts.remoteZones;
    if (zones.length === 0) {
        return { clusters: [], foundation: [] };
    }
    const clusters = platform?.clusters ?? {};
    const missing = facts.spec.zones.filter((zone) => !Object.hasOwn(clusters, zone));
    if (missing.length > 0) {
        const reason = `needs a Kubernetes cluster for each zone, and there is none for ${missing.join(", ")}: give \`kubernetes\`, from existingPlatforms`;
        throw new SpecError([{ path: "layout", value: facts.spec.layout, reason }]);
    }
    const home = clusters[homeOf(facts.spec)!]!;
    const remotes = zones.map((zone) => {
        const { options: onZone, keeper, server } = clusters[zone]!;
        const record = registerReach({ ...common, zone }, home, options);
        const cluster = new RemoteCluster(
            { ...common, zone, keeper, record },
            pulumi.mergeOptions(onZone, { parent: options.parent }),
        );
        return { zone, cluster, reach: { server, ...cluster.token } };
    });
    const reaches = Object.fromEntries(remotes.map(({ zone, reach }) => [zone, reach]));
    return {
        clusters: remotes.map(({ cluster }) => cluster),
        foundation: [registerRemotes(facts, reaches, options)],
    };
}

/** How the members of a zone reach the cluster record: an account of theirs beside it, with its token. */
function registerReach(
    args: Pick<RemoteClusterArgs, "engine" | "facts" | "zone">,
    home: ZoneCluster,
    options: pulumi.CustomResourceOptions,
): Reach {
    const { engine, facts, zone } = args;
    const { spec, members } = facts;
    const metadata = {
        name: `${objectNames(spec).recordAccess}-${zone}`,
        namespace: spec.namespace,
        labels: componentLabels(spec, "member"),
    };
    const someone = members.find((each) => each.zone === zone) ?? facts.first;
    const account = registerAccount(metadata, engine.memberAccess(facts, someone), options);
    return { server: home.server, ...registerToken(metadata, account, options) };
}

/** The Secret by which the jobs reach the other Kubernetes clusters. */
function registerRemotes(
    { spec }: Pick<JobFacts, "spec">,
    remotes: Readonly<Record<string, Reach>>,
    options: pulumi.CustomResourceOptions,
): pulumi.Resource {
    const name = objectNames(spec).remotes;
    const data = Object.entries(remotes).flatMap(([zone, { server, token, authority }]) => [
        [`${zone}.server`, server],
        [`${zone}.token`, token],
        [`${zone}.ca.crt`, authority],
    ]);
    return new k8s.core.v1.Secret(
        name,
        {
            metadata: { name, namespace: spec.namespace, labels: clusterLabels(spec) },
            type: "Opaque",
            stringData: Object.fromEntries(data) as Record<string, pulumi.Input<string>>,
        },
        options,
    );
}
