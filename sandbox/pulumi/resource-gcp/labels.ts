// Labels as Terraform's provider has them since 5.0: the program's, those that Pulumi manages
// (pulumiLabels: with the provider's defaults and its mark), and all that there are (effectiveLabels).

import { isObject, type Tree, type TreeObject } from "../property-tree.js";
import type { Configuration } from "./configuration.js";

/** The mark of what Pulumi made (pulumi-gcp, patches/0006). */
const ATTRIBUTION = "goog-pulumi-provisioned";

export const PULUMI_LABELS = "pulumiLabels";
export const EFFECTIVE_LABELS = "effectiveLabels";

function labelsAt(properties: TreeObject, name: string): TreeObject {
    const labels: Tree | undefined = properties[name];
    return isObject(labels) ? labels : {};
}

/** What Pulumi manages; the mark is set at creation and stays where it is (CREATION_ONLY). */
function managedLabels(
    inputs: TreeObject,
    field: string,
    configuration: Configuration,
    marked: boolean,
): TreeObject {
    return {
        ...configuration.defaultLabels,
        ...(configuration.attributionLabel && marked ? { [ATTRIBUTION]: "true" } : {}),
        ...labelsAt(inputs, field),
    };
}

/** The three kinds of labels of a new resource. */
export function labelsOfNew(
    inputs: TreeObject,
    field: string,
    configuration: Configuration,
): TreeObject {
    const managed = managedLabels(inputs, field, configuration, true);
    return { [PULUMI_LABELS]: managed, [EFFECTIVE_LABELS]: managed };
}

/** What the two computed kinds will be; labels that others added stay. */
export function labelsOfChanged(
    state: TreeObject,
    inputs: TreeObject,
    field: string,
    configuration: Configuration,
): TreeObject {
    const effective = labelsAt(state, EFFECTIVE_LABELS);
    const before = labelsAt(state, PULUMI_LABELS);
    const managed = managedLabels(inputs, field, configuration, ATTRIBUTION in effective);
    const others = Object.entries(effective).filter(([key]) => !(key in before));
    return {
        [PULUMI_LABELS]: managed,
        [EFFECTIVE_LABELS]: { ...Object.fromEntries(others), ...managed },
    };
}

/**
 * Labels as they are read: of the program's and of Pulumi's only those that the state knew. After an
 * import it knew none, and a program with labels, or a resource that Pulumi marked, then differs
 * (flattenComputeDiskLabels; pulumi-gcp#3044).
 */
export function labelsAsRead(live: TreeObject, state: TreeObject, field: string): TreeObject {
    const effective = labelsAt(live, EFFECTIVE_LABELS);
    const known = (name: string) => {
        const keys = Object.keys(labelsAt(state, name)).filter((key) => key in effective);
        return Object.fromEntries(keys.map((key) => [key, effective[key]!]));
    };
    return { [field]: known(field), [PULUMI_LABELS]: known(PULUMI_LABELS) };
}
