// A fake Pulumi engine for tests: runs a whole program - its index.ts, its configuration, its hooks - through
// the SDK's own runner, with no Pulumi CLI, no provider and no cluster, and hands back all it registered.
//
//     const first = await runProgram({ config: { engine: "mysql", members: "3" } });
//     const next = await runProgram({ config: { engine: "mysql", members: "5" }, previous: first });
//
// What it does not prove: that Pulumi's own loader of TypeScript takes the program (test/cluster has it), that a
// provider or an API server would accept the objects, or that anything becomes ready. What it does not do: refresh,
// targets, destroy, remote components, transforms of invokes; and an old object that a failed run left to be deleted
// later is forgotten. In a preview the CLI shows a hook's refusal behind the words "Preview failed: ", left out here.

import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { NOTHING_HAPPENED, runChild, type ChildResult } from "./engine/child.js";
import { Deployment, type InvokeAnswers } from "./engine/deployment.js";
import type { ForceNewTables } from "./engine/differences.js";
import { inAPlace } from "./engine/places.js";
import { fullKeyOf, missingConfig, readProject, stackConfig } from "./engine/project.js";
import type { Project } from "./engine/project.js";
import type { ComputedOutputs } from "./engine/provider-outputs.js";
import type { Registration, RunResult, StackOutput } from "./engine/registration.js";
import { serve } from "./engine/server.js";
import type { StackIdentity } from "./engine/urn.js";
import { Asset, ResourceReference, Secret, type PropertyMap, type Value } from "./engine/values.js";

export { textAt, valueAt } from "./engine/property-path.js";
export type {
    HookCall,
    InvokeCall,
    Message,
    Registration,
    RunResult,
    Severity,
    StackOutput,
    Step,
} from "./engine/registration.js";
export { filesLoadedOf } from "./engine/loaded-files.js";
export { secretsSweep } from "./engine/secrets-sweep.js";
export { deletionOrderOf, dependsOnTransitively, orderOf } from "./engine/order.js";
export {
    Asset,
    mapWithoutSecrets,
    ResourceReference,
    Secret,
    UNKNOWN,
    withoutSecrets,
} from "./engine/values.js";
export type { PropertyMap, Value } from "./engine/values.js";

/** The repository's own program. */
const PROGRAM = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const TIMEOUT_MILLISECONDS = 60_000;
/** What the Pulumi CLI exits with when a deployment fails. */
const DEPLOYMENT_FAILED = 255;

export interface RunOptions {
    /** Stack configuration. Keys without a namespace are the project's own. */
    config: Readonly<Record<string, string>>;
    /** The keys of `config` that are secret. */
    secretKeys?: readonly string[];
    /** `pulumi preview` in place of `pulumi up`. */
    preview?: boolean;
    /** Default "test". */
    stack?: string;
    /** Default: the name in Pulumi.yaml. */
    project?: string;
    /** The folder of the program's Pulumi.yaml. Default: this repository. */
    program?: string;
    /** The run whose state this one continues. Default: a new stack. */
    previous?: RunResult;
    /** Previews: no output of a resource that would be created is known, not even the echo of an input. */
    outputsUnknown?: boolean;
    /**
     * The message with which a provider fails to create, update or delete a resource; undefined where it
     * succeeds. Updates only. An object of Kubernetes that fails exists all the same, but never became ready.
     */
    failOn?: (urn: string) => string | undefined;
    /** Outputs that a provider computes, beside those that the engine knows of (Kubernetes, random, gcp). */
    computed?: ComputedOutputs;
    /** Answers to provider functions, by token. Any other function call fails. */
    invokes?: InvokeAnswers;
    /** What replaces resources of types other than those of Kubernetes and random. Default: nothing does. */
    forceNew?: ForceNewTables;
    /** Environment variables of the program, which sees PATH and HOME otherwise. */
    environment?: Readonly<Record<string, string>>;
    /** List the files that the program loads, for `filesLoadedOf`. Default: not. */
    reportLoaded?: boolean;
    /** In milliseconds; the run is rejected after that. Default 60 s. */
    timeout?: number;
}

/**
 * Runs the program once, to its end. A file's runs may go on at the same time; those beyond the number of processors
 * wait for their turn.
 */
