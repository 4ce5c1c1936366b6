// The program: configuration -> specification -> platform -> cluster -> outputs.

import * as pulumi from "@pulumi/pulumi";
import {
    acceptSpec,
    DatabaseCluster,
    existingPlatform,
    readConfig,
    SpecError,
    stackConfig,
} from "./components";

const values = stackConfig(pulumi.getProject());
const input = { name: pulumi.getStack(), ...readConfig(values) };
const { spec } = accept(input);

const { provider } = existingPlatform({
    // Whoever has it has the cluster. The state keeps it encrypted, however it was configured.
    ...(values.kubeconfig !== undefined && { kubeconfig: pulumi.secret(values.kubeconfig) }),
    context: values.context,
    adopt: spec.adopt,
});
const database = new DatabaseCluster(spec.name, spec, { provider });

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

/** A refused configuration is one clear message, not a stack trace. */
function accept(wanted: unknown): ReturnType<typeof acceptSpec> {
    try {
        return acceptSpec(wanted);
    } catch (error) {
        throw error instanceof SpecError ? new pulumi.RunError(error.message) : error;
    }
}
