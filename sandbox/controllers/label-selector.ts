// Kubernetes' label selectors.

export type Labels = Readonly<Record<string, string>>;

export interface Requirement {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
}

export interface LabelSelector {
    readonly matchLabels?: Labels;
    readonly matchExpressions?: readonly Requirement[];
}

function meets(labels: Labels, { key, operator, values = [] }: Requirement): boolean {
    const value = labels[key];
    const isListed = value !== undefined && values.includes(value);
    switch (operator) {
        case "In":
            return isListed;
        case "NotIn":
            // Also without the label.
            return !isListed;
        case "Exists":
            return value !== undefined;
        case "DoesNotExist":
            return value === undefined;
        default:
            throw new Error(`Kubernetes has no operator "${operator}" in a label selector.`);
    }
}

/** Whether something with these labels is selected. An empty selector selects everything. */
export function selects(selector: LabelSelector, labels: Labels): boolean {
    return (
        Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value) &&
        (selector.matchExpressions ?? []).every((requirement) => meets(labels, requirement))
    );
}
