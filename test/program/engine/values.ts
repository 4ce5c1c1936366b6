// Property values: what a program hands to the engine, decoded from the wire into plain JavaScript, and back.
// The signatures are those of the protocol (sdk/go/common/resource in pulumi/pulumi).

const SIGNATURE_KEY = "4dabf18193072939515e22adb298388d";
const SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270";
const RESOURCE_SIGNATURE = "5cf8f73096256a8f31e491e813e4eb8e";
const OUTPUT_SIGNATURE = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
const ASSET_SIGNATURE = "c44067f5952c0a294b673a41bacd8c17";
const ARCHIVE_SIGNATURE = "0def7320c3a5731c473e5ecbe6d01bc7";
/** How the Node SDK writes a value that is not known yet. */
export const UNKNOWN_ON_THE_WIRE = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Stands for a value that is known only after the update (previews only). */
export const UNKNOWN: unique symbol = Symbol("unknown");

/** A value that the program marked secret: the engine would encrypt it in the state. */
export class Secret {
    constructor(readonly value: Value) {}
}

/** A resource passed as a value. */
export class ResourceReference {
    constructor(
        readonly urn: string,
        readonly id: Value,
    ) {}
}

/** A file, text or archive passed as a value. */
export class Asset {
    constructor(
        readonly kind: "asset" | "archive",
        readonly content: PropertyMap,
    ) {}
}

export interface PropertyMap {
    [key: string]: Value;
}
export type Value =
    | null
    | boolean
    | number
    | string
    | typeof UNKNOWN
    | Secret
    | ResourceReference
    | Asset
    | Value[]
    | PropertyMap;

export function isMap(value: Value | undefined): value is PropertyMap {
    return (
        typeof value === "object" &&
        value !== null &&
        !Array.isArray(value) &&
        !(value instanceof Secret) &&
        !(value instanceof ResourceReference) &&
        !(value instanceof Asset)
    );
}

export function decodeProperties(wire: Record<string, unknown> | undefined): PropertyMap {
    const properties: PropertyMap = {};
    for (const [key, value] of Object.entries(wire ?? {})) {
        if (value !== undefined) {
            properties[key] = decodeValue(value);
        }
    }
    return properties;
}

export function decodeValue(wire: unknown): Value {
    if (wire === null || wire === undefined) {
        return null;
    }
    if (typeof wire === "boolean" || typeof wire === "number") {
        return wire;
    }
    if (typeof wire === "string") {
        return wire === UNKNOWN_ON_THE_WIRE ? UNKNOWN : wire;
    }
    if (Array.isArray(wire)) {
        return wire.map(decodeValue);
    }
    if (typeof wire !== "object") {
        throw new Error(`a ${typeof wire} cannot be a property value`);
    }
    const map = wire as Record<string, unknown>;
    return map[SIGNATURE_KEY] === undefined ? decodeProperties(map) : decodeSigned(map);
}

function decodeSigned(map: Record<string, unknown>): Value {
    switch (map[SIGNATURE_KEY]) {
        case SECRET_SIGNATURE:
            return new Secret(decodeValue(map["value"]));
        case OUTPUT_SIGNATURE: {
            const value = map["value"] === undefined ? UNKNOWN : decodeValue(map["value"]);
            return map["secret"] === true ? new Secret(value) : value;
        }
        case RESOURCE_SIGNATURE:
            return new ResourceReference(String(map["urn"]), decodeValue(map["id"]));
        case ASSET_SIGNATURE:
        case ARCHIVE_SIGNATURE: {
            const { [SIGNATURE_KEY]: signature, ...content } = map;
            const kind = signature === ASSET_SIGNATURE ? "asset" : "archive";
            return new Asset(kind, decodeProperties(content));
        }
        default:
            throw new Error(`unknown property signature ${String(map[SIGNATURE_KEY])}`);
    }
}

/** The JavaScript object that `Struct.fromJavaScript` takes. */
export type Wire = null | boolean | number | string | Wire[] | { [key: string]: Wire };

export function encodeProperties(properties: PropertyMap): Record<string, Wire> {
    return Object.fromEntries(
        Object.entries(properties).map(([key, value]) => [key, encodeValue(value)]),
    );
}

export function encodeValue(value: Value): Wire {
    if (value === UNKNOWN) {
        return UNKNOWN_ON_THE_WIRE;
    }
    if (value instanceof Secret) {
        return { [SIGNATURE_KEY]: SECRET_SIGNATURE, value: encodeValue(value.value) };
    }
    if (value instanceof ResourceReference) {
        return {
            [SIGNATURE_KEY]: RESOURCE_SIGNATURE,
            urn: value.urn,
            id: encodeValue(value.id),
        };
    }
    if (value instanceof Asset) {
        const signature = value.kind === "asset" ? ASSET_SIGNATURE : ARCHIVE_SIGNATURE;
        return { ...encodeProperties(value.content), [SIGNATURE_KEY]: signature };
    }
    if (Array.isArray(value)) {
        return value.map(encodeValue);
    }
    return isMap(value) ? encodeProperties(value) : value;
}

/** The same value without secret envelopes, at any depth. */
export function withoutSecrets(value: Value): Value {
    if (value instanceof Secret) {
        return withoutSecrets(value.value);
    }
    if (Array.isArray(value)) {
        return value.map(withoutSecrets);
    }
    return isMap(value) ? mapWithoutSecrets(value) : value;
}

export function mapWithoutSecrets(map: PropertyMap): PropertyMap {
    return Object.fromEntries(
        Object.entries(map).map(([key, value]) => [key, withoutSecrets(value)]),
    );
}

/** Equal at any depth. A secret equals a secret of the same value only; a null entry is no entry. */
export function sameValue(a: Value | undefined, b: Value | undefined): boolean {
    if (a === undefined || b === undefined || typeof a !== "object" || typeof b !== "object") {
        return a === b;
    }
    return JSON.stringify(canonical(a)) === JSON.stringify(canonical(b));
}

function canonical(value: Value): Wire {
    const wire = encodeValue(value);
    const sorted = (part: Wire): Wire => {
        if (Array.isArray(part)) {
            return part.map(sorted);
        }
        if (part !== null && typeof part === "object") {
            const entries = Object.entries(part).filter(([, entry]) => entry !== null);
            entries.sort(([a], [b]) => (a < b ? -1 : 1));
            return Object.fromEntries(entries.map(([key, entry]) => [key, sorted(entry)]));
        }
        return part;
    };
    return sorted(wire);
}
