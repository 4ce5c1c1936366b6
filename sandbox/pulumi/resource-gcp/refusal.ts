// What Google's API and Terraform's provider refuse, in their words, and marked as the stand-in's.

import { PluginError } from "../grpc-handler.js";

export const STAND_IN = "the sandbox's stand-in for Google Cloud";

/** A refusal of Google's. */
export class Refusal extends PluginError {
    constructor(
        /** HTTP status of Google's API. */
        readonly status: number,
        message: string,
        /** Google's short reason: alreadyExists, notFound, invalid ... */
        reason: string,
    ) {
        super(`googleapi: Error ${status}: ${message}, ${reason} (said by ${STAND_IN})`);
    }
}

/** @param resource id or name of what is there already */
export function alreadyExists(resource: string): Refusal {
    return new Refusal(409, `The resource '${resource}' already exists`, "alreadyExists");
}

export function notFound(resource: string): Refusal {
    return new Refusal(404, `The resource '${resource}' was not found`, "notFound");
}

export function invalid(message: string): Refusal {
    return new Refusal(400, message, "invalid");
}

/** @param user id of what needs it */
export function inUse(what: string, resource: string, user: string): Refusal {
    return new Refusal(
        400,
        `The ${what} resource '${resource}' is already being used by '${user}'`,
        "resourceInUseByAnotherResource",
    );
}

/** What this stand-in does not have, though Google does. */
export function notHere(what: string): PluginError {
    return new PluginError(
        `${what} is not supported by ${STAND_IN} (sandbox/pulumi/README.md, resource-gcp).`,
    );
}
