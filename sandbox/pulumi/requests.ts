// What the engine's requests say in forms of their own, for every provider.

import type { CheckRequest, ConfigureRequest } from "@pulumi/pulumi/proto/provider_pb.js";
import { fromStruct, type Tree, type TreeObject } from "./property-tree.js";
import { providerPb } from "./protocol.js";

/** The arguments as a tree; older engines send them as texts under PACKAGE:config:NAME. */
export function configurationOf(request: ConfigureRequest): TreeObject {
    const args = request.getArgs();
    if (args !== undefined) return fromStruct(args);
    const entries = request
        .getVariablesMap()
        .toArray()
        .map(([key, value]): [string, Tree] => [key.split(":").at(-1) ?? key, value]);
    return Object.fromEntries(entries);
}

/** What the engine says about names (pulumi:autonaming in the stack's configuration). */
export interface EngineNaming {
    readonly disabled: boolean;
    readonly proposedName: string;
}

export function namingOf(request: CheckRequest): EngineNaming | undefined {
    const autonaming = request.getAutonaming();
    if (autonaming === undefined) return undefined;
    const { DISABLE } = providerPb.CheckRequest.AutonamingOptions.Mode;
    return {
        disabled: autonaming.getMode() === DISABLE,
        proposedName: autonaming.getProposedName(),
    };
}
