// What the providers would answer: ids and outputs that are deterministic and tell where they come from.
// Kubernetes objects echo their inputs, random resources get values made from their URN, resources of gcp what
// gcp-outputs.ts says; everything else echoes its inputs and gets what the test adds.

import { createHash } from "node:crypto";
import { isNamespaced } from "./differences.js";
import { kindOf, type Kind } from "./force-new.js";
import { gcpAnswer } from "./gcp-outputs.js";
import { hashOf, type Decision } from "./planner.js";
import { textAt, valueAt } from "./property-path.js";
import type { Registration } from "./registration.js";
import {
    isMap,
    mapWithoutSecrets,
    Secret,
    UNKNOWN,
    withoutSecrets,
    type PropertyMap,
    type Value,
} from "./values.js";

/** Adds outputs that a provider computes, for example a cluster's endpoint. */
export type ComputedOutputs = (registration: Registration) => PropertyMap | undefined;

export interface OutputContext {
    preview: boolean;
    /** Previews: nothing is known of what would be created, not even an echo of its inputs. */
    unknown: boolean;
    computed: ComputedOutputs;
    /** The inputs of the resource's provider ({} for a default provider that is not configured). */
    providerInputs: PropertyMap;
}

export interface Answer {
    id: string;
    outputs: PropertyMap;
}

/** The answer to one step on a custom resource. */
export function answerOf(
    registration: Registration,
    decision: Decision,
    context: OutputContext,
): Answer {
    const { operation, old } = decision;
    if (operation === "same" && old !== undefined) {
        return { id: old.id, outputs: old.outputs };
    }
    const isNew = old === undefined || operation === "create" || operation === "replace";
    if (isNew && context.preview && context.unknown) {
        return { id: "", outputs: {} };
    }
    // A preview knows of a new resource what it was given; ids and computed values come with the update.
    const early = isNew && context.preview;
    const gcp = gcpAnswer(registration, context.providerInputs, early);
    const outputs = {
        ...(isNew ? {} : old.outputs),
        ...echoOf(registration, early),
        ...(early ? {} : computedBy(registration, isNew)),
        ...gcp?.outputs,
        ...(early ? {} : context.computed(registration)),
    };
    const id = early ? "" : isNew ? (gcp?.id ?? newId(registration)) : old.id;
    return { id, outputs: sealed(registration, outputs) };
}

