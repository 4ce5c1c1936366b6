// What is said of a specification that is refused: every problem at once, each with its configuration key, the value and
// the reason.

import { z } from "zod";
import { at } from "./input";

/** One thing that is wrong with a specification. */
export interface Problem {
    /** Path of the value below the configuration namespace, for example `storage.size`. */
    readonly path: string;
    /** The value found there; `undefined` when it is missing. */
    readonly value: unknown;
    /** Why it is refused and what to write instead. */
    readonly reason: string;
}

/** Thrown when a specification is refused. Its message lists every problem. */
export class SpecError extends Error {
    public constructor(public readonly problems: readonly Problem[]) {
        super(describeProblems(problems));
        this.name = "SpecError";
    }
}

/** The message of a refusal: one line a problem, with key, value and reason. */
export function describeProblems(problems: readonly Problem[]): string {
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    const lines = problems.map(({ path, value, reason }) =>
        value === undefined
            ? `  quorum:${path} is missing: ${reason}`
            : `  ${path === "" ? "the configuration" : `quorum:${path}`} = ${show(value)}: ${reason}`,
    );
    return [`The configuration has ${count}; nothing was changed.`, ...lines].join("\n");
}

/** Longer values are cut in a message. */
const MAX_SHOWN = 300;

/** A value as it was written. Whatever it is, it can be shown. */
function show(value: unknown): string {
    if (typeof value === "function" || typeof value === "symbol") {
        return `a ${typeof value}`;
    }
    if (typeof value === "number" || typeof value === "bigint") {
        return `${value}`;
    }
    let text: string | undefined;
    try {
        text = JSON.stringify(value, (_, part: unknown) =>
            typeof part === "bigint" ? `${part}` : part,
        );
    } catch {
        // It contains itself, or says itself how it is written and fails.
    }
    if (text === undefined) {
        return "an object";
    }
    return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}...` : text;
}

/** What is said of an issue that a schema found in an input. */
export function toProblems(schema: z.ZodType, issue: z.core.$ZodIssue, input: unknown): Problem[] {
    if (issue.code === "unrecognized_keys") {
        return issue.keys.map((key) => {
            const path = [...issue.path, key].join(".");
            return {
                path,
                value: at(input, [...issue.path, key]),
                reason: unknownKey(schema, issue.path, key),
            };
        });
    }
    const value = at(input, issue.path);
    if (issue.code === "invalid_key") {
        return [{ path: issue.path.join("."), value, reason: issue.issues[0]!.message }];
    }
    return [{ path: issue.path.join("."), value, reason: reasonOf(issue, value) }];
}

function reasonOf(issue: z.core.$ZodIssue, value: unknown): string {
    if (issue.code === "invalid_value") {
        const names = issue.values.map(String);
        const choices = `one of ${names.join(", ")}`;
        const near = typeof value === "string" ? nearest(names, value) : undefined;
        return value === undefined
            ? `it is required, ${choices}`
            : `must be ${choices}${near === undefined ? "" : `; did you mean "${near}"?`}`;
    }
    if (issue.code === "invalid_type") {
        if (value === undefined) {
            return `it is required (${WORDS[issue.expected] ?? issue.expected})`;
        }
        const wanted = issue.message.startsWith("Invalid input")
            ? `must be ${WORDS[issue.expected] ?? issue.expected}`
            : issue.message;
        return wanted + howToWrite(issue, value);
    }
    return issue.message;
}

/** What a value of the wrong type was most likely meant to be, in Pulumi's words. */
function howToWrite({ path, expected }: z.core.$ZodIssueInvalidType, value: unknown): string {
    if (typeof value !== "string") {
        return "";
    }
    if (expected === "array") {
        const key = path.map(String).join(".");
        const first = value.split(/[\s,[\]]+/).find((part) => part !== "") ?? "...";
        return `: pulumi config set --path 'quorum:${key}[0]' ${first}, then [1] and so on`;
    }
    return ["int", "number"].includes(expected) &&
        value.trim() !== "" &&
        Number.isFinite(Number(value))
        ? ", without quotes"
        : "";
}

const WORDS: Readonly<Record<string, string>> = {
    array: "a list",
    int: "a whole number",
    number: "a number",
    object: "an object",
    record: "an object",
    string: "text",
    boolean: "true or false",
};

function unknownKey(schema: z.ZodType, parent: readonly PropertyKey[], key: string): string {
    const known = Object.keys(shapeAt(schema, parent));
    const near = nearest(known, key);
    return near !== undefined
        ? `there is no such key; did you mean "${near}"?`
        : `there is no such key; known are ${known.join(", ")}`;
}

/** The keys that a schema has at a path. */
function shapeAt(schema: z.ZodType, [key, ...below]: readonly PropertyKey[]): z.core.$ZodShape {
    if (schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault) {
        return shapeAt(schema.unwrap() as z.ZodType, key === undefined ? [] : [key, ...below]);
    }
    if (schema instanceof z.ZodRecord) {
        return key === undefined ? {} : shapeAt(schema.valueType as z.ZodType, below);
    }
    const shape = schema instanceof z.ZodObject ? (schema.shape as z.core.$ZodShape) : {};
    const inner = key === undefined ? undefined : shape[key as string];
    return inner === undefined ? shape : shapeAt(inner as z.ZodType, below);
}

/** Nobody means a name by more letters than that. */
const MAX_NEAR_LENGTH = 200;

/** The name that was most likely meant. */
const nearest = (names: readonly string[], written: string): string | undefined =>
    written.length > MAX_NEAR_LENGTH
        ? undefined
        : names
              .map((name) => ({ name, apart: distance(name.toLowerCase(), written.toLowerCase()) }))
              .filter(({ apart }) => apart <= 2)
              .sort((one, other) => one.apart - other.apart)[0]?.name;

/** Levenshtein distance, for "did you mean". */
function distance(a: string, b: string): number {
    let row = Array.from({ length: b.length + 1 }, (_, j) => j);
    for (let i = 1; i <= a.length; i++) {
        const next = [i];
        for (let j = 1; j <= b.length; j++) {
            next.push(
                Math.min(
                    next[j - 1]! + 1,
                    row[j]! + 1,
                    row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1),
                ),
            );
        }
        row = next;
    }
    return row[b.length]!;
}
