// What the engine does with each registration, given the state that an earlier run left: create, update,
// replace, leave, and at the end delete. The rules are those of pulumi/pulumi pkg/resource/deploy
// (step_generator.go), written anew.

import { createHash } from "node:crypto";
import {
    changesOf,
    isAnotherCluster,
    namespaceOf,
    type Change,
    type ForceNewTables,
} from "./differences.js";
import { kindOf } from "./force-new.js";
import { gcpDeletesFirst, gcpNamed } from "./gcp-types.js";
import { resetAt, valueAt } from "./property-path.js";
import type { Operation, Registration } from "./registration.js";
import { nameOf, typeOf, urnBelowFormerParent, type StackIdentity } from "./urn.js";
import { isMap, sameValue, UNKNOWN, withoutSecrets } from "./values.js";
import type { PropertyMap, Value } from "./values.js";

export const AUTONAMED = "pulumi.com/autonamed";

export interface PlanRules {
    /** What replaces resources of types other than those of Kubernetes and random. Default: nothing does. */
    forceNew?: ForceNewTables;
    /** The stack configuration: `kubernetes:*` keys configure the default Kubernetes provider. */
    config?: Readonly<Record<string, string>>;
}

export interface Decision {
    operation: Exclude<Operation, "delete">;
    old: Registration | undefined;
    changes: Change[];
    /** A replacement that deletes first. Otherwise the new one is made first, the old one deleted at the end. */
    deleteBeforeReplace: boolean;
    /** The old one went down already, with something it depends on. */
    alreadyDeleted: boolean;
    /** Dependents that a delete-before-replace takes down first, in the order of their deletion. */
    deletedFirst: Registration[];
    /** Why it is replaced, where no own input says so. */
    because: string;
    /** Why the engine refuses: nothing happens to the resource. */
    refusal: string;
}

/** A deletion that is left to the end of the run. */
export interface Deletion {
    registration: Registration;
    step: "delete" | "delete-replaced";
}

/** Everything a resource needs to be there before it, and that must not be deleted before it. */
export function edgesOf(registration: Registration): string[] {
    const edges = [
        ...registration.dependencies,
        ...Object.values(registration.propertyDependencies).flat(),
        ...registration.replaceWith,
        registration.parent,
        registration.deletedWith,
        urnOfProvider(registration.provider),
    ];
    return [...new Set(edges)].filter((urn) => urn !== "" && urn !== registration.urn);
}

/** `URN::ID` -> URN. */
export function urnOfProvider(reference: string): string {
    return reference === "" ? "" : reference.slice(0, reference.lastIndexOf("::"));
}

export class Planner {
    private readonly registered = new Map<string, Registration>();
    /** Old URNs that a registration continues: they are not deleted. */
    private readonly continued = new Set<string>();
    /** Where an aliased resource was before. */
    private readonly formerUrns = new Map<string, string>();
    private readonly replaced = new Map<string, Registration>();
    /** Old resources that a delete-before-replace has already taken down. */
    private readonly takenDown = new Set<string>();
    private readonly pendingDeletes: Registration[] = [];

    constructor(
        private readonly at: StackIdentity,
        private readonly state: ReadonlyMap<string, Registration>,
        private readonly rules: PlanRules,
    ) {}

    /** Where a resource of this run was before it moved; undefined if it did not. */
    formerUrn(urn: string): string | undefined {
        return this.formerUrns.get(urn);
    }

    /** The inputs of the provider behind a reference; those of the default provider for "". */
    providerInputs(reference: string, packageName: string): PropertyMap {
        const urn = urnOfProvider(reference);
        return (
            this.registered.get(urn)?.checkedInputs ?? this.providerInputsBefore(urn, packageName)
        );
    }

