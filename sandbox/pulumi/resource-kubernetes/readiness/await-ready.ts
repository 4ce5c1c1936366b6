// Waits until an object is ready, tells why it is not yet, and gives up at the end of the time.

import { isNotFound, isTransient } from "../api-error.js";
import type { Cluster } from "../cluster.js";
import { idOf, titleOf, uidOf, type KubernetesObject } from "../kubernetes-object.js";
import type { Rule, Verdict } from "./rule.js";

export const DEFAULT_TIMEOUT_SECONDS = 10 * 60;
const POLL_MILLISECONDS = 700;
const STATUS_EVERY_MILLISECONDS = 10_000;

/** The object is there but not ready; Pulumi keeps it in the state together with the reasons. */
export class NotReadyError extends Error {
    override readonly name = "NotReadyError";

    constructor(
        readonly headline: string,
        readonly reasons: readonly string[],
        readonly live: KubernetesObject,
    ) {
        super([headline, ...reasons].join("\n    - "));
    }
}

export interface Wait {
    readonly cluster: Cluster;
    readonly rule: Rule;
    readonly timeoutSeconds: number;
    /** Shown beside the resource; "" clears it. */
    status(message: string): void;
}

async function explained(
    wait: Wait,
    live: KubernetesObject,
    verdict: Verdict,
): Promise<readonly string[]> {
    if (verdict.state === "ready") return [];
    const found = await wait.rule.explain?.(live, wait.cluster).catch(() => []);
    return [...verdict.reasons, ...(found ?? [])];
}

/** undefined while the API server is away: that says nothing about the object. */
async function look(
    wait: Wait,
    object: KubernetesObject,
): Promise<{ live: KubernetesObject; verdict: Verdict } | undefined> {
    try {
        const live = await wait.cluster.getLike(object);
        if (uidOf(live) !== uidOf(object)) {
            const reason = "somebody has deleted it and made another one under its name";
            return { live, verdict: { state: "failed", reasons: [reason] } };
        }
        return { live, verdict: await wait.rule.check(live, wait.cluster) };
    } catch (error) {
        if (isNotFound(error)) {
            throw new NotReadyError(
                `${titleOf(object)} was deleted while it was being waited for`,
                [],
                object,
            );
        }
        if (isTransient(error)) return undefined;
        throw error;
    }
}

/** Resolves to the live object when it is ready, throws {@link NotReadyError} otherwise. */
export async function awaitReady(wait: Wait, written: KubernetesObject): Promise<KubernetesObject> {
    const seconds = Math.min(wait.timeoutSeconds, wait.rule.longestSeconds ?? Infinity);
    const started = Date.now();
    const { client } = wait.cluster;
    let told = started;
    let live = written;
    let verdict: Verdict = { state: "waiting", reasons: ["the API server does not answer"] };
    while (!client.cancelled.aborted) {
        const seen = await look(wait, written);
        if (seen !== undefined) ({ live, verdict } = seen);
        if (verdict.state === "ready") {
            wait.status("");
            return live;
        }
        if (verdict.state === "failed") {
            const reasons = await explained(wait, live, verdict);
            throw new NotReadyError(`${titleOf(live)} cannot become ready`, reasons, live);
        }
        const now = Date.now();
        if (now - started >= seconds * 1000) {
            const reasons = await explained(wait, live, verdict);
            throw new NotReadyError(
                `timed out after ${seconds} s waiting for ${titleOf(live)} to be ready`,
                reasons,
                live,
            );
        }
        if (now - told >= STATUS_EVERY_MILLISECONDS) {
            told = now;
            wait.status(`${idOf(live)}: ${(await explained(wait, live, verdict)).join("; ")}`);
        }
        await client.pause(Math.min(POLL_MILLISECONDS, started + seconds * 1000 - now));
    }
    throw new NotReadyError(`waiting for ${titleOf(live)} was cancelled`, verdict.reasons, live);
}
