// In which order resources are created, updated and deleted, as the dependency graph has it.

import { edgesOf } from "./planner.js";
import type { Registration, RunResult } from "./registration.js";

/** Whether `a` waits for `b`: through its dependencies, its parents, its provider, at any distance. */
export function dependsOnTransitively(result: RunResult, a: string, b: string): boolean {
    const byUrn = graphOf(result);
    for (const urn of [a, b]) {
        if (!byUrn.has(urn)) {
            throw new Error(`the run has no resource ${urn}`);
        }
    }
    return reachableFrom(byUrn, a).has(b);
}

function graphOf(result: RunResult): Map<string, Registration> {
    return new Map(result.resources.map((registration) => [registration.urn, registration]));
}

/** Everything a resource waits for. */
function reachableFrom(byUrn: ReadonlyMap<string, Registration>, urn: string): Set<string> {
    const seen = new Set<string>();
    const next = [urn];
    for (let at = next.pop(); at !== undefined; at = next.pop()) {
        for (const edge of edgesOf(byUrn.get(at)!)) {
            if (byUrn.has(edge) && !seen.has(edge)) {
                seen.add(edge);
                next.push(edge);
            }
        }
    }
    return seen;
}

/**
 * The URNs of the selected resources (default: all) in waves: what stands in one wave may be created or
 * updated at the same time, and waits for something of the wave before it.
 */
export function orderOf(
    result: RunResult,
    selected: (registration: Registration) => boolean = () => true,
): string[][] {
    const byUrn = graphOf(result);
    const chosen = result.resources.filter(selected);
    const wave = new Map<string, number>();
    const waits = new Map(chosen.map(({ urn }) => [urn, reachableFrom(byUrn, urn)]));
    const waveOf = (urn: string): number => {
        const known = wave.get(urn);
        if (known !== undefined) {
            return known;
        }
        const before = chosen.filter(
            (other) => other.urn !== urn && waits.get(urn)!.has(other.urn),
        );
        const number = before.reduce((last, other) => Math.max(last, waveOf(other.urn) + 1), 0);
        wave.set(urn, number);
        return number;
    };
    const waves: string[][] = [];
    for (const { urn } of chosen) {
        (waves[waveOf(urn)] ??= []).push(urn);
    }
    return waves;
}

/** The waves in which the selected resources would be deleted: `orderOf` from its end. */
export function deletionOrderOf(
    result: RunResult,
    selected?: (registration: Registration) => boolean,
): string[][] {
    return orderOf(result, selected).reverse();
}
