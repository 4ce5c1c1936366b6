// The API server as a store of objects: finds where a kind is served, and reads, writes and deletes
// objects of any kind there.

import type { TreeObject } from "../property-tree.js";
import { ApiClient, type ApiAnswer } from "./api-client.js";
import { ApiError, isNotFound } from "./api-error.js";
import type { Propagation } from "./annotations.js";
import {
    nameOf,
    namespaceOf,
    objectsAt,
    textAt,
    type KindOfObject,
    type KubernetesObject,
} from "./kubernetes-object.js";

/** How the API server serves a kind. */
export interface ServedKind {
    /** The plural in the path: statefulsets. */
    readonly resource: string;
    readonly namespaced: boolean;
}

/** The server does not know the kind: mostly a custom resource before its definition. */
export class UnknownKindError extends Error {
    override readonly name = "UnknownKindError";

    constructor(of: KindOfObject) {
        super(`The API server knows no kind "${of.kind}" in version "${of.apiVersion}".`);
    }
}

export interface WriteOptions {
    readonly fieldManager: string;
    readonly dryRun: boolean;
    readonly force?: boolean;
}

export interface Written {
    readonly object: KubernetesObject;
    readonly warnings: readonly string[];
}

function groupPath(apiVersion: string): string {
    return apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

export const kindOfObject = (object: KubernetesObject): KindOfObject => ({
    apiVersion: textAt(object, "apiVersion"),
    kind: textAt(object, "kind"),
});

export class Cluster {
    readonly #served = new Map<string, Promise<Map<string, ServedKind>>>();

    constructor(readonly client: ApiClient) {}

    async #discover(apiVersion: string): Promise<Map<string, ServedKind>> {
        try {
            const list = await this.client.json({ method: "GET", path: groupPath(apiVersion) });
            const resources = objectsAt(list, "resources").filter(
                // Names with a slash are subresources: statefulsets/status has the same kind.
                (resource) => !textAt(resource, "name").includes("/"),
            );
            return new Map(
                resources.map((resource) => [
                    textAt(resource, "kind"),
                    {
                        resource: textAt(resource, "name"),
                        namespaced: resource["namespaced"] === true,
                    },
                ]),
            );
        } catch (error) {
            if (isNotFound(error)) return new Map();
            throw error;
        }
    }

    /** Throws {@link UnknownKindError}. What is not there is asked for again the next time. */
    async servedKind(of: KindOfObject): Promise<ServedKind> {
        let group = this.#served.get(of.apiVersion);
        if (group === undefined) {
            group = this.#discover(of.apiVersion);
            this.#served.set(of.apiVersion, group);
        }
        let served: ServedKind | undefined;
        try {
            served = (await group).get(of.kind);
        } finally {
            if (served === undefined) this.#served.delete(of.apiVersion);
        }
        if (served === undefined) throw new UnknownKindError(of);
        return served;
    }

    async #pathOf(of: KindOfObject, namespace: string, name: string): Promise<string> {
        const served = await this.servedKind(of);
        const scope = served.namespaced
            ? `/namespaces/${encodeURIComponent(namespace === "" ? "default" : namespace)}`
            : "";
        const collection = `${groupPath(of.apiVersion)}${scope}/${served.resource}`;
        return name === "" ? collection : `${collection}/${encodeURIComponent(name)}`;
    }

    /** The object without a namespace where its kind has none (the provider's default may be set). */
    async #fit(object: KubernetesObject): Promise<KubernetesObject> {
        const served = await this.servedKind(kindOfObject(object));
        if (served.namespaced || namespaceOf(object) === "") return object;
        const copy = structuredClone(object);
        Reflect.deleteProperty(copy["metadata"] as TreeObject, "namespace");
        return copy;
    }

    async get(of: KindOfObject, namespace: string, name: string): Promise<KubernetesObject> {
        return this.client.json({ method: "GET", path: await this.#pathOf(of, namespace, name) });
    }

    async getLike(object: KubernetesObject): Promise<KubernetesObject> {
        return this.get(kindOfObject(object), namespaceOf(object), nameOf(object));
    }

    async find(of: KindOfObject, namespace: string, name: string) {
        try {
            return await this.get(of, namespace, name);
        } catch (error) {
            if (isNotFound(error)) return undefined;
            throw error;
        }
    }

    async list(
        of: KindOfObject,
        namespace: string,
        selectors: { readonly labels?: string; readonly fields?: string },
    ): Promise<KubernetesObject[]> {
        const list = await this.client.json({
            method: "GET",
            path: await this.#pathOf(of, namespace, ""),
            query: { labelSelector: selectors.labels, fieldSelector: selectors.fields },
        });
        return objectsAt(list, "items");
    }

    async create(object: KubernetesObject, options: WriteOptions): Promise<Written> {
        const answer = await this.client.request({
            method: "POST",
            path: await this.#pathOf(kindOfObject(object), namespaceOf(object), ""),
            query: {
                fieldManager: options.fieldManager,
                dryRun: options.dryRun ? "All" : undefined,
            },
            body: await this.#fit(object),
        });
        return written(answer);
    }

    /** Server-side apply. */
    async apply(object: KubernetesObject, options: WriteOptions): Promise<Written> {
        const answer = await this.client.request({
            method: "PATCH",
            path: await this.#pathOf(kindOfObject(object), namespaceOf(object), nameOf(object)),
            query: {
                fieldManager: options.fieldManager,
                force: options.force === true ? "true" : undefined,
                dryRun: options.dryRun ? "All" : undefined,
            },
            // JSON is YAML, and the only type the server takes for an apply is this one.
            contentType: "application/apply-patch+yaml",
            body: await this.#fit(object),
        });
        return written(answer);
    }

    /** Replaces the whole object. */
    async replace(object: KubernetesObject, options: WriteOptions): Promise<Written> {
        const answer = await this.client.request({
            method: "PUT",
            path: await this.#pathOf(kindOfObject(object), namespaceOf(object), nameOf(object)),
            query: {
                fieldManager: options.fieldManager,
                dryRun: options.dryRun ? "All" : undefined,
            },
            body: await this.#fit(object),
        });
        return written(answer);
    }

    /** A patch of type merge or json. */
    async patch(
        object: KubernetesObject,
        type: "merge" | "json",
        patch: TreeObject | TreeObject[],
        options: WriteOptions,
    ): Promise<Written> {
        const answer = await this.client.request({
            method: "PATCH",
            path: await this.#pathOf(kindOfObject(object), namespaceOf(object), nameOf(object)),
            query: {
                fieldManager: options.fieldManager,
                dryRun: options.dryRun ? "All" : undefined,
            },
            contentType:
                type === "merge" ? "application/merge-patch+json" : "application/json-patch+json",
            body: patch,
        });
        return written(answer);
    }

    async delete(
        of: KindOfObject,
        namespace: string,
        name: string,
        propagationPolicy: Propagation,
    ): Promise<void> {
        await this.client.request({
            method: "DELETE",
            path: await this.#pathOf(of, namespace, name),
            body: { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy },
        });
    }

    /** The end of a container's log, or "" when there is none to be had. */
    async logTail(
        pod: KubernetesObject,
        container: string,
        lines: number,
        previous: boolean,
    ): Promise<string> {
        const path = await this.#pathOf(
            { apiVersion: "v1", kind: "Pod" },
            namespaceOf(pod),
            nameOf(pod),
        );
        try {
            const answer = await this.client.request({
                method: "GET",
                path: `${path}/log`,
                query: {
                    container,
                    tailLines: String(lines),
                    previous: previous ? "true" : undefined,
                },
                attempts: 1,
            });
            return answer.body.trim();
        } catch {
            // The log only explains a failure; that it cannot be read must not hide the failure.
            return "";
        }
    }

    /** Throws when the server is not there or does not let us in. */
    async probe(): Promise<void> {
        // Few attempts: a plan for a cluster that is not there must not take long.
        await this.client.json({ method: "GET", path: "/version", attempts: 3 });
    }
}

function written(answer: ApiAnswer): Written {
    const object = JSON.parse(answer.body) as KubernetesObject;
    if (object["kind"] === "Status") {
        throw new ApiError(500, "", `The API server answered with a Status instead of the object.`);
    }
    return { object, warnings: answer.warnings };
}
