// One deployment: takes what the program registers, decides and takes the steps, and keeps the books. It is
// the engine without its wire; `server.ts` puts it behind gRPC.

import { status } from "@grpc/grpc-js";
import type { Callback } from "@pulumi/pulumi/proto/callback_pb.js";
import type {
    ReadResourceRequest,
    RegisterResourceRequest,
} from "@pulumi/pulumi/proto/resource_pb.js";
import { Callbacks, type HookArguments } from "./callbacks.js";
import { kindOf } from "./force-new.js";
import { gcpAnswer, gcpFound } from "./gcp-outputs.js";
import { hasNameOfItsOwn } from "./gcp-types.js";
import { Planner, type Decision, type Deletion, type PlanRules } from "./planner.js";
import { textAt, valueAt } from "./property-path.js";
import { answerOf, type ComputedOutputs } from "./provider-outputs.js";
import type {
    HookCall,
    HookMoment,
    InvokeCall,
    Message,
    Registration,
    Step,
} from "./registration.js";
import { aliasSpecOf, registrationOf, registrationOfRead } from "./requests.js";
import { applyTransforms } from "./transforms.js";
import { createUrn, ROOT_STACK_TYPE, urnOfAlias, type StackIdentity } from "./urn.js";
import type { PropertyMap } from "./values.js";

/** The answer to a call that failed, as gRPC carries it. */
export class CallFailure extends Error {
    constructor(
        readonly code: status,
        message: string,
    ) {
        super(message);
    }
}

/** How often an error hook may ask for another try (the engine's own bound). */
const MAX_RETRIES = 100;

export type InvokeAnswers = Readonly<Record<string, (args: PropertyMap) => PropertyMap>>;

export interface DeploymentOptions {
    at: StackIdentity;
    preview: boolean;
    outputsUnknown: boolean;
    config: Readonly<Record<string, string>>;
    /** What an earlier run left. */
    state: ReadonlyMap<string, Registration>;
    /** The message with which a provider refuses to create, update or delete a resource. */
    failOn: (urn: string) => string | undefined;
    computed: ComputedOutputs;
    invokes: InvokeAnswers;
    rules: PlanRules;
}

export class Deployment {
    readonly resources: Registration[] = [];
    readonly messages: Message[] = [];
    readonly invokes: InvokeCall[] = [];
    readonly hookCalls: HookCall[] = [];
    readonly steps: Step[] = [];
    readonly callbacks = new Callbacks();
    stackOutputs: PropertyMap = {};
    rootUrn = "";
    /** A step failed: the deployment ends as a failure. */
    failed = false;

    /** The engine takes no more calls: it has failed, and the program is to end. */
    private isDown = false;
    private readonly planner: Planner;
    private readonly byUrn = new Map<string, Registration>();
    private readonly decisions = new Map<string, Decision>();
    /** What this run has created, updated or confirmed, in order. */
    private readonly done = new Map<string, Registration>();
    /** What of the earlier state is no more: deleted, or gone on under `done`. */
    private readonly gone = new Set<string>();
    /** What exists: objects of Kubernetes by cluster, kind, namespace and name; Google's resources by id. */
    private readonly objects = new Map<string, string>();
    private readonly stackTransforms: Callback[] = [];
    private readonly transforms = new Map<string, Callback[]>();

    constructor(private readonly options: DeploymentOptions) {
        this.planner = new Planner(options.at, options.state, options.rules);
        for (const registration of options.state.values()) {
            this.noteObject(registration);
        }
    }

    /** The stack's state as this run leaves it. */
    stateAfter(): ReadonlyMap<string, Registration> {
        if (this.options.preview) {
            return this.options.state;
        }
        const left = [...this.options.state].filter(([urn]) => !this.gone.has(urn));
        return new Map([...this.done, ...left.filter(([urn]) => !this.done.has(urn))]);
    }

    addStackTransform(callback: Callback): void {
        this.stackTransforms.push(callback);
    }