function echoOf(registration: Registration, early: boolean): PropertyMap {
    const inputs = registration.checkedInputs;
    const metadata = inputs["metadata"];
    if (kindOf(registration.type) === undefined || early || !isMap(metadata)) {
        return inputs;
    }
    const hash = hashOf(registration, "uid");
    const uid = `${hash.slice(0, 8)}-${hash.slice(8, 12)}-4${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
    return { ...inputs, metadata: { ...metadata, uid } };
}

function computedBy(registration: Registration, isNew: boolean): PropertyMap {
    const kind = kindOf(registration.type);
    if (kind?.kind === "Secret") {
        return { data: dataOf(registration.checkedInputs) };
    }
    if (kind !== undefined) {
        return statusOf(registration, kind);
    }
    return isNew ? randomValue(registration) : {};
}

/** A Secret as the API server keeps it: everything encoded, under `data`. */
function dataOf(inputs: PropertyMap): Secret {
    const { stringData, data, type } = mapWithoutSecrets(inputs);
    if (type === "kubernetes.io/service-account-token") {
        // Kubernetes' own controller fills it.
        const made = { token: "an account's token", "ca.crt": "a CA", namespace: "a namespace" };
        return new Secret(
            Object.fromEntries(
                Object.entries(made).map(([key, text]) => [
                    key,
                    Buffer.from(text).toString("base64"),
                ]),
            ),
        );
    }
    const text = Object.entries(isMap(stringData) ? stringData : {}).map(
        ([key, value]): [string, Value] => [
            key,
            typeof value === "string" ? Buffer.from(value).toString("base64") : value,
        ],
    );
    return new Secret({ ...(isMap(data) ? data : {}), ...Object.fromEntries(text) });
}

function statusOf(registration: Registration, kind: Kind): PropertyMap {
    const type = valueAt(registration.checkedInputs, "spec.type");
    if (kind.kind !== "Service" || type !== "LoadBalancer") {
        return {};
    }
    const bytes = createHash("sha256").update(registration.urn).digest();
    const ip = `10.${bytes[0]!}.${bytes[1]!}.${bytes[2]!}`;
    return { status: { loadBalancer: { ingress: [{ ip }] } } };
}

function newId(registration: Registration): string {
    const { type, name, checkedInputs } = registration;
    const kind = kindOf(type);
    if (kind !== undefined) {
        const objectName = textAt(checkedInputs, "metadata.name");
        return isNamespaced(kind)
            ? `${textAt(checkedInputs, "metadata.namespace")}/${objectName}`
            : objectName;
    }
    if (type === "random:index/randomPassword:RandomPassword") {
        return "none";
    }
    const random = randomValue(registration);
    const text = random["result"] ?? random["hex"] ?? random["id"];
    if (typeof text === "string") {
        return text;
    }
    return `${type.split(":").at(-1)!}/${name}/${hashOf(registration).slice(0, 8)}`;
}

/**
 * The value of a random resource. It is made from letters and digits only, begins with the resource's own
 * name where there is room, and is as long as asked for.
 */
function randomValue(registration: Registration): PropertyMap {
    const [, kind] = /^random:index\/(\w+):/.exec(registration.type) ?? [];
    const hash = hashOf(
        registration,
        JSON.stringify(withoutSecrets(registration.inputs["keepers"] ?? null)),
    );
    const length = Number(valueAt(registration.inputs, "length") ?? 16);
    const text = textOfLength(registration.name, hash, length);
    switch (kind) {
        case "randomPassword":
            return {
                result: new Secret(text),
                bcryptHash: new Secret(`$2a$10$${hash.slice(0, 53)}`),
            };
        case "randomString":
            return { result: text };
        case "randomInteger":
            return { result: integerBetween(registration.inputs, hash) };
        case "randomUuid":
            return {
                result: `${hash.slice(0, 8)}-${hash.slice(8, 12)}-4${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`,
            };
        case "randomBytes": {
            const bytes = bytesOf(hash, length);
            return {
                base64: new Secret(bytes.toString("base64")),
                hex: new Secret(bytes.toString("hex")),
            };
        }
        case "randomId": {
            const bytes = bytesOf(hash, Number(valueAt(registration.inputs, "byteLength") ?? 8));
            return {
                hex: bytes.toString("hex"),
                b64Std: bytes.toString("base64"),
                b64Url: bytes.toString("base64url"),
                dec: BigInt(`0x${bytes.toString("hex")}`).toString(),
            };
        }
        case "randomPet":
            return { id: `fake-pet-${hash.slice(0, 6)}` };
        default:
            return {};
    }
}

function textOfLength(name: string, hash: string, length: number): string {
    const readable = name.replace(/[^A-Za-z0-9]/g, "");
    const distinct = hash.slice(0, Math.min(12, length));
    const head = readable.slice(0, length - distinct.length);
    return (head + distinct).padEnd(length, hash);
}

function bytesOf(hash: string, length: number): Buffer {
    return Buffer.alloc(length, Buffer.from(hash, "hex"));
}

function integerBetween(inputs: PropertyMap, hash: string): number {
    const [min, max] = [Number(inputs["min"] ?? 0), Number(inputs["max"] ?? 1_000_000)];
    return min + (Number.parseInt(hash.slice(0, 8), 16) % (max - min + 1));
}

/** Marks secret what was secret on the way in, and what the resource's options ask for. */
function sealed(registration: Registration, outputs: PropertyMap): PropertyMap {
    const isSecret = (key: string): boolean =>
        registration.additionalSecretOutputs.includes(key) ||
        registration.checkedInputs[key] instanceof Secret;
    const entries = Object.entries(outputs).map(([key, value]): [string, Value] => [
        key,
        isSecret(key) && value !== UNKNOWN && !(value instanceof Secret)
            ? new Secret(value)
            : value,
    ]);
    return Object.fromEntries(entries);
}
