// Names that the provider makes up: the resource's name in the program and eight hex digits, so
// that a replacement can be made before what it replaces is deleted.

import { createHash, randomBytes } from "node:crypto";
import { PluginError } from "../grpc-handler.js";
import { isUnknown } from "../property-tree.js";
import { valueAt } from "../property-path.js";
import type { EngineNaming } from "../requests.js";
import { AUTONAMED, isAutonamed } from "./annotations.js";
import { nameOf, setAnnotation, setName, type KubernetesObject } from "./kubernetes-object.js";

const SUFFIX_HEX_DIGITS = 8;

export interface NameSource {
    readonly resourceName: string;
    /** Makes a repeated check of the same step come to the same name; empty means "any name". */
    readonly randomSeed: Uint8Array;
    readonly engine: EngineNaming | undefined;
}

/** Named by the program, also when the name is not known yet. */
export function isNamed(object: KubernetesObject): boolean {
    const name = valueAt(object, ["metadata", "name"]);
    return isUnknown(name) || nameOf(object) !== "";
}

export function usesGenerateName(object: KubernetesObject): boolean {
    const prefix = valueAt(object, ["metadata", "generateName"]);
    return !isNamed(object) && prefix !== undefined && prefix !== null && prefix !== "";
}

function suffix(source: NameSource): string {
    const bytes =
        source.randomSeed.length > 0
            ? createHash("sha256").update(source.randomSeed).update(source.resourceName).digest()
            : randomBytes(SUFFIX_HEX_DIGITS / 2);
    return bytes.toString("hex").slice(0, SUFFIX_HEX_DIGITS);
}

function nameFor(source: NameSource): string {
    if (source.engine?.disabled === true) {
        throw new PluginError(
            "Autonaming is disabled in the stack's configuration (pulumi:autonaming), so the resource needs metadata.name.",
        );
    }
    if (source.engine !== undefined) return source.engine.proposedName;
    return `${source.resourceName}-${suffix(source)}`;
}

/** Metadata or annotations that are not known yet cannot take a name: there the engine asks again. */
function canBeNamed(object: KubernetesObject): boolean {
    return (
        !isUnknown(object["metadata"]) && !isUnknown(valueAt(object, ["metadata", "annotations"]))
    );
}

function nameAs(object: KubernetesObject, name: string): void {
    if (!canBeNamed(object)) return;
    setName(object, name);
    setAnnotation(object, AUTONAMED, "true");
}

/** Names a new object that has no name. */
export function assignName(object: KubernetesObject, source: NameSource): void {
    if (isNamed(object) || usesGenerateName(object)) return;
    nameAs(object, nameFor(source));
}

/** An object that had a made-up name keeps it. */
export function keepName(object: KubernetesObject, old: KubernetesObject): void {
    if (!isNamed(object) && isAutonamed(old)) nameAs(object, nameOf(old));
}
