// What an update would do: the comparison of two runs of the program, per resource, with the rules of the
// engine and of the Kubernetes provider. Written out, a plan is a golden file that people can review.

import { Planner, type Decision } from "./engine/planner.js";
import type { Change, ForceNewTables } from "./engine/differences.js";
import type { Operation, Registration, RunResult } from "./engine/registration.js";
import { ROOT_STACK_TYPE } from "./engine/urn.js";

export type { Change } from "./engine/differences.js";
export type { Operation } from "./engine/registration.js";

export interface PlannedStep {
    urn: string;
    type: string;
    name: string;
    custom: boolean;
    operation: Operation;
    /** What changed in the inputs; empty for what is created, deleted or left. */
    changes: Change[];
    /** Of a replacement: the old one goes before the new one comes. */
    deleteBeforeReplace: boolean;
    /** Of a replacement that no own input asks for: why. */
    because: string;
    /** Why the engine would refuse the step; "" where it takes it. */
    refusal: string;
}

export interface PlanOptions {
    /** What replaces resources of types other than those of Kubernetes and random. Default: nothing does. */
    forceNew?: ForceNewTables;
}

/**
 * The steps from the state that `previous` left to what `next` registers: in the order of registration,
 * then the deletions in their order. `previous` undefined: everything is created.
 */
export function planBetween(
    previous: RunResult | undefined,
    next: RunResult,
    options: PlanOptions = {},
): PlannedStep[] {
    if (next.exitCode !== 0) {
        const reasons = next.messages.filter((message) => message.severity === "error");
        throw new Error(
            `a failed run has no plan; it failed with:\n${reasons.map(({ text }) => text).join("\n")}`,
        );
    }
    const state = previous?.state ?? new Map<string, Registration>();
    const rules = { config: next.config, forceNew: options.forceNew };
    const planner = new Planner({ stack: next.stack, project: next.project }, state, rules);
    // The planner completes what it decides on; the run's own registrations stay as they are.
    const steps = next.resources.map((registration) => {
        const copy = { ...registration };
        return plannedStep(copy, planner.decide(copy));
    });
    const deletions = planner
        .deletions()
        .filter(({ step }) => step === "delete")
        .map(({ registration }) => deletionStep(registration));
    return [...steps, ...deletions];
}

function plannedStep(registration: Registration, decision: Decision): PlannedStep {
    const { urn, type, name, custom } = registration;
    const { operation, changes, deleteBeforeReplace, because, refusal } = decision;
    return {
        urn,
        type,
        name,
        custom,
        operation,
        changes,
        deleteBeforeReplace: operation === "replace" && deleteBeforeReplace,
        because,
        refusal,
    };
}

function deletionStep({ urn, type, name, custom, protect }: Registration): PlannedStep {
    return {
        urn,
        type,
        name,
        custom,
        operation: "delete",
        changes: [],
        deleteBeforeReplace: false,
        because: "",
        refusal: protect ? `${name} is protected` : "",
    };
}

/** The steps that do something, without the stack itself. */
export function effectiveSteps(plan: readonly PlannedStep[]): PlannedStep[] {
    return plan.filter(
        ({ operation, type }) =>
            operation !== "same" && operation !== "read" && type !== ROOT_STACK_TYPE,
    );
}

/** The names of the resources that one operation concerns, sorted; of one type where it is given. */
export function namesOf(
    plan: readonly PlannedStep[],
    operation: Operation,
    type?: string,
): string[] {
    return plan
        .filter((step) => step.operation === operation && (type ?? step.type) === step.type)
        .map((step) => step.name)
        .sort();
}

const MARKS: Record<Operation, string> = {
    create: "+ ",
    update: "~ ",
    replace: "+-",
    delete: "- ",
    same: "  ",
    read: "> ",
};

/** One line a step that does something, one more for each change of an update or replacement. */
export function formatPlan(plan: readonly PlannedStep[]): string {
    const lines = effectiveSteps(plan).flatMap((step) => [
        formatStep(step),
        ...step.changes.map(formatChange),
    ]);
    return lines.map((line) => `${line}\n`).join("");
}

function formatStep(step: PlannedStep): string {
    const notes = [
        step.deleteBeforeReplace ? "deleted first" : "",
        step.because,
        step.refusal === "" ? "" : "refused",
    ].filter((note) => note !== "");
    const suffix = notes.length === 0 ? "" : ` (${notes.join("; ")})`;
    return `${MARKS[step.operation]} ${step.operation} ${step.type} ${step.name}${suffix}`;
}

function formatChange({ path, kind, replaces }: Change): string {
    return `       ${kind} ${path}${replaces ? " (replaces)" : ""}`;
}
