// What every controller of the sandbox is to the loop that runs it, and how it logs.

import type { KubernetesObject } from "@kubernetes/client-node";
import type { Listing } from "./api.js";

export interface Controller {
    /** What it stands in for. */
    readonly name: string;
    /** Listings whose changes make it look. */
    readonly sources: readonly Pick<Listing<KubernetesObject>, "follow">[];
    /** Brings the cluster nearer to what it should be; safe to run at any time. */
    reconcile(): Promise<void>;
}

export function log(controller: string, line: string): void {
    console.log(`${new Date().toISOString()} sandbox stand-in for ${controller}: ${line}`);
}
