// What the suites of the Kubernetes stand-in share: a provider on a real API server, short ways to
// make objects, and the tests' own hand in the cluster (another client, or a controller's).

import { randomBytes } from "node:crypto";
import { expect } from "vitest";
import { plainObject, type Tree, type TreeObject } from "../../../sandbox/pulumi/property-tree.js";
import { isNotFound } from "../../../sandbox/pulumi/resource-kubernetes/api-error.js";
import { kubernetesService } from "../../../sandbox/pulumi/resource-kubernetes/service.js";
import type { ControlPlane } from "../control-plane.js";
import {
    ProviderFailure,
    startProvider,
    urnOf,
    type ProviderUnderTest,
} from "../provider-client.js";

/** Kinds that the tests use: type token -> apiVersion, kind, path below the namespace. */
const KINDS = {
    configMap: ["kubernetes:core/v1:ConfigMap", "v1", "ConfigMap", "configmaps"],
    secret: ["kubernetes:core/v1:Secret", "v1", "Secret", "secrets"],
    service: ["kubernetes:core/v1:Service", "v1", "Service", "services"],
    pod: ["kubernetes:core/v1:Pod", "v1", "Pod", "pods"],
    claim: [
        "kubernetes:core/v1:PersistentVolumeClaim",
        "v1",
        "PersistentVolumeClaim",
        "persistentvolumeclaims",
    ],
    statefulSet: ["kubernetes:apps/v1:StatefulSet", "apps/v1", "StatefulSet", "statefulsets"],
    deployment: ["kubernetes:apps/v1:Deployment", "apps/v1", "Deployment", "deployments"],
    daemonSet: ["kubernetes:apps/v1:DaemonSet", "apps/v1", "DaemonSet", "daemonsets"],
    job: ["kubernetes:batch/v1:Job", "batch/v1", "Job", "jobs"],
    namespace: ["kubernetes:core/v1:Namespace", "v1", "Namespace", "namespaces"],
    volume: ["kubernetes:core/v1:PersistentVolume", "v1", "PersistentVolume", "persistentvolumes"],
    storageClass: [
        "kubernetes:storage.k8s.io/v1:StorageClass",
        "storage.k8s.io/v1",
        "StorageClass",
        "storageclasses",
    ],
    definition: [
        "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition",
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        "customresourcedefinitions",
    ],
} as const;

export type KindName = keyof typeof KINDS;

const CLUSTER_SCOPED = new Set<KindName>(["namespace", "volume", "storageClass", "definition"]);

export interface Made {
    readonly urn: string;
    readonly id: string;
    /** As the engine keeps them. */
    readonly inputs: TreeObject;
    readonly state: TreeObject;
}

/** A label that no other object of any test has. */
export function uniqueName(prefix: string): string {
    return `${prefix}-${randomBytes(3).toString("hex")}`;
}

export class Bench {
    private constructor(
        readonly plane: ControlPlane,
        readonly provider: ProviderUnderTest,
        /** Where the tests put what they make. */
        readonly namespace: string,
    ) {}

    static async start(plane: ControlPlane, configuration: TreeObject = {}): Promise<Bench> {
        const provider = await startProvider(kubernetesService);
        await provider.configure({ kubeconfig: plane.kubeconfig, ...configuration });
        const namespace = uniqueName("test");
        await plane.api.request({
            method: "POST",
            path: "/api/v1/namespaces",
            body: { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
        });
        return new Bench(plane, provider, namespace);
    }

    stop(): void {
        this.provider.stop();
    }

    urn(kind: KindName, name: string): string {
        return urnOf(KINDS[kind][0], name);
    }

    /** An object as a program declares it; with `name` undefined the provider must name it. */
    declare(kind: KindName, name: string | undefined, rest: TreeObject): TreeObject {
        const [, apiVersion, objectKind] = KINDS[kind];
        const metadata = { ...(rest["metadata"] as TreeObject | undefined) };
        if (name !== undefined) metadata["name"] = name;
        if (!CLUSTER_SCOPED.has(kind)) metadata["namespace"] = this.namespace;
        return { apiVersion, kind: objectKind, ...rest, metadata };
    }

    /** What the engine does for a new resource. */
    async make(
        kind: KindName,
        name: string,
        rest: TreeObject,
        options: { timeout?: number } = {},
    ): Promise<Made> {
        const urn = this.urn(kind, name);
        const inputs = await this.provider.check(urn, this.declare(kind, name, rest));
        const { id, properties } = await this.provider.create(urn, inputs, options);
        return { urn, id, inputs, state: properties };
    }

    /** What the engine does for a resource that is in the state: check, diff. */
    async plan(
        made: Made,
        kind: KindName,
        name: string | undefined,
        rest: TreeObject,
        ignoreChanges: string[] = [],
    ) {
        const news = await this.provider.check(
            made.urn,
            this.declare(kind, name, rest),
            made.inputs,
        );
        return this.provider.diff(made.urn, made.state, news, { ignoreChanges });
    }

    async change(
        made: Made,
        kind: KindName,
        name: string | undefined,
        rest: TreeObject,
        options: { ignoreChanges?: string[]; timeout?: number; preview?: boolean } = {},
    ): Promise<Made> {
        const inputs = await this.provider.check(
            made.urn,
            this.declare(kind, name, rest),
            made.inputs,
        );
        const state = await this.provider.update(made.urn, made.state, inputs, options);
        return { ...made, inputs, state };
    }

    /** What the engine does in a refresh. */
    async refresh(made: Made): Promise<Made> {
        const found = await this.provider.read(made.urn, made.id, made.state, made.inputs);
        return { urn: made.urn, id: found.id, inputs: found.inputs, state: found.properties };
    }

    async remove(made: Made, timeout = 0): Promise<void> {
        await this.provider.delete(made.urn, made.id, made.state, timeout);
    }

    #path(kind: KindName, name: string): string {
        const [, apiVersion, , resource] = KINDS[kind];
        const group = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
        const scope = CLUSTER_SCOPED.has(kind) ? "" : `/namespaces/${this.namespace}`;
        return `${group}${scope}/${resource}/${name}`;
    }