    async register(request: RegisterResourceRequest): Promise<Registration> {
        this.refuseWhenDown();
        this.inheritFromParent(request);
        await this.transform(request);
        const urn = createUrn(
            this.options.at,
            request.getParent(),
            request.getType(),
            request.getName(),
        );
        const registration = registrationOf(urn, request);
        registration.aliases = request
            .getAliasesList()
            .map((alias) =>
                urnOfAlias(aliasSpecOf(alias), { at: this.options.at, ...registration }, (parent) =>
                    this.planner.formerUrn(parent),
                ),
            );
        this.transforms.set(urn, request.getTransformsList());
        this.enter(registration);
        this.refuseDefaultProvider(registration);
        await this.take(registration);
        return registration;
    }

    async read(request: ReadResourceRequest): Promise<Registration> {
        this.refuseWhenDown();
        const urn = createUrn(
            this.options.at,
            request.getParent(),
            request.getType(),
            request.getName(),
        );
        const registration = registrationOfRead(urn, request);
        this.enter(registration);
        await this.take(registration);
        return registration;
    }

    private enter(registration: Registration): void {
        const { urn } = registration;
        if (this.byUrn.has(urn)) {
            this.fail(urn, `Duplicate resource URN '${urn}'; try giving it a unique name`);
        }
        if (registration.type === ROOT_STACK_TYPE) {
            this.rootUrn = urn;
        }
        this.byUrn.set(urn, registration);
        this.resources.push(registration);
    }

    private inheritFromParent(request: RegisterResourceRequest): void {
        const parent = this.byUrn.get(request.getParent());
        if (parent === undefined) {
            return;
        }
        if (!request.hasProtect()) {
            request.setProtect(parent.protect);
        }
        if (!request.hasRetainondelete()) {
            request.setRetainondelete(parent.retainOnDelete);
        }
        if (request.getDeletedwith() === "") {
            request.setDeletedwith(parent.deletedWith);
        }
        const packageName = request.getType().split(":")[0]!;
        if (request.getCustom() && request.getProvider() === "") {
            request.setProvider(parent.providers[packageName] ?? "");
        }
        if (!request.getCustom()) {
            const own = request.getProvidersMap();
            for (const [name, reference] of Object.entries(parent.providers)) {
                if (!own.has(name)) {
                    own.set(name, reference);
                }
            }
        }
    }

    private async transform(request: RegisterResourceRequest): Promise<void> {
        const transforms = [...request.getTransformsList()];
        let parent = request.getParent();
        while (parent !== "") {
            transforms.push(...(this.transforms.get(parent) ?? []));
            parent = this.byUrn.get(parent)?.parent ?? "";
        }
        transforms.push(...this.stackTransforms);
        await applyTransforms(request, transforms, this.callbacks);
        this.refuseWhenDown();
    }

    private refuseDefaultProvider(registration: Registration): void {
        const { urn, type, custom, provider } = registration;
        const packageName = type.split(":")[0]!;
        if (!custom || provider !== "" || packageName === "pulumi") {
            return;
        }
        const setting = this.options.config["pulumi:disable-default-providers"];
        const disabled = setting === undefined ? [] : (JSON.parse(setting) as string[]);
        if (disabled.includes("*") || disabled.includes(packageName)) {
            const text = `Default provider for '${packageName}' disabled. '${urn}' must use an explicit provider.`;
            this.fail(urn, text);
        }
    }

    private async take(registration: Registration): Promise<void> {
        const decision = this.planner.decide(registration);
        this.decisions.set(registration.urn, decision);
        if (decision.refusal !== "") {
            this.report(registration.urn, decision.refusal);
            if (!this.options.preview) {
                throw this.shutDown();
            }
        }
        await this.deleteFirst(decision);
        switch (decision.operation) {
            case "read":
                this.answerRead(registration);
                break;
            case "same":
                this.settle(registration, decision);
                break;
            default:
                await this.change(registration, decision);
        }
        this.refuseWhenDown();
    }

