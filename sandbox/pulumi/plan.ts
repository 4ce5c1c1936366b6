// What an update of a resource would change, as a provider finds it and as the engine is told.

import type { DiffResponse } from "@pulumi/pulumi/proto/provider_pb.js";
import { providerPb } from "./protocol.js";

export type ChangeKind = "add" | "delete" | "update";

export interface PlannedChange {
    readonly kind: ChangeKind;
    readonly replace: boolean;
}

export interface Plan {
    /** Property path -> change. */
    readonly changes: ReadonlyMap<string, PlannedChange>;
    readonly replaces: readonly string[];
    readonly deleteBeforeReplace: boolean;
}

function changeKind(change: PlannedChange) {
    const { ADD, ADD_REPLACE, DELETE, DELETE_REPLACE, UPDATE, UPDATE_REPLACE } =
        providerPb.PropertyDiff.Kind;
    switch (change.kind) {
        case "add":
            return change.replace ? ADD_REPLACE : ADD;
        case "delete":
            return change.replace ? DELETE_REPLACE : DELETE;
        case "update":
            return change.replace ? UPDATE_REPLACE : UPDATE;
    }
}

export function planResponse(plan: Plan): DiffResponse {
    const response = new providerPb.DiffResponse();
    for (const [path, change] of plan.changes) {
        const property = new providerPb.PropertyDiff();
        property.setKind(changeKind(change));
        response.getDetaileddiffMap().set(path, property);
    }
    response.setHasdetaileddiff(true);
    response.setReplacesList([...plan.replaces]);
    response.setDeletebeforereplace(plan.deleteBeforeReplace);
    const { DIFF_NONE, DIFF_SOME } = providerPb.DiffResponse.DiffChanges;
    const isChanged = plan.changes.size > 0 || plan.replaces.length > 0;
    response.setChanges(isChanged ? DIFF_SOME : DIFF_NONE);
    return response;
}