export function runProgram(options: RunOptions): Promise<RunResult> {
    return inAPlace(() => runNow(options));
}

async function runNow(options: RunOptions): Promise<RunResult> {
    const started = Date.now();
    const project = readProject(options.program ?? PROGRAM);
    const at = {
        stack: options.stack ?? "test",
        project: options.project ?? project.name ?? "quorum",
    };
    const config = stackConfig(project, at.project, options.config);
    const preview = options.preview ?? false;
    const deployment = new Deployment({
        at,
        preview,
        outputsUnknown: options.outputsUnknown ?? false,
        config,
        state: stateOf(options.previous),
        failOn: options.failOn ?? (() => undefined),
        computed: options.computed ?? (() => undefined),
        invokes: options.invokes ?? {},
        rules: { config, forceNew: options.forceNew },
    });
    const child = refuseMissingConfig(deployment, project, at, config)
        ? NOTHING_HAPPENED
        : await runAgainst(deployment, options, { project, at, config, preview });
    return {
        exitCode: deployment.failed ? DEPLOYMENT_FAILED : child.exitCode,
        preview,
        ...at,
        config,
        messages: deployment.messages,
        stdout: child.stdout,
        stderr: child.stderr,
        loadedFiles:
            child.loadedFiles === "" ? undefined : (JSON.parse(child.loadedFiles) as string[]),
        resources: deployment.resources,
        outputs: stackOutputs(deployment.stackOutputs),
        invokes: deployment.invokes,
        hookCalls: deployment.hookCalls,
        steps: deployment.steps,
        state: deployment.stateAfter(),
        duration: Date.now() - started,
    };
}

function stateOf(previous: RunResult | undefined): ReadonlyMap<string, Registration> {
    if (previous?.preview === true) {
        throw new Error("`previous` is a preview, which leaves no state: give the run before it");
    }
    return previous?.state ?? new Map<string, Registration>();
}

/** As the CLI does before it starts the program. */
function refuseMissingConfig(
    deployment: Deployment,
    project: Project,
    at: StackIdentity,
    config: Readonly<Record<string, string>>,
): boolean {
    const missing = missingConfig(project, at.project, config);
    for (const key of missing) {
        const text = `Stack '${at.stack}' is missing configuration value '${key}'`;
        deployment.messages.push({ severity: "error", text, urn: "" });
    }
    deployment.failed ||= missing.length > 0;
    return missing.length > 0;
}

/** What the options leave open, settled. */
interface Settled {
    project: Project;
    at: StackIdentity;
    config: Readonly<Record<string, string>>;
    preview: boolean;
}

async function runAgainst(
    deployment: Deployment,
    options: RunOptions,
    settled: Settled,
): Promise<ChildResult> {
    const timeout = options.timeout ?? TIMEOUT_MILLISECONDS;
    const secretKeys = (options.secretKeys ?? []).map((key) => fullKeyOf(key, settled.at.project));
    const environment = options.environment ?? {};
    const server = await serve(deployment);
    try {
        const child = await runChild(
            {
                ...settled,
                address: server.address,
                secretKeys,
                environment,
                timeout,
                reportLoaded: options.reportLoaded ?? false,
            },
            () => deployment.failed,
        );
        if (child.timedOut) {
            throw new Error(
                `the program did not end within ${timeout / 1000} s; it had registered ` +
                    `${deployment.resources.length} resources, the last one ` +
                    `${deployment.resources.at(-1)?.urn ?? "none"}\n${child.stdout}${child.stderr}`,
            );
        }
        return child;
    } finally {
        server.close();
    }
}

function stackOutputs(outputs: PropertyMap): Record<string, StackOutput> {
    return Object.fromEntries(
        Object.entries(outputs).map(([key, value]) => [key, stackOutput(value)]),
    );
}

function stackOutput(value: Value): StackOutput {
    if (value instanceof Secret) {
        return { secret: stackOutput(value.value) };
    }
    if (value instanceof ResourceReference) {
        return { urn: value.urn, id: stackOutput(value.id) };
    }
    if (value instanceof Asset) {
        return stackOutputs(value.content);
    }
    if (Array.isArray(value)) {
        return value.map(stackOutput);
    }
    return typeof value === "object" && value !== null ? stackOutputs(value) : value;
}