    private async deleteFirst(decision: Decision): Promise<void> {
        const { operation, old, deleteBeforeReplace, alreadyDeleted } = decision;
        if (
            operation !== "replace" ||
            !deleteBeforeReplace ||
            alreadyDeleted ||
            old === undefined
        ) {
            return;
        }
        for (const registration of [...decision.deletedFirst, old]) {
            if (!(await this.deleteOne({ registration, step: "delete-replaced" }))) {
                throw this.shutDown();
            }
        }
    }

    private answerRead(registration: Registration): void {
        this.steps.push({ urn: registration.urn, step: "read" });
        const [name, namespace] = registration.id.split("/").reverse();
        const metadata: PropertyMap = {
            name: name!,
            namespace: namespace ?? null,
            uid: `uid-of-${registration.id}`,
        };
        // What is found counts, whatever the program knew of it.
        registration.outputs = {
            ...registration.inputs,
            ...(kindOf(registration.type) === undefined ? {} : { metadata }),
            ...gcpFound(registration, this.providerInputs(registration)),
            ...this.options.computed(registration),
        };
        this.done.set(registration.urn, registration);
    }

    /** Creates, updates or replaces, with the hooks around it. */
    private async change(registration: Registration, decision: Decision): Promise<void> {
        const { old, operation } = decision;
        const isCreation = operation !== "update";
        registration.id = isCreation ? "" : (old?.id ?? "");
        const before: HookArguments = isCreation
            ? { newInputs: registration.checkedInputs }
            : {
                  newInputs: registration.checkedInputs,
                  oldInputs: old?.checkedInputs,
                  oldOutputs: old?.outputs,
              };
        const refusal = await this.runHooks(
            isCreation ? "beforeCreate" : "beforeUpdate",
            registration,
            before,
        );
        if (refusal !== undefined) {
            this.fail(registration.urn, refusal);
        }
        if (registration.custom && !this.options.preview) {
            await this.askProvider(registration, decision, before);
        }
        this.settle(registration, decision);
        if (registration.custom) {
            await this.runAfterHooks(registration);
        }
    }

    /** Lets the provider fail where the test or the cluster says so; error hooks may ask for another try. */
    private async askProvider(
        registration: Registration,
        decision: Decision,
        args: HookArguments,
    ): Promise<void> {
        const errors: string[] = [];
        const operation = decision.operation === "update" ? "update" : "create";
        for (;;) {
            const error =
                (operation === "create" ? this.nameConflict(registration) : undefined) ??
                this.options.failOn(registration.urn);
            if (error === undefined) {
                return;
            }
            errors.unshift(error);
            if (
                errors.length > MAX_RETRIES ||
                !(await this.isRetried(registration, operation, errors, args))
            ) {
                this.keepPartly(registration, decision, error);
                this.fail(registration.urn, error);
            }
        }
    }

    private async isRetried(
        registration: Registration,
        operation: string,
        errors: string[],
        args: HookArguments,
    ): Promise<boolean> {
        let retry = false;
        for (const hook of registration.hooks.onError ?? []) {
            const again = await this.callbacks.callErrorHook(hook, registration, {
                operation,
                errors,
                ...args,
            });
            this.hookCalls.push({
                hook,
                moment: "onError",
                urn: registration.urn,
                error: undefined,
            });
            retry ||= again;
        }
        return retry;
    }

    /**
     * A Kubernetes object that was made but never became ready stays in the state, after an update with its
     * old inputs; the next run tries again. Anything else that failed to be created does not exist.
     */
    private keepPartly(registration: Registration, decision: Decision, error: string): void {
        const isObject = kindOf(registration.type) !== undefined;
        if (!isObject || this.nameConflict(registration) === error) {
            return;
        }
        const { old, operation } = decision;
        const checkedInputs =
            operation === "update" && old !== undefined
                ? old.checkedInputs
                : registration.checkedInputs;
        const answer = this.answer(registration, decision);
        this.keep({ ...registration, ...answer, checkedInputs, initError: error }, old);
    }