    /** The object as it is in the cluster; undefined when there is none. */
    async live(kind: KindName, name: string): Promise<TreeObject | undefined> {
        try {
            return await this.plane.api.json({ method: "GET", path: this.#path(kind, name) });
        } catch (error) {
            if (isNotFound(error)) return undefined;
            throw error;
        }
    }

    /** Another client's hand: a merge patch under its own field manager. */
    async patch(kind: KindName, name: string, patch: TreeObject, manager = "somebody") {
        return this.plane.api.json({
            method: "PATCH",
            path: this.#path(kind, name),
            query: { fieldManager: manager },
            contentType: "application/merge-patch+json",
            body: patch,
        });
    }

    /** A controller's hand: writes status as soon as the object is there. */
    async setStatus(kind: KindName, name: string, status: TreeObject): Promise<void> {
        await until(async () => (await this.live(kind, name)) !== undefined);
        const [, apiVersion, objectKind] = KINDS[kind];
        await this.plane.api.request({
            method: "PATCH",
            path: `${this.#path(kind, name)}/status`,
            query: { fieldManager: "controller" },
            contentType: "application/merge-patch+json",
            body: { apiVersion, kind: objectKind, status },
        });
    }

    /** Puts an object of another owner into the namespace. */
    async put(kind: KindName, name: string, rest: TreeObject): Promise<TreeObject> {
        return this.plane.api.json({
            method: "POST",
            path: this.#path(kind, "").replace(/\/$/, ""),
            query: { fieldManager: "somebody" },
            body: this.declare(kind, name, rest),
        });
    }

    /** A raw request in the namespace, for what has no short way. */
    async raw(method: "POST" | "PATCH", path: string, body: Tree): Promise<void> {
        await this.plane.api.request({
            method,
            path,
            body,
            ...(method === "PATCH" ? { contentType: "application/merge-patch+json" } : {}),
        });
    }
}

/** Asks until it is so; a concurrent test cannot use expect.poll. */
export async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
    const end = Date.now() + 20_000;
    while (!(await holds())) {
        if (Date.now() > end) throw new Error(`Not so after 20 s: ${holds.toString()}`);
        await new Promise((resolve) => setTimeout(resolve, 100));
    }
}

/** The error of a call that must fail. */
export async function failureOf(call: Promise<unknown>): Promise<ProviderFailure> {
    const result = await call.then(
        () => undefined,
        (error: unknown) => error,
    );
    expect(result).toBeInstanceOf(ProviderFailure);
    return result as ProviderFailure;
}

/** A pod template, the least that the API server takes. */
export function template(labels: TreeObject, rest: TreeObject = {}): TreeObject {
    return {
        metadata: { labels },
        spec: { containers: [{ name: "main", image: "localhost/main:1" }], ...rest },
    };
}

export function statefulSetSpec(app: string, rest: TreeObject = {}): TreeObject {
    return {
        replicas: 1,
        serviceName: app,
        selector: { matchLabels: { app } },
        template: template({ app }),
        ...rest,
    };
}

export const SKIP_AWAIT: TreeObject = { annotations: { "pulumi.com/skipAwait": "true" } };

/** The plain value at a path of a state or inputs. */
export function plain(tree: TreeObject): TreeObject {
    return plainObject(tree);
}
