// The add-on Kine: the etcd interface over this cluster's database, so that a Kubernetes control plane (kube-apiserver,
// K3s) keeps everything in it. Kine has no state of its own; what only one database needs is in `engine.kine`.

import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { createHash } from "crypto";
import { readdirSync, readFileSync } from "fs";
import * as path from "path";
import { registerAccount } from "../account";
import { engineOf } from "../engines";
import { at } from "../input";
import { KINE_DATABASE, KINE_USER, PATHS, type Engine, type KinePart } from "../engines/engine";
import { registerJob } from "../job";
import { componentLabels, serviceAddress } from "../names";
import { inZones, LOST_NODE, podSecurity } from "../pod";
import type { Problem } from "../problems";
import { announced, type RulesOf } from "../rules/rule";
import { ENGINE_NAMES, type ClusterSpec, type CompleteSpec } from "../spec";
import type { AddOn, AddOnArgs } from "./addon";

/** etcd's client port. */
const PORT = 2379;
const METRICS_PORT = 8080;
/** The user `nobody` of Kine's image. */
const NOBODY = 65534;
/** Kine's memory grows with the largest answer: a list of all objects of a kind. */
const RESOURCES = { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "512Mi" } };
/** Letters and digits only: it stands in a URL and in SQL. */
const PASSWORD_LENGTH = 32;

/**
 * Connections to the database of all instances together; without a bound Kine takes as many as there are requests.
 * Kine's own measurements: 10 to 15 are in use under moderate load (pkg/drivers/generic). PostgreSQL takes 100 by
 * default and MySQL 151, and the applications want some.
 */
const POOL = 40;
/**
 * A connection that outlived a change of the primary goes on reading at a member that leads no more. Nothing closes it
 * but this.
 */
const CONNECTION_LIFETIME = "60s";

/** Kine asks the database for 300 s before it gives up (pkg/drivers/generic, OpenDB); it listens after that. */
const STARTUP_SECONDS = 330;
/** Kine lets requests finish for 2 s (pkg/endpoint, GracefulStopTimeout). */
const GRACE_SECONDS = 15;
/** Bound on making certificates. */
const CERTIFICATES_SECONDS = 300;

/** What users of Kine need. */
export interface KineOutput {
    /** For `kube-apiserver --etcd-servers`. */
    endpoint: pulumi.Output<string>;
    /** For K3s, which brings a Kine of its own: the whole option, with the database's password. A secret. */
    datastoreEndpoint: pulumi.Output<string>;
    /** Name of the Secret with ca.crt, client.crt and client.key, for whoever connects. */
    certificates: pulumi.Output<string>;
}

const namesOf = (spec: ClusterSpec) => ({
    kine: `${spec.name}-kine`,
    database: `${spec.name}-kine-database`,
    certificates: `${spec.name}-kine-certificates`,
    scripts: `${spec.name}-kine-scripts`,
});

function problems(input: unknown, isNamed: boolean): Problem[] {
    const [part, database] = [at(input, ["kine"]), at(input, ["database"])];
    if (isNamed) {
        const reason = "is the name of Kine's own database and user: choose another";
        return database === KINE_DATABASE ? [{ path: "database", value: database, reason }] : [];
    }
    const reason = 'belongs to the add-on kine: add it, quorum:addons ["kine"], or remove this';
    return part === undefined ? [] : [{ path: "kine", value: part, reason }];
}

function engineProblems(spec: CompleteSpec, engine: Engine): Problem[] {
    if (engine.kine) {
        return engine.kine.validate(spec);
    }
    const able = ENGINE_NAMES.filter((name) => engineOf(name).kine);
    const reason = `${engine.title} cannot carry Kine, which needs ${able.join(" or ")}`;
    return [{ path: "addons", value: spec.addons, reason }];
}

/** What changes of the add-on's keys mean. */
const changes: RulesOf<"kine.image" | "kine.replicas"> = {
    "kine.image": announced("kine.image", (old, wanted) =>
        old.kine && wanted.kine ? "Kine's instances are restarted one after the other." : undefined,
    ),
    "kine.replicas": "Kine's instances keep nothing: all is in the database",
};

/** The add-on `kine`. */
export const kine = {
    problems,
    engineProblems,
    changes,
    removal:
        "Kine is removed with its certificates: EVERY CONTROL PLANE THAT USES IT STOPS, and one that comes back needs certificates of another CA. Its database stays.",
    register: (args, opts) => new Kine(args, opts).output,
} satisfies AddOn<KineOutput> & { changes: unknown };