    private nameConflict(registration: Registration): string | undefined {
        const key = this.objectKey(registration);
        if (key === undefined || !this.objects.has(key)) {
            return undefined;
        }
        const kind = kindOf(registration.type)?.kind;
        if (kind === undefined) {
            return `googleapi: Error 409: The resource '${key}' already exists, alreadyExists`;
        }
        const name = textAt(registration.checkedInputs, "metadata.name");
        return `resource "${registration.urn}" was not successfully created by the Kubernetes API server: ${kind} "${name}" already exists`;
    }

    /** What can be there only once; undefined where that is not known. */
    private objectKey(registration: Registration): string | undefined {
        const kind = kindOf(registration.type);
        if (kind === undefined && registration.managed && hasNameOfItsOwn(registration.type)) {
            return registration.id === "" ? this.googleId(registration) : registration.id;
        }
        const name = valueAt(registration.checkedInputs, "metadata.name");
        const isObject = kind !== undefined && registration.custom && registration.managed;
        if (!isObject || typeof name !== "string" || kind.kind.endsWith("Patch")) {
            return undefined;
        }
        const given = valueAt(registration.checkedInputs, "metadata.namespace");
        const namespace = typeof given === "string" ? given : "";
        return [registration.provider, kind.group, kind.kind, namespace, name].join(" ");
    }

    private googleId(registration: Registration): string | undefined {
        return this.options.preview
            ? undefined
            : gcpAnswer(registration, this.providerInputs(registration), false)?.id;
    }

    private noteObject(registration: Registration): void {
        const key = this.objectKey(registration);
        if (key !== undefined) {
            this.objects.set(key, registration.urn);
        }
    }

    private answer(registration: Registration, decision: Decision) {
        return answerOf(registration, decision, {
            preview: this.options.preview,
            unknown: this.options.outputsUnknown,
            computed: this.options.computed,
            providerInputs: this.providerInputs(registration),
        });
    }

    private providerInputs({ provider, type }: Registration): PropertyMap {
        return this.planner.providerInputs(provider, type.split(":")[0]!);
    }

    /** The step is taken: the registration gets its id and outputs, and enters the state. */
    private settle(registration: Registration, decision: Decision): void {
        const { operation } = decision;
        this.steps.push({
            urn: registration.urn,
            step: operation === "replace" ? "create-replacement" : operation,
        });
        if (registration.custom) {
            const { id, outputs } = this.answer(registration, decision);
            registration.id = registration.importId === "" ? id : registration.importId;
            registration.outputs = outputs;
        } else if (operation === "same") {
            // Those of a component that is updated are gone until it registers them again (engine: UpdateStep).
            registration.outputs = decision.old?.outputs ?? {};
        }
        this.keep(registration, decision.old);
    }

    private keep(registration: Registration, old: Registration | undefined): void {
        this.done.set(registration.urn, registration);
        this.noteObject(registration);
        if (old !== undefined) {
            this.gone.add(old.urn);
        }
    }

    async registerOutputs(urn: string, outputs: PropertyMap): Promise<void> {
        this.refuseWhenDown();
        const registration = this.byUrn.get(urn);
        if (registration === undefined) {
            throw new CallFailure(
                status.UNKNOWN,
                `cannot complete a resource '${urn}' whose registration isn't pending`,
            );
        }
        registration.outputs = outputs;
        if (urn === this.rootUrn) {
            this.stackOutputs = outputs;
        }
        if (!registration.custom) {
            await this.runAfterHooks(registration);
        }
        this.refuseWhenDown();
    }

    private async runAfterHooks(registration: Registration): Promise<void> {
        const decision = this.decisions.get(registration.urn)!;
        const { operation, old } = decision;
        if (operation === "same" || operation === "read") {
            return;
        }
        const isUpdate = operation === "update";
        const error = await this.runHooks(isUpdate ? "afterUpdate" : "afterCreate", registration, {
            newInputs: registration.checkedInputs,
            newOutputs: registration.outputs,
            oldInputs: isUpdate ? old?.checkedInputs : undefined,
            oldOutputs: isUpdate ? old?.outputs : undefined,
        });
        if (error !== undefined) {
            this.fail(registration.urn, error);
        }
    }

