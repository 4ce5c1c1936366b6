// What every controller of the sandbox is to the loop that runs it, and how it logs.

import type { Informer, KubernetesObject } from "@kubernetes/client-node";

export interface Controller {
    /** What it stands in for. */
    readonly name: string;
    /** Caches whose changes make it look. */
    readonly sources: readonly Informer<KubernetesObject>[];
    /** Brings the cluster nearer to what it should be; safe to run at any time. */
    reconcile(): Promise<void>;
}

export function log(controller: string, line: string): void {
    console.log(`${new Date().toISOString()} sandbox stand-in for ${controller}: ${line}`);
}