/** Everything of the add-on is registered with these. */
interface Context extends AddOnArgs {
    readonly parent: pulumi.Resource;
    readonly part: KinePart;
    readonly metadata: { readonly namespace: string; readonly labels: Record<string, string> };
}

/** Kine in Pulumi's tree. */
export class Kine extends pulumi.ComponentResource {
    /** Known once Kine is ready. */
    public readonly output: KineOutput;

    public constructor(args: AddOnArgs, opts: pulumi.ComponentResourceOptions) {
        super("quorum:index:Kine", namesOf(args.facts.spec).kine, {}, opts);
        this.output = registerKine(args, this);
        this.registerOutputs();
    }
}

function registerKine(args: AddOnArgs, parent: pulumi.Resource): KineOutput {
    const { engine, facts, foundation } = args;
    const { spec } = facts;
    const names = namesOf(spec);
    const part = engine.kine;
    if (!part) {
        throw new Error(`${engine.title} carries no Kine: the specification was not validated`);
    }
    const context: Context = {
        ...args,
        parent,
        part,
        metadata: { namespace: spec.namespace, labels: componentLabels(spec, "kine") },
    };
    const scripts = registerScripts(context);
    const service = registerService(context);
    const account = registerDatabaseAccount(context);
    const ready = { ...context, foundation: [...foundation, scripts.resource] };
    const database = registerDatabase(ready, account.secret, scripts.checksum);
    const certificates = registerCertificates(ready, service, scripts.checksum);
    registerNetworkPolicy(context);
    registerBudget(context);
    const deployment = registerDeployment(context, [account.secret, database, certificates]);
    const settled = <T>(value: pulumi.Input<T>): pulumi.Output<T> =>
        pulumi.all([deployment.id, value]).apply(([, known]) => known as T);
    return {
        endpoint: settled(`https://${serviceAddress(spec, names.kine)}:${PORT}`),
        datastoreEndpoint: settled(pulumi.interpolate`--datastore-endpoint='${account.endpoint}'`),
        certificates: settled(names.certificates),
    };
}

/** The engine's scripts for Kine's database, and the one for certificates. */
function registerScripts({ facts, part, foundation, parent, metadata }: Context): {
    resource: pulumi.Resource;
    checksum: string;
} {
    const name = namesOf(facts.spec).scripts;
    const data = Object.fromEntries(
        [path.join(__dirname, "kine"), part.scripts].flatMap((folder) =>
            readdirSync(folder)
                .sort()
                .map((file) => [file, readFileSync(path.join(folder, file), "utf8")]),
        ),
    );
    const resource = new k8s.core.v1.ConfigMap(
        name,
        { metadata: { ...metadata, name }, data },
        { parent, dependsOn: [...foundation] },
    );
    return {
        resource,
        checksum: createHash("sha256").update(JSON.stringify(data)).digest("hex"),
    };
}

function registerService({ facts, foundation, parent, metadata }: Context): k8s.core.v1.Service {
    const name = namesOf(facts.spec).kine;
    return new k8s.core.v1.Service(
        `${name}-service`,
        {
            metadata: {
                ...metadata,
                name,
                // The server's certificate names its address, and Kine starts after that.
                annotations: { "pulumi.com/skipAwait": "true" },
            },
            spec: {
                type: "ClusterIP",
                selector: selectorOf(facts.spec),
                ports: [{ name: "etcd", port: PORT, targetPort: PORT, protocol: "TCP" }],
            },
        },
        { parent, dependsOn: [...foundation] },
    );
}

/** A user of the database for Kine alone. Its Secret is the only place with the password. */
function registerDatabaseAccount({ facts, part, foundation, parent, metadata }: Context): {
    secret: k8s.core.v1.Secret;
    endpoint: pulumi.Output<string>;
} {
    const name = namesOf(facts.spec).database;
    const password = new random.RandomPassword(
        `${facts.spec.name}-kine-password`,
        { length: PASSWORD_LENGTH, special: false },
        { parent },
    );
    const endpoint = pulumi.secret(password.result.apply((value) => part.endpoint(facts, value)));
    const secret = new k8s.core.v1.Secret(
        name,
        {
            metadata: { ...metadata, name },
            type: "Opaque",
            stringData: { password: password.result, endpoint },
        },
        { parent, dependsOn: [...foundation] },
    );
    return { secret, endpoint };
}