    /** Runs the hooks of one moment; the first failure ends it, in the words of the engine. */
    private async runHooks(
        moment: Exclude<HookMoment, "onError">,
        registration: Registration,
        args: HookArguments,
    ): Promise<string | undefined> {
        const when = moment.startsWith("before") ? "before" : "after";
        for (const name of registration.hooks[moment] ?? []) {
            const hook = this.callbacks.hook(name);
            if (hook === undefined) {
                return `hook "${name}" was not registered`;
            }
            if (this.options.preview && !hook.onDryRun) {
                continue;
            }
            const error = await this.callbacks.callHook(hook, registration, args);
            this.hookCalls.push({ hook: name, moment, urn: registration.urn, error });
            if (error !== undefined && hook.ignoreErrors) {
                const text = `${when} hook "${name}" failed: ${error}`;
                this.messages.push({ severity: "warning", text, urn: registration.urn });
            } else if (error !== undefined) {
                return `${when} hook "${name}" failed: ${error}`;
            }
        }
        return undefined;
    }

    invoke(token: string, args: PropertyMap, provider: string): PropertyMap {
        this.refuseWhenDown();
        const answer =
            token === "pulumi:pulumi:getResource" ? this.lookUp : this.options.invokes[token];
        if (answer === undefined) {
            throw new CallFailure(
                status.UNKNOWN,
                `the fake engine has no answer to the function ${token}: give runProgram one in \`invokes\``,
            );
        }
        const result = answer(args);
        this.invokes.push({ token, args, provider, result });
        return result;
    }

    private readonly lookUp = (args: PropertyMap): PropertyMap => {
        const urn = textAt(args, "urn");
        const found = this.byUrn.get(urn) ?? this.options.state.get(urn);
        if (found === undefined) {
            throw new CallFailure(status.UNKNOWN, `unknown resource ${urn}`);
        }
        return { urn, id: found.id, state: found.outputs };
    };

    /** The program has ended well: delete what it no longer registers. */
    async finish(): Promise<void> {
        this.refuseWhenDown();
        for (const deletion of this.planner.deletions()) {
            if (!(await this.deleteOne(deletion))) {
                break;
            }
        }
    }

    /** False where the deletion failed in a way that ends the run. */
    private async deleteOne({ registration, step }: Deletion): Promise<boolean> {
        const { urn } = registration;
        const args = { oldInputs: registration.checkedInputs, oldOutputs: registration.outputs };
        const refusal = await this.runHooks("beforeDelete", registration, args);
        if (refusal !== undefined) {
            this.report(urn, refusal);
            return false;
        }
        if (registration.protect && step === "delete") {
            // As the engine does: the others still go, so that one run reports every protected resource.
            this.report(
                urn,
                `resource "${urn}" cannot be deleted because it is protected: remove \`protect\` from it ` +
                    `and run an update first, or use \`pulumi state unprotect '${urn}'\``,
            );
            return true;
        }
        const error =
            this.options.preview || registration.retainOnDelete
                ? undefined
                : this.options.failOn(urn);
        if (error !== undefined && registration.custom) {
            this.report(urn, error);
            return false;
        }
        this.steps.push({ urn, step });
        this.forget(registration);
        const late = await this.runHooks("afterDelete", registration, args);
        if (late !== undefined) {
            this.report(urn, late);
        }
        return late === undefined;
    }

    private forget(registration: Registration): void {
        if (this.options.preview) {
            return;
        }
        this.gone.add(registration.urn);
        const key = this.objectKey(registration);
        if (key !== undefined && !registration.retainOnDelete) {
            this.objects.delete(key);
        }
    }

    log(message: Message): void {
        this.messages.push(message);
    }

    private report(urn: string, text: string): void {
        this.failed = true;
        this.messages.push({ severity: "error", text, urn });
    }

    private fail(urn: string, text: string): never {
        this.report(urn, text);
        throw this.shutDown();
    }

    private shutDown(): CallFailure {
        this.isDown = true;
        return new CallFailure(status.UNAVAILABLE, "resource monitor shut down");
    }

    private refuseWhenDown(): void {
        if (this.isDown) {
            throw this.shutDown();
        }
    }
}
