// Kubernetes quantities: the server rewrites "1024Mi" to "1Gi" and 0.5 to "500m", which is no change.

import type { PropertyPath } from "../property-path.js";
import type { Tree } from "../property-tree.js";

/** Fields whose values (at any depth below) are quantities. */
const QUANTITY_FIELDS: ReadonlySet<string | number> = new Set([
    "capacity",
    "default",
    "defaultRequest",
    "hard",
    "limits",
    "max",
    "min",
    "overhead",
    "requests",
    "sizeLimit",
]);

const BINARY = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const DECIMAL = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];

/** Where the exponent of DECIMAL[0] lies; in this unit every allowed quantity is a whole number. */
const NANO = 9;

/** In billionths, or undefined for what is no quantity. */
export function parseQuantity(value: Tree): bigint | undefined {
    if (typeof value !== "string" && typeof value !== "number") return undefined;
    const found = /^([+-]?)(\d*)\.?(\d*)(?:([eE][+-]?\d+)|([KMGTPE]i)|([numkMGTPE]?))$/.exec(
        String(value),
    );
    if (found === null) return undefined;
    const [, sign, whole = "", fraction = "", exponent, binary, decimal = ""] = found;
    if (whole + fraction === "") return undefined;
    const digits = BigInt(whole + fraction);
    const power =
        exponent === undefined ? (DECIMAL.indexOf(decimal) - 3) * 3 : Number(exponent.slice(1));
    const shift = (binary === undefined ? power : 0) + NANO - fraction.length;
    const factor = binary === undefined ? 1n : 1024n ** BigInt(BINARY.indexOf(binary) + 1);
    const scaled =
        shift >= 0
            ? digits * factor * 10n ** BigInt(shift)
            : (digits * factor) / 10n ** BigInt(-shift);
    return sign === "-" ? -scaled : scaled;
}

/** True for the same quantity in two spellings, at a path where quantities are expected. */
export function isSameQuantity(path: PropertyPath, a: Tree, b: Tree): boolean {
    if (!path.some((part) => QUANTITY_FIELDS.has(part))) return false;
    const [left, right] = [parseQuantity(a), parseQuantity(b)];
    return left !== undefined && left === right;
}