/** The job that makes the database, its user and the schema, whatever of them is missing. */
function registerDatabase(
    context: Context,
    secret: k8s.core.v1.Secret,
    checksum: string,
): k8s.batch.v1.Job {
    const { engine, facts, part, database, foundation, parent } = context;
    const { spec } = facts;
    const names = namesOf(spec);
    const scripts = scriptsOf(spec);
    const plan = part.database(facts);
    return registerJob({
        name: names.database,
        engine,
        facts,
        labels: componentLabels(spec, "kine-job"),
        // Other scripts run the job again.
        annotations: { "quorum.dev/checksum": checksum },
        plan: {
            ...plan,
            name: "database",
            command: ["bash", `${PATHS.kine}/database.sh`],
            env: {
                ...plan.env,
                KINE_DATABASE,
                KINE_USER,
                TIMEOUT: `${spec.membershipTimeout}`,
            },
        },
        seconds: spec.membershipTimeout,
        // Every step is safe to run twice.
        retries: 2,
        parent,
        dependsOn: [...foundation, secret, ...database],
        mounts: [
            scripts.mount,
            { name: "password", mountPath: PATHS.kinePassword, readOnly: true },
        ],
        volumes: [
            scripts.volume,
            {
                name: "password",
                secret: {
                    secretName: names.database,
                    items: [{ key: "password", path: "password" }],
                    defaultMode: 0o440,
                },
            },
        ],
    });
}

/**
 * The Secret with certificates, and the job that makes what is missing in it. Pulumi creates the Secret and never
 * looks at its content: the private keys stand in the cluster and not in the stack's state.
 */
function registerCertificates(
    context: Context,
    service: k8s.core.v1.Service,
    checksum: string,
): k8s.batch.v1.Job {
    const { engine, facts, foundation, parent, metadata } = context;
    const { spec } = facts;
    const names = namesOf(spec);
    const scripts = scriptsOf(spec);
    const name = names.certificates;
    const options = { parent, dependsOn: [...foundation] };
    const secret = new k8s.core.v1.Secret(
        name,
        { metadata: { ...metadata, name }, type: "Opaque" },
        { ...options, ignoreChanges: ["data", "stringData"] },
    );
    const account = registerAccount(
        { ...metadata, name },
        [{ apiGroup: "", resource: "secrets", names: [name], verbs: ["get", "patch"] }],
        options,
    );
    return registerJob({
        name,
        engine,
        facts,
        labels: componentLabels(spec, "kine-job"),
        annotations: { "quorum.dev/checksum": checksum },
        plan: {
            name: "certificates",
            command: ["bash", `${PATHS.kine}/certificates.sh`],
            api: true,
            scratch: { tmp: "/tmp" },
            env: {
                QUORUM_CLUSTER: spec.name,
                QUORUM_NAMESPACE: spec.namespace,
                QUORUM_CLUSTER_DOMAIN: spec.clusterDomain,
                QUORUM_RECORD: facts.record,
                SECRET: name,
                SERVICE: names.kine,
                TIMEOUT: `${CERTIFICATES_SECONDS}`,
            },
        },
        env: { SECRET_UID: secret.metadata.uid },
        seconds: CERTIFICATES_SECONDS,
        retries: 2,
        account,
        parent,
        dependsOn: [...foundation, secret, service],
        mounts: [scripts.mount],
        volumes: [scripts.volume],
    });
}

/** What the scripts of Kine's jobs are mounted as. */
const scriptsOf = (spec: ClusterSpec) => ({
    mount: { name: "kine", mountPath: PATHS.kine, readOnly: true },
    volume: { name: "kine", configMap: { name: namesOf(spec).scripts } },
});

const selectorOf = (spec: ClusterSpec): Record<string, string> => ({
    "app.kubernetes.io/instance": spec.name,
    "app.kubernetes.io/component": "kine",
});

const CERTIFICATES = "/etc/kine/certificates";

function kineArguments(replicas: number): string[] {
    const connections = Math.floor(POOL / replicas);
    return [
        `--listen-address=0.0.0.0:${PORT}`,
        `--server-cert-file=${CERTIFICATES}/server.crt`,
        `--server-key-file=${CERTIFICATES}/server.key`,
        // Whoever connects shows a certificate of the same CA: the etcd interface knows no users.
        `--trusted-ca-file=${CERTIFICATES}/ca.crt`,
        `--metrics-bind-address=:${METRICS_PORT}`,
        "--metrics-ignore-tls-config",
        `--datastore-max-open-connections=${connections}`,
        `--datastore-max-idle-connections=${Math.ceil(connections / 2)}`,
        `--datastore-connection-max-lifetime=${CONNECTION_LIFETIME}`,
    ];
}

