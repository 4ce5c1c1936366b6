// ContainerPlan -> Kubernetes: the parts of a pod that are the same for every engine. Everything here passes the
// restricted pod security profile.

import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { PATHS, type ContainerPlan, type Engine, type Probe } from "./engines/engine";
import { objectNames } from "./names";
import type { PodSpec } from "./spec";

type Container = k8s.types.input.core.v1.Container;
type Volume = k8s.types.input.core.v1.Volume;
type VolumeMount = k8s.types.input.core.v1.VolumeMount;

/** What the containers of a pod are rendered from. */
export interface PodContext {
    readonly spec: PodSpec;
    readonly engine: Engine;
    readonly image: pulumi.Input<string>;
}

/** Resources of init steps and helpers that name none. */
const SMALL = { cpu: "10m", memory: "64Mi" };

/** Bound on the tools: curl and openssl with their libraries are 20 MB in Debian. */
const TOOLS_SIZE = "128Mi";

/** Bound on a directory in memory that names none. */
const SCRATCH_SIZE = "64Mi";

/** How long a pod that has no data stays on a node that went away. Kubernetes' own default is 300 s. */
const LOST_NODE_SECONDS = 15;

/** For pods that may as well run elsewhere: they leave a node that went away. */
export const LOST_NODE = ["not-ready", "unreachable"].map((state) => ({
    key: `node.kubernetes.io/${state}`,
    operator: "Exists",
    effect: "NoExecute",
    tolerationSeconds: LOST_NODE_SECONDS,
}));

/** The pod's security: no root, the runtime's default seccomp profile, the disk's group. */
export function podSecurity(
    user: number,
    privileged = false,
): k8s.types.input.core.v1.PodSecurityContext {
    if (privileged) {
        return { runAsUser: 0, runAsGroup: 0, fsGroup: user };
    }
    return {
        runAsNonRoot: true,
        runAsUser: user,
        runAsGroup: user,
        fsGroup: user,
        // A recursive change of ownership at every start would take minutes on a large disk.
        fsGroupChangePolicy: "OnRootMismatch",
        seccompProfile: { type: "RuntimeDefault" },
    };
}