    private providerInputsBefore(urn: string, packageName: string): PropertyMap {
        if (urn !== "") {
            return this.state.get(urn)?.checkedInputs ?? {};
        }
        const prefix = `${packageName}:`;
        const keys = Object.entries(this.rules.config ?? {}).filter(([key]) =>
            key.startsWith(prefix),
        );
        return Object.fromEntries(keys.map(([key, value]) => [key.slice(prefix.length), value]));
    }

    /** Decides, and completes the registration: checked inputs and generation. */
    decide(registration: Registration): Decision {
        this.registered.set(registration.urn, registration);
        const old = this.findOld(registration);
        const decision = this.decisionOn(registration, old);
        if (decision.operation === "replace" && old !== undefined) {
            registration.generation = old.generation + 1;
            registration.checkedInputs = this.checked(registration, undefined);
            this.replaced.set(registration.urn, old);
            if (registration.protect && old.protect && !decision.alreadyDeleted) {
                decision.refusal = protectedFromReplacement(registration.urn);
            }
            this.takeDown(decision, old);
        } else if (!registration.custom) {
            // The state keeps a component's arguments as the program gave them.
            registration.checkedInputs = registration.inputs;
        }
        return decision;
    }

    private findOld(registration: Registration): Registration | undefined {
        const { urn, aliases, parent } = registration;
        const candidates = [urn, ...aliases];
        const formerParent = this.formerUrns.get(parent);
        if (formerParent !== undefined) {
            const former = [urn, ...aliases].map((known) =>
                urnBelowFormerParent(
                    this.at,
                    { type: typeOf(known), name: nameOf(known) },
                    nameOf(parent),
                    formerParent,
                ),
            );
            candidates.push(...former);
        }
        const found = candidates.find((candidate) => this.state.has(candidate));
        if (found === undefined) {
            return undefined;
        }
        this.continued.add(found);
        if (found !== urn) {
            this.formerUrns.set(urn, found);
        }
        return this.state.get(found);
    }

    private decisionOn(registration: Registration, old: Registration | undefined): Decision {
        const decision: Decision = {
            operation: "same",
            old,
            changes: [],
            deleteBeforeReplace: registration.deleteBeforeReplace ?? false,
            alreadyDeleted: old !== undefined && this.takenDown.has(old.urn),
            deletedFirst: [],
            because: "",
            refusal: "",
        };
        if (!registration.managed) {
            return { ...decision, operation: "read" };
        }
        if (old?.managed !== true) {
            registration.checkedInputs = this.checked(registration, undefined);
            return { ...decision, operation: "create" };
        }
        registration.generation = old.generation;
        registration.checkedInputs = this.checked(registration, old);
        decision.changes = this.changes(registration, old, registration.checkedInputs);
        decision.because = this.outerReason(registration, old);
        if (decision.because !== "" || decision.changes.some((change) => change.replaces)) {
            const byProvider =
                decision.because === "" &&
                (keepsItsName(registration, old) || gcpDeletesFirst(registration));
            decision.deleteBeforeReplace =
                decision.alreadyDeleted || (registration.deleteBeforeReplace ?? byProvider);
            return { ...decision, operation: "replace" };
        }
        const changed = registration.custom
            ? decision.changes.length > 0 || old.initError !== undefined
            : !sameValue(old.checkedInputs, registration.checkedInputs);
        return { ...decision, operation: changed ? "update" : "same" };
    }

    /** Why a resource is replaced without a change of its own. */
    private outerReason(registration: Registration, old: Registration): string {
        if (this.takenDown.has(old.urn)) {
            return "a resource it depends on is deleted and made anew";
        }
        if (triggered(old.replacementTrigger, registration.replacementTrigger)) {
            return "its replacement trigger changed";
        }
        const partner = registration.replaceWith.find((urn) => this.replaced.has(urn));
        if (partner !== undefined) {
            return `it is replaced with ${nameOf(partner)}`;
        }
        if (this.replaced.has(registration.deletedWith)) {
            return `it is deleted with ${nameOf(registration.deletedWith)}`;
        }
        if (registration.custom !== old.custom) {
            return "it was a component before, or is one now";
        }
        if (registration.type === "pulumi:providers:kubernetes") {
            return isAnotherCluster(old.checkedInputs, registration.checkedInputs)
                ? "its cluster is another one"
                : "";
        }
        return this.providerReason(registration, old);
    }

