// The options of `runtime:` in Pulumi.yaml that the Node.js runtime has.

import { PluginError } from "../grpc-handler.js";
import type { Tree, TreeObject } from "../property-tree.js";

export interface RuntimeOptions {
    /** Compile TypeScript while loading; true unless the project says otherwise. */
    readonly typescript: boolean;
    /** Another tsconfig than tsconfig.json. */
    readonly tsconfig: string | undefined;
    /** Arguments for node itself, before the program. */
    readonly nodeArguments: readonly string[];
}

function typed<T extends "boolean" | "string">(
    options: TreeObject,
    name: string,
    type: T,
): (T extends "boolean" ? boolean : string) | undefined {
    const value: Tree | undefined = options[name];
    if (value === undefined) return undefined;
    if (typeof value !== type) {
        throw new PluginError(`The runtime option "${name}" in Pulumi.yaml must be a ${type}.`);
    }
    return value as T extends "boolean" ? boolean : string;
}

/** Splits as a shell would, as far as quotes go; there is no shell and so no substitution. */
export function splitArguments(text: string): string[] {
    const words = text.match(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g) ?? [];
    return words.map((word) =>
        word.replace(/"([^"]*)"|'([^']*)'/g, (_all, double?: string, single?: string) =>
            String(double ?? single),
        ),
    );
}

export function parseOptions(options: TreeObject): RuntimeOptions {
    return {
        typescript: typed(options, "typescript", "boolean") ?? true,
        tsconfig: typed(options, "tsconfig", "string"),
        nodeArguments: splitArguments(typed(options, "nodeargs", "string") ?? ""),
    };
}