/** One container. */
export function container(context: PodContext, plan: ContainerPlan): Container {
    const { spec } = context;
    const asked = plan.resources === "spec" ? spec.resources : (plan.resources ?? SMALL);
    return {
        name: plan.name,
        image: context.image,
        imagePullPolicy: spec.imagePullPolicy,
        command: [...plan.command],
        env: [
            ...Object.entries(plan.env ?? {}).map(([name, value]) => ({ name, value })),
            { name: "QUORUM_POD_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
        ],
        ...(plan.ports && {
            ports: plan.ports.map(({ name, port }) => ({ name, containerPort: port })),
        }),
        resources: {
            requests: { cpu: asked.cpu, memory: asked.memory },
            limits: { memory: asked.memory },
        },
        securityContext:
            spec.privileged && plan.name === context.engine.container
                ? { privileged: true }
                : {
                      allowPrivilegeEscalation: false,
                      readOnlyRootFilesystem: true,
                      capabilities: { drop: ["ALL"] },
                  },
        ...(plan.startup && { startupProbe: probe(plan.startup) }),
        ...(plan.readiness && { readinessProbe: probe(plan.readiness) }),
        ...(plan.liveness && { livenessProbe: probe(plan.liveness) }),
        ...(plan.preStop && { lifecycle: { preStop: { exec: { command: [...plan.preStop] } } } }),
        volumeMounts: mounts(plan),
    };
}

/** The first step of a pod that uses the tools: it lays them. Nothing for the others. */
export function layTools(
    spec: PodSpec,
    engine: Engine,
    plans: readonly ContainerPlan[],
): Container[] {
    if (!plans.some((plan) => plan.api)) {
        return [];
    }
    const step = { name: "tools", command: ["sh", `${PATHS.scripts}/lay-tools.sh`] };
    const laying = container({ spec, engine, image: spec.toolsImage }, step);
    const mounted = laying.volumeMounts as VolumeMount[];
    return [{ ...laying, volumeMounts: [...mounted, { name: "tools", mountPath: PATHS.tools }] }];
}

/** The containers of a member in another Kubernetes cluster than the record's: who asks for the API also reaches that one. */
export const reachingRecord = (spec: PodSpec, plans: readonly ContainerPlan[]): ContainerPlan[] =>
    plans.map((plan) =>
        plan.api ? withSecret(plan, PATHS.recordAccess, objectNames(spec).recordAccess) : plan,
    );

/** The same of a job that reaches the other Kubernetes clusters. */
export const reachingRemotes = (spec: PodSpec, plan: ContainerPlan): ContainerPlan =>
    withSecret(plan, PATHS.remotes, objectNames(spec).remotes);

const withSecret = (plan: ContainerPlan, path: string, name: string): ContainerPlan => ({
    ...plan,
    secrets: { ...plan.secrets, [path]: name },
});

function probe(plan: Probe): k8s.types.input.core.v1.Probe {
    return {
        ...(plan.command && { exec: { command: [...plan.command] } }),
        ...(plan.http && { httpGet: { ...plan.http } }),
        ...(plan.tcp !== undefined && { tcpSocket: { port: plan.tcp } }),
        periodSeconds: plan.periodSeconds,
        timeoutSeconds: plan.timeoutSeconds,
        failureThreshold: plan.failureThreshold,
    };
}

function mounts(plan: ContainerPlan): VolumeMount[] {
    return [
        { name: "scripts", mountPath: PATHS.scripts, readOnly: true },
        { name: "configuration", mountPath: PATHS.configuration, readOnly: true },
        ...(plan.credentials
            ? [{ name: "credentials", mountPath: PATHS.credentials, readOnly: true }]
            : []),
        ...(plan.certificates
            ? [{ name: "certificates", mountPath: PATHS.certificates, readOnly: true }]
            : []),
        ...Object.entries(plan.secrets ?? {}).map(([mountPath, name]) => ({
            name: `secret-${name}`,
            mountPath,
            readOnly: true,
        })),
        ...(plan.api
            ? [
                  { name: "api", mountPath: PATHS.api, readOnly: true },
                  { name: "tools", mountPath: PATHS.tools, readOnly: true },
              ]
            : []),
        // A directory of its own on the disk: the root of an ext4 file system has a lost+found.
        ...(plan.data ? [{ name: "data", mountPath: plan.data, subPath: "member" }] : []),
        ...Object.entries(plan.scratch ?? {}).map(([name, directory]) => ({
            name: `scratch-${name}`,
            mountPath: typeof directory === "string" ? directory : directory.path,
        })),
        ...Object.entries(plan.files ?? {}).map(([mountPath, key]) => ({
            name: "configuration",
            mountPath,
            subPath: key,
            readOnly: true,
        })),
    ];
}

/** The volumes that the containers of a pod mount, but for the disk. */
export function volumes(spec: PodSpec, plans: readonly ContainerPlan[], engine?: Engine): Volume[] {
    const names = objectNames(spec);
    const scratch = new Map(
        plans
            .flatMap((plan) => Object.entries(plan.scratch ?? {}))
            .map(([name, directory]) => [
                name,
                typeof directory === "string" ? SCRATCH_SIZE : directory.size,
            ]),
    );
    return [
        { name: "scripts", configMap: { name: names.scripts } },
        { name: "configuration", configMap: { name: names.configuration } },
        ...(plans.some((plan) => plan.credentials)
            ? [
                  {
                      name: "credentials",
                      secret: { secretName: names.credentials, defaultMode: 0o440 },
                  },
              ]
            : []),
        ...(plans.some((plan) => plan.certificates)
            ? [
                  {
                      name: "certificates",
                      secret: {
                          secretName: names.certificates,
                          items: engine?.certificates?.mounted.map((key) => ({ key, path: key })),
                          defaultMode: 0o440,
                      },
                  },
              ]
            : []),
        ...[...new Set(plans.flatMap((plan) => Object.values(plan.secrets ?? {})))].map(
            (secretName) => ({
                name: `secret-${secretName}`,
                secret: { secretName, defaultMode: 0o440 },
            }),
        ),
        ...(plans.some((plan) => plan.api)
            ? [
                  { name: "api", projected: { sources: API_SOURCES } },
                  { name: "tools", emptyDir: { sizeLimit: TOOLS_SIZE } },
              ]
            : []),
        ...[...scratch].map(([name, sizeLimit]) => ({
            name: `scratch-${name}`,
            emptyDir: { medium: "Memory", sizeLimit },
        })),
    ];
}

/** What a client of the API server needs; only containers that use it mount it. */
const API_SOURCES: k8s.types.input.core.v1.VolumeProjection[] = [
    { serviceAccountToken: { path: "token", expirationSeconds: 3600 } },
    { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
    {
        downwardAPI: {
            items: [{ path: "namespace", fieldRef: { fieldPath: "metadata.namespace" } }],
        },
    },
];

/** Annotations of a Job that the next update shall run again when it failed (Kubernetes provider 4.x). */
export const REPLACED_WHEN_FAILED = { "pulumi.com/replaceUnready": "true" };

/** The part of a pod's affinity that keeps it in these zones. */
export function inZones(
    zones: readonly string[],
): Pick<k8s.types.input.core.v1.Affinity, "nodeAffinity"> {
    const expression = {
        key: "topology.kubernetes.io/zone",
        operator: "In",
        values: [...zones],
    };
    return {
        nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
                nodeSelectorTerms: [{ matchExpressions: [expression] }],
            },
        },
    };
}
