// Waiting until the sandbox's machines have followed what was written.

import { setTimeout as sleep } from "node:timers/promises";
import type { ClusterStatus, NodePoolStatus } from "../../cloud/status.js";
import type { CloudResource } from "../../cloud/store.js";
import { PluginError } from "../grpc-handler.js";
import type { Google, Kind } from "./kind.js";
import { STAND_IN } from "./refusal.js";

const POLL_MILLISECONDS = 200;

/** After so long without an end the user is told what is waited for. */
const TELL_EVERY_MILLISECONDS = 10_000;

export interface Patience {
    readonly seconds: number;
    readonly cancelled: AbortSignal;
    /** Shown beside the resource. */
    readonly tell: (message: string) => void;
}

type Followed = Partial<ClusterStatus & NodePoolStatus>;

function isSettled({ status }: CloudResource): boolean {
    const { state, revision, observed } = status as unknown as Followed;
    return state === "RUNNING" && (revision === undefined || observed === revision);
}

async function waitUntil(
    isDone: () => boolean,
    describe: () => string,
    { seconds, cancelled, tell }: Patience,
): Promise<void> {
    const started = Date.now();
    let told = started;
    while (!isDone()) {
        if (cancelled.aborted) throw new PluginError(`The update was cancelled; ${describe()}.`);
        const now = Date.now();
        if (now - started > seconds * 1000) {
            throw new PluginError(
                `timeout while waiting for state to become 'DONE' (timeout: ${seconds}s): ${describe()} (said by ${STAND_IN}).`,
            );
        }
        if (now - told > TELL_EVERY_MILLISECONDS) {
            tell(describe());
            told = now;
        }
        await sleep(POLL_MILLISECONDS, undefined, { signal: cancelled }).catch(() => undefined);
    }
}

function stateAt(google: Google, path: string): Followed {
    return google.cloud.read(path)?.status ?? {};
}

/** Resolves when a resource is as it was written; rejects when it cannot become so. */
export async function settled(
    google: Google,
    kind: Kind,
    path: string,
    patience: Patience,
): Promise<void> {
    const describe = () => {
        const { state = "gone", nodes = [] } = stateAt(google, path);
        const count = nodes.length === 0 ? "" : `, ${nodes.length} node(s)`;
        return `the sandbox's machines work on ${kind.title} ${path} (${state}${count})`;
    };
    await waitUntil(
        () => {
            const resource = google.cloud.read(path);
            if (resource === undefined) {
                throw new PluginError(`${kind.title} ${path} was deleted by somebody else.`);
            }
            const { state, message = "the sandbox's machines do not say why" } = stateAt(
                google,
                path,
            );
            if (state === "ERROR") {
                throw new PluginError(`${kind.title} ${path} is in state ERROR: ${message}.`);
            }
            return isSettled(resource);
        },
        describe,
        patience,
    );
}

/** Resolves when a resource is gone. */
export async function gone(
    google: Google,
    kind: Kind,
    path: string,
    patience: Patience,
): Promise<void> {
    await waitUntil(
        () => {
            const { state, message = "the sandbox's machines do not say why" } = stateAt(
                google,
                path,
            );
            if (state === "ERROR") {
                throw new PluginError(`${kind.title} ${path} cannot be deleted: ${message}.`);
            }
            return google.cloud.read(path) === undefined;
        },
        () => `the sandbox's machines take away ${kind.title} ${path}`,
        patience,
    );
}

/** True when what was written before has not been followed, and nothing works on it any more. */
export function needsAnotherTry(resource: CloudResource): boolean {
    return (resource.status as unknown as Followed).state === "ERROR";
}
