// What the API server refused, and what could not be asked at all.

import { isObject, type Tree } from "../property-tree.js";
import { textAt } from "./kubernetes-object.js";

/** An answer of the API server that is not a success. */
export class ApiError extends Error {
    override readonly name = "ApiError";

    constructor(
        readonly status: number,
        /** The machine-readable word of the answer: NotFound, AlreadyExists, Conflict, Invalid... */
        readonly reason: string,
        message: string,
        /** Only for 429 and 503, when the server says so. */
        readonly retryAfterSeconds?: number,
    ) {
        super(message);
    }
}

/** No answer came: the server is not there, or the connection broke. */
export class ConnectionError extends Error {
    override readonly name = "ConnectionError";

    constructor(
        message: string,
        /** True when it is certain that the request never reached the server. */
        readonly neverSent: boolean,
    ) {
        super(message);
    }
}

export function toApiError(status: number, body: string, retryAfter: string | undefined): ApiError {
    let answer: Tree = null;
    try {
        answer = JSON.parse(body) as Tree;
    } catch {
        // Proxies and health endpoints answer in plain text.
    }
    const message = isObject(answer) ? textAt(answer, "message") : body.trim();
    return new ApiError(
        status,
        textAt(answer, "reason"),
        message === "" ? `HTTP ${status}` : message,
        retryAfter === undefined || Number.isNaN(Number(retryAfter))
            ? undefined
            : Number(retryAfter),
    );
}

export const isNotFound = (error: unknown): boolean =>
    error instanceof ApiError && error.status === 404;

export const isAlreadyExists = (error: unknown): boolean =>
    error instanceof ApiError && error.reason === "AlreadyExists";

/** Another field manager owns a field that this apply would change. */
export const isApplyConflict = (error: unknown): boolean =>
    error instanceof ApiError && error.status === 409 && error.message.includes("Apply failed");

/** Somebody changed the object between our reading and our writing it. */
export const isStale = (error: unknown): boolean =>
    error instanceof ApiError &&
    error.status === 409 &&
    error.reason === "Conflict" &&
    !isApplyConflict(error);

const TRANSIENT_STATUS: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);

/** Might go well a moment later, for a request that may be sent twice. */
export const isTransient = (error: unknown): boolean =>
    error instanceof ConnectionError ||
    (error instanceof ApiError && TRANSIENT_STATUS.has(error.status));

/** Certainly was not carried out, so that even a create may be sent again. */
export const wasNotCarriedOut = (error: unknown): boolean =>
    (error instanceof ConnectionError && error.neverSent) ||
    (error instanceof ApiError && (error.status === 429 || error.status === 503));
