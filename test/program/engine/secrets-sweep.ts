// Looks for plaintext secrets where anyone could read them.

import type { RunResult } from "./registration.js";
import { formatPath, type PathElement } from "./property-path.js";
import { Secret } from "./values.js";

/**
 * The places where one of the plaintexts stands outside a secret envelope: inputs and outputs of resources,
 * ids, stack outputs, messages, and what the program printed. A plaintext also counts in base64 and in the
 * encoding of URLs. What is passed to a provider's function is not looked at: the SDK strips envelopes there.
 */
export function secretsSweep(result: RunResult, plaintexts: readonly string[]): string[] {
    if (plaintexts.some((plaintext) => plaintext === "")) {
        throw new Error("an empty plaintext stands everywhere: give secretsSweep real ones");
    }
    const needles = plaintexts.flatMap((plaintext) => [
        plaintext,
        Buffer.from(plaintext).toString("base64"),
        encodeURIComponent(plaintext),
    ]);
    const found = new Set<string>();
    const look = (at: string, value: unknown): void => {
        for (const path of leaks(value, needles)) {
            found.add(path.length === 0 ? at : `${at}: ${formatPath(path)}`);
        }
    };
    for (const registration of result.resources) {
        const { urn, inputs, outputs, custom } = registration;
        // The checked inputs, and what the fake provider echoes of a custom resource, say nothing new.
        look(urn, { ...registration, inputs: {}, checkedInputs: {}, outputs: {} });
        look(`${urn} inputs`, inputs);
        look(`${urn} outputs`, custom ? {} : outputs);
    }
    look("stack outputs", withEnvelopes(result.outputs));
    result.messages.forEach(({ text }, index) => {
        look(`message ${index}`, text);
    });
    look("stdout", result.stdout);
    look("stderr", result.stderr);
    return [...found];
}

/** Stack outputs show a secret as `{ secret: value }`. */
function withEnvelopes(value: unknown): unknown {
    if (Array.isArray(value)) {
        return value.map(withEnvelopes);
    }
    if (typeof value !== "object" || value === null) {
        return value;
    }
    const entries = Object.entries(value);
    return entries.length === 1 && entries[0]![0] === "secret"
        ? new Secret(null)
        : Object.fromEntries(entries.map(([key, entry]) => [key, withEnvelopes(entry)]));
}

function leaks(value: unknown, needles: readonly string[]): PathElement[][] {
    if (typeof value === "string") {
        return needles.some((needle) => value.includes(needle)) ? [[]] : [];
    }
    if (typeof value !== "object" || value === null || value instanceof Secret) {
        return [];
    }
    const entries: [PathElement, unknown][] = Array.isArray(value)
        ? value.map((element, index): [number, unknown] => [index, element])
        : Object.entries(value);
    return entries.flatMap(([key, entry]) => [
        ...(leaks(String(key), needles).length > 0 ? [[key]] : []),
        ...leaks(entry, needles).map((path) => [key, ...path]),
    ]);
}