    private providerReason(registration: Registration, old: Registration): string {
        const packageName = registration.type.split(":")[0]!;
        if (registration.provider === old.provider || packageName !== "kubernetes") {
            return "";
        }
        const former = urnOfProvider(old.provider);
        if (former !== "" && this.formerUrns.get(urnOfProvider(registration.provider)) === former) {
            return "";
        }
        const before = this.providerInputsBefore(former, packageName);
        const now = this.providerInputs(registration.provider, packageName);
        return isAnotherCluster(before, now) ? "its provider is another cluster" : "";
    }

    private changes(registration: Registration, old: Registration, next: PropertyMap): Change[] {
        const context = {
            providerInputs: this.providerInputs(
                registration.provider,
                registration.type.split(":")[0]!,
            ),
            forceNew: this.rules.forceNew ?? { paths: {} },
        };
        return changesOf(registration, old.checkedInputs, next, context);
    }

    /** The inputs after the provider's `Check`: ignored changes undone, the object named. */
    private checked(registration: Registration, old: Registration | undefined): PropertyMap {
        const inputs =
            old === undefined
                ? registration.inputs
                : resetAt(registration.inputs, old.checkedInputs, registration.ignoreChanges);
        const kind = kindOf(registration.type);
        if (!registration.custom) {
            return inputs;
        }
        if (kind === undefined) {
            return gcpNamed(registration, inputs, old, hashOf(registration));
        }
        const given = valueAt(inputs, "metadata");
        const metadata: PropertyMap = isMap(given) ? { ...given } : {};
        if (given === UNKNOWN) {
            return inputs;
        }
        const namespace = namespaceOf(
            kind,
            inputs,
            this.providerInputs(registration.provider, "kubernetes"),
        );
        if (namespace !== undefined) {
            metadata["namespace"] = namespace;
        }
        this.nameObject(registration, metadata, old);
        return { ...inputs, metadata };
    }

    /** Names an object that the program left unnamed; it keeps the name that it was given before. */
    private nameObject(
        registration: Registration,
        metadata: PropertyMap,
        old: Registration | undefined,
    ): void {
        if (metadata["name"] !== undefined || metadata["generateName"] !== undefined) {
            return;
        }
        const before = old === undefined ? undefined : old.checkedInputs;
        if (before !== undefined && !isAutonamed(before)) {
            return;
        }
        metadata["name"] = valueAt(before, "metadata.name") ?? generatedName(registration);
        const annotations = metadata["annotations"];
        metadata["annotations"] = {
            ...(isMap(annotations) ? annotations : {}),
            [AUTONAMED]: "true",
        };
    }

    private takeDown(decision: Decision, old: Registration): void {
        if (decision.alreadyDeleted) {
            return;
        }
        if (!decision.deleteBeforeReplace) {
            this.pendingDeletes.push(old);
            return;
        }
        decision.deletedFirst = this.dependentsTakenDownWith(old).reverse();
        for (const dependent of [...decision.deletedFirst, old]) {
            this.takenDown.add(dependent.urn);
        }
        const blocked = decision.deletedFirst.find((dependent) => dependent.protect);
        if (blocked !== undefined && decision.refusal === "") {
            decision.refusal = protectedFromReplacement(blocked.urn);
        }
    }

    /**
     * The resources that go down with one that is deleted before it is made anew: those on it as their
     * provider, those deleted with it, and those that a change of it would replace. In dependency order.
     */
    private dependentsTakenDownWith(root: Registration): Registration[] {
        const down = new Set([root.urn]);
        const dependents: Registration[] = [];
        for (const resource of this.state.values()) {
            const settled = this.continued.has(resource.urn) || this.takenDown.has(resource.urn);
            if (!settled && resource.managed && this.goesDownWith(resource, down)) {
                down.add(resource.urn);
                dependents.push(resource);
            }
        }
        return dependents;
    }

