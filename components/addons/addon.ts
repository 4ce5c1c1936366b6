// What an add-on is: something beside the database, with its keys, its rules and its part of Pulumi's tree.

import type * as pulumi from "@pulumi/pulumi";
import type { Engine, JobFacts } from "../engines/engine";
import type { Problem } from "../problems";
import type { CompleteSpec } from "../spec";

export interface AddOnArgs {
    readonly engine: Engine;
    readonly facts: JobFacts;
    /** What pods of the cluster mount: namespace, credentials, scripts. */
    readonly foundation: readonly pulumi.Resource[];
    /** The members and the membership job: there is a primary when they are done. */
    readonly database: readonly pulumi.Resource[];
}

export interface AddOn<Output = unknown> {
    /** What is wrong with an input, whether or not it names the add-on, as far as it can be read. */
    readonly problems: (input: unknown, isNamed: boolean) => Problem[];
    /** What is wrong with it on this engine. */
    readonly engineProblems: (spec: CompleteSpec, engine: Engine) => Problem[];
    /** What taking it out of `addons` does. */
    readonly removal: string;
    /** Registers it; what it offers is known once it is ready. */
    readonly register: (args: AddOnArgs, opts: pulumi.ComponentResourceOptions) => Output;
}
