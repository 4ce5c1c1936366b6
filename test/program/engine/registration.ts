// What a run of the program leaves behind: its registrations, its messages and the state of its stack.

import type { PropertyMap, UNKNOWN, Value } from "./values.js";

/** The hooks that are bound to a resource, by the moment at which the engine calls them. */
export type HookMoment =
    | "beforeCreate"
    | "afterCreate"
    | "beforeUpdate"
    | "afterUpdate"
    | "beforeDelete"
    | "afterDelete"
    | "onError";

export interface CustomTimeouts {
    create?: string;
    update?: string;
    delete?: string;
    read?: string;
}

/** One resource as the program registered it, with what the engine made of it. */
export interface Registration {
    urn: string;
    type: string;
    name: string;
    /** As the program gave them. */
    inputs: PropertyMap;
    /** As the state keeps them: `ignoreChanges` applied; of a custom resource, names filled in. */
    checkedInputs: PropertyMap;
    /** What the program got back; of a component, what it passed to `registerOutputs`. */
    outputs: PropertyMap;
    /** URN of the parent; "" for the stack itself. */
    parent: string;
    /** URNs of all explicit and implicit dependencies. */
    dependencies: string[];
    /** The URNs that each input depends on. */
    propertyDependencies: Record<string, string[]>;
    /** Own, or inherited from the parent. */
    protect: boolean;
    /** The URNs under which the resource may have been known before, resolved. */
    aliases: string[];
    ignoreChanges: string[];
    customTimeouts: CustomTimeouts;
    /** undefined: left to the provider. */
    deleteBeforeReplace: boolean | undefined;
    retainOnDelete: boolean;
    /** URN, "" where not set. */
    deletedWith: string;
    /** URNs. */
    replaceWith: string[];
    replaceOnChanges: string[];
    replacementTrigger: Value | undefined;
    additionalSecretOutputs: string[];
    hideDiffs: string[];
    /** `URN::ID` of an explicit provider (own or inherited); "" where the default provider is used. */
    provider: string;
    /** `URN::ID` per package: the providers a component hands down. */
    providers: Record<string, string>;
    version: string;
    hooks: Partial<Record<HookMoment, string[]>>;
    custom: boolean;
    /** False for what was only read (`get`). */
    managed: boolean;
    /** "" for components, and in previews for what would be created. */
    id: string;
    importId: string;
    /** How often the resource has been replaced; a generated name or value changes with it. */
    generation: number;
    /** The resource exists but never became ready; the next update tries again. */
    initError: string | undefined;
}

export type Severity = "info" | "warning" | "error";

/** A diagnostic, of the program or of the engine. `urn` is "" where it is about no resource. */
export interface Message {
    severity: Severity;
    text: string;
    urn: string;
}

export interface InvokeCall {
    token: string;
    args: PropertyMap;
    provider: string;
    result: PropertyMap;
}

/** One call of a hook. `error` is what it threw. */
export interface HookCall {
    hook: string;
    moment: HookMoment;
    urn: string;
    error: string | undefined;
}

/** What the engine does with a resource as a whole. */
export type Operation = "create" | "update" | "replace" | "delete" | "same" | "read";

/** A step as the engine takes it; a replacement is a creation and a deletion, in either order. */
export interface Step {
    urn: string;
    step: Operation | "create-replacement" | "delete-replaced";
}

/** A stack output; secrets are `{ secret: value }`. */
export type StackOutput =
    | null
    | boolean
    | number
    | string
    | typeof UNKNOWN
    | StackOutput[]
    | { [key: string]: StackOutput };

export interface RunResult {
    /** 0 where the program and every step succeeded; 255 where a step failed; else the program's own code. */
    exitCode: number;
    preview: boolean;
    stack: string;
    project: string;
    config: Record<string, string>;
    messages: Message[];
    stdout: string;
    stderr: string;
    /** The files that the program loaded, where the run was asked for them. */
    loadedFiles: readonly string[] | undefined;
    /** In the order in which the program registered them. */
    resources: Registration[];
    outputs: Record<string, StackOutput>;
    invokes: InvokeCall[];
    hookCalls: HookCall[];
    /** In the order in which they were taken (previews: planned). */
    steps: Step[];
    /**
     * The stack's state after the run: what the program registered, and what an earlier run left and this
     * one did not get to. A preview changes nothing.
     */
    state: ReadonlyMap<string, Registration>;
    /** Wall-clock time of the run, in milliseconds. */
    duration: number;
}