    private goesDownWith(resource: Registration, down: ReadonlySet<string>): boolean {
        if ([resource.deletedWith, ...resource.replaceWith].some((urn) => down.has(urn))) {
            return true;
        }
        if (!resource.custom) {
            return false;
        }
        if (down.has(urnOfProvider(resource.provider))) {
            return true;
        }
        const dependent = Object.entries(resource.propertyDependencies)
            .filter(([, urns]) => urns.some((urn) => down.has(urn)))
            .map(([key]): [string, Value] => [key, UNKNOWN]);
        const next = { ...resource.checkedInputs, ...Object.fromEntries(dependent) };
        return this.changes(resource, resource, next).some((change) => change.replaces);
    }

    /** What is left to delete once the program has ended, in the order of deletion. */
    deletions(): Deletion[] {
        const gone = [...this.state.values()].filter(
            (old) => !this.continued.has(old.urn) && !this.takenDown.has(old.urn) && old.managed,
        );
        const steps = new Map<string, Deletion>();
        for (const registration of gone) {
            steps.set(registration.urn, { registration, step: "delete" });
        }
        for (const registration of this.pendingDeletes) {
            steps.set(registration.urn, { registration, step: "delete-replaced" });
        }
        return inDeletionOrder([...steps.values()].map((deletion) => deletion.registration)).map(
            (registration) => steps.get(registration.urn)!,
        );
    }
}

/**
 * Dependents before what they depend on, in the engine's own waves: a resource goes with the last that it
 * could go with, so that disks, which depend on nothing, go after all that used any of them.
 */
export function inDeletionOrder(registrations: readonly Registration[]): Registration[] {
    let left = [...registrations];
    const waves: Registration[][] = [];
    while (left.length > 0) {
        const urns = new Set(left.map(({ urn }) => urn));
        const wave = left.filter((resource) => !edgesOf(resource).some((urn) => urns.has(urn)));
        if (wave.length === 0) {
            throw new Error(`a cycle of dependencies: ${[...urns].join(", ")}`);
        }
        waves.push(wave);
        left = left.filter((resource) => !wave.includes(resource));
    }
    return waves.flat().reverse();
}

/** Deterministic stand-in for a random suffix; it changes when the resource is replaced. */
export function hashOf(registration: Registration, salt = ""): string {
    return createHash("sha256")
        .update(`${registration.urn} ${registration.generation} ${salt}`)
        .digest("hex");
}

function generatedName(registration: Registration): string {
    return `${registration.name}-${hashOf(registration).slice(0, 8)}`;
}

export function isAutonamed(inputs: PropertyMap): boolean {
    return valueAt(inputs, ["metadata", "annotations", AUTONAMED]) === "true";
}

/**
 * Whether the replacement of a Kubernetes object has the name and namespace of the old one, so that the
 * provider must delete first.
 */
function keepsItsName(registration: Registration, old: Registration): boolean {
    const [before, now] = [old.checkedInputs, registration.checkedInputs];
    return (
        kindOf(registration.type) !== undefined &&
        !isAutonamed(now) &&
        typeof valueAt(now, "metadata.name") === "string" &&
        ["metadata.name", "metadata.namespace"].every((path) =>
            sameValue(valueAt(before, path), valueAt(now, path)),
        )
    );
}

function triggered(before: Value | undefined, now: Value | undefined): boolean {
    if (before === undefined || before === null || now === undefined || now === null) {
        return false;
    }
    return now === UNKNOWN || !sameValue(withoutSecrets(before), withoutSecrets(now));
}

function protectedFromReplacement(urn: string): string {
    return (
        `unable to replace resource "${urn}" as it is currently marked for protection: ` +
        "remove `protect` from it and run an update first"
    );
}