function registerDeployment(
    { facts, parent, metadata }: Context,
    after: readonly pulumi.Resource[],
): k8s.apps.v1.Deployment {
    const { spec } = facts;
    const { image, replicas } = spec.kine!;
    const names = namesOf(spec);
    const selector = { matchLabels: selectorOf(spec) };
    return new k8s.apps.v1.Deployment(
        names.kine,
        {
            metadata: { ...metadata, name: names.kine },
            spec: {
                replicas,
                revisionHistoryLimit: 3,
                // One more before one goes: the bound on connections is then exceeded by one instance's share.
                strategy: {
                    type: "RollingUpdate",
                    rollingUpdate: { maxSurge: 1, maxUnavailable: 0 },
                },
                selector,
                template: {
                    metadata: { labels: metadata.labels },
                    spec: {
                        automountServiceAccountToken: false,
                        enableServiceLinks: false,
                        terminationGracePeriodSeconds: GRACE_SECONDS,
                        tolerations: LOST_NODE,
                        securityContext: podSecurity(NOBODY),
                        affinity: inZones(spec.zones),
                        topologySpreadConstraints: [
                            {
                                topologyKey: "topology.kubernetes.io/zone",
                                maxSkew: 1,
                                whenUnsatisfiable: "DoNotSchedule",
                                labelSelector: selector,
                                matchLabelKeys: ["pod-template-hash"],
                                // A zone without a living node must not keep instances from the others.
                                nodeTaintsPolicy: "Honor",
                            },
                            {
                                topologyKey: "kubernetes.io/hostname",
                                maxSkew: 1,
                                whenUnsatisfiable: "ScheduleAnyway",
                                labelSelector: selector,
                                matchLabelKeys: ["pod-template-hash"],
                            },
                        ],
                        containers: [
                            {
                                name: "kine",
                                image,
                                imagePullPolicy: spec.imagePullPolicy,
                                args: kineArguments(replicas),
                                env: [
                                    {
                                        name: "KINE_ENDPOINT",
                                        valueFrom: {
                                            secretKeyRef: { name: names.database, key: "endpoint" },
                                        },
                                    },
                                ],
                                ports: [
                                    { name: "etcd", containerPort: PORT },
                                    { name: "metrics", containerPort: METRICS_PORT },
                                ],
                                resources: RESOURCES,
                                securityContext: {
                                    allowPrivilegeEscalation: false,
                                    readOnlyRootFilesystem: true,
                                    capabilities: { drop: ["ALL"] },
                                },
                                // Probes know no client certificate. None asks the database: without one every
                                // instance would leave the Service, and clients would be refused in place of waiting.
                                startupProbe: probe(2, STARTUP_SECONDS / 2),
                                readinessProbe: probe(5, 3),
                                livenessProbe: probe(10, 6),
                                volumeMounts: [
                                    {
                                        name: "certificates",
                                        mountPath: CERTIFICATES,
                                        readOnly: true,
                                    },
                                ],
                            },
                        ],
                        volumes: [
                            {
                                name: "certificates",
                                secret: {
                                    secretName: names.certificates,
                                    // Not the CA's key, which only the job needs.
                                    items: ["ca.crt", "server.crt", "server.key"].map((key) => ({
                                        key,
                                        path: key,
                                    })),
                                    defaultMode: 0o440,
                                },
                            },
                        ],
                    },
                },
            },
        },
        { parent, dependsOn: [...after] },
    );
}

const probe = (periodSeconds: number, failureThreshold: number): k8s.types.input.core.v1.Probe => ({
    tcpSocket: { port: PORT },
    periodSeconds,
    timeoutSeconds: 3,
    failureThreshold,
});

/** Control planes stand outside the pod network: the port is open, and the certificate decides. */
function registerNetworkPolicy({ facts, foundation, parent, metadata }: Context): void {
    const name = namesOf(facts.spec).kine;
    const ports = [PORT, METRICS_PORT].map((port) => ({ port, protocol: "TCP" }));
    new k8s.networking.v1.NetworkPolicy(
        `${name}-ingress`,
        {
            metadata: { ...metadata, name },
            spec: {
                podSelector: { matchLabels: selectorOf(facts.spec) },
                policyTypes: ["Ingress"],
                ingress: [{ ports }],
            },
        },
        { parent, dependsOn: [...foundation] },
    );
}

function registerBudget({ facts, foundation, parent, metadata }: Context): void {
    const name = namesOf(facts.spec).kine;
    new k8s.policy.v1.PodDisruptionBudget(
        `${name}-budget`,
        {
            metadata: { ...metadata, name },
            spec: {
                maxUnavailable: 1,
                selector: { matchLabels: selectorOf(facts.spec) },
            },
        },
        { parent, dependsOn: [...foundation] },
    );
}
