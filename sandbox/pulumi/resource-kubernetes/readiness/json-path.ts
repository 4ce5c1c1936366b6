// JSONPath as pulumi.com/waitFor uses it: .status.phase, $.status.conditions[0].type,
// .status.conditions[?(@.type=="Ready")].status, ['dotted.key'], [*].

import { PluginError } from "../../grpc-handler.js";
import { isObject, type Tree } from "../../property-tree.js";

type Step =
    | { readonly kind: "key"; readonly key: string }
    | { readonly kind: "index"; readonly index: number }
    | { readonly kind: "all" }
    | { readonly kind: "filter"; readonly path: readonly Step[]; readonly value: Tree | undefined };

const NEXT =
    /\.?\*|\[\*\]|\.?([A-Za-z_][\w-]*)|\[(-?\d+)\]|\[(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\]|\[\?\(?\s*@((?:\.[\w-]+|\['[^']*'\])+)\s*(?:==\s*("[^"]*"|'[^']*'|[\w.-]+))?\s*\)?\]/gy;

function literal(text: string | undefined): Tree | undefined {
    if (text === undefined) return undefined;
    if (/^["']/.test(text)) return text.slice(1, -1);
    try {
        return JSON.parse(text) as Tree;
    } catch {
        return text;
    }
}

export function parseJsonPath(text: string): readonly Step[] {
    const path = text.replace(/^\$/, "");
    const next = new RegExp(NEXT);
    const steps: Step[] = [];
    while (next.lastIndex < path.length) {
        const found = next.exec(path);
        if (found === null) {
            throw new PluginError(
                `"${text}" is not a JSONPath that the sandbox's stand-in for Pulumi's Kubernetes provider understands.`,
            );
        }
        const [all, key, index, single, double, filter, value] = found;
        const name = key ?? single ?? double;
        if (name !== undefined) steps.push({ kind: "key", key: name.replaceAll(/\\(.)/g, "$1") });
        else if (index !== undefined) steps.push({ kind: "index", index: Number(index) });
        else if (filter !== undefined) {
            steps.push({ kind: "filter", path: parseJsonPath(filter), value: literal(value) });
        } else if (all.includes("*")) steps.push({ kind: "all" });
    }
    return steps;
}

function matches(item: Tree, step: Extract<Step, { kind: "filter" }>): boolean {
    const found = evaluate(step.path, item);
    return step.value === undefined
        ? found.length > 0
        : found.some((value) => value === step.value);
}

function take(value: Tree, step: Step): Tree[] {
    const items = Array.isArray(value) ? value : isObject(value) ? Object.values(value) : [];
    switch (step.kind) {
        case "key":
            return isObject(value) && value[step.key] !== undefined ? [value[step.key]!] : [];
        case "index":
            return Array.isArray(value) ? value.slice(step.index).slice(0, 1) : [];
        case "all":
            return items;
        case "filter":
            return items.filter((item) => matches(item, step));
    }
}

/** All values that the path leads to. */
export function evaluate(steps: readonly Step[], root: Tree): Tree[] {
    return steps.reduce<Tree[]>(
        (values, step) => values.flatMap((value) => take(value, step)),
        [root],
    );
}
