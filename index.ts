// The program: configuration -> specification -> platform -> cluster -> outputs.

import * as pulumi from "@pulumi/pulumi";
import {
    acceptSpec,
    DatabaseCluster,
    openPlatform,
    readConfig,
    settingsProblems,
    SpecError,
    stackConfig,
    withPackageConfig,
    type ClusterSpecInput,
} from "./components";

const values = stackConfig(pulumi.getProject());
const { args, ...accepted } = accept({
    name: pulumi.getStack(),
    ...withPackageConfig(readConfig(values)),
});
const { spec } = accepted;

const kubernetes = openPlatform(accepted, values);
// One name for ever: under another one Pulumi would take the cluster for a new one and delete this one, and no change rule
// would be asked. The alias is for stacks of before, where it was the cluster's.
const database = new DatabaseCluster(
    "database",
    { ...args, kubernetes },
    pulumi.mergeOptions(kubernetes.options, { aliases: [{ name: spec.name }] }),
);

export const cluster = spec.name;
export const engine = spec.engine;
export const namespace = database.namespace;
export const members = database.members;
export const endpoints = database.endpoints;
export const credentials = database.credentials;
// pulumi stack output connection --show-secrets
export const connection = database.connection;
export const commands = database.commands;
export const addons = database.addons;
// Platform gke: what it costs a month, and pulumi stack output kubeconfig > kubeconfig. Where a platform has neither they are no
// exports: Pulumi would warn of an undefined one at every run.
const { cost, kubeconfig } = kubernetes;
Object.assign(module.exports as object, cost && { cost }, kubeconfig && { kubeconfig });

/** A refused configuration is one clear message, not a stack trace. */
function accept(wanted: unknown) {
    try {
        const accepted = acceptSpec(wanted, settingsProblems(wanted, values));
        return { ...accepted, args: wanted as ClusterSpecInput };
    } catch (error) {
        throw error instanceof SpecError ? new pulumi.RunError(error.message) : error;
    }
}
