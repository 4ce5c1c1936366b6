// Rules over several keys that hold for every engine. They look at whatever of an input could be read, so that one message has
// all that is wrong.

import { at } from "../input";
import type { Problem } from "../problems";
import { ADDONS } from "../addons";
import { PLATFORMS } from "../platforms";
import { ADDON_NAMES, defaultDriver, DRIVER_NAMES, PLATFORM_NAMES } from "../spec";
import { STORAGE_DRIVERS } from "../storage";

export function crossChecks(input: unknown): Problem[] {
    const problems: Problem[] = [];
    const zones = at(input, ["zones"]);
    const layout = at(input, ["layout"]);
    const name = at(input, ["name"]);
    if (Array.isArray(zones)) {
        const names = zones.filter((zone): zone is string => typeof zone === "string");
        const twice = names.filter((zone, index) => names.indexOf(zone) !== index);
        if (twice.length > 0) {
            problems.push({
                path: "zones",
                value: zones,
                reason: `names ${[...new Set(twice)].join(", ")} twice`,
            });
        }
        if (layout === "single-zone" && names.length > 1) {
            problems.push({
                path: "zones",
                value: zones,
                reason: "layout single-zone takes exactly one zone",
            });
        }
        if (layout === "multi-zone" && names.length === 1) {
            problems.push({
                path: "zones",
                value: zones,
                reason: "layout multi-zone takes at least two zones",
            });
        }
        if (typeof name === "string") {
            const longest = Math.max(0, ...names.map((zone) => zone.length));
            // A StatefulSet's name may have 52 characters: its pods carry it in a label with a hash of 11.
            if (name.length + longest + "-master".length + "--00".length > 52) {
                problems.push({
                    path: "name",
                    value: name,
                    reason: `is too long together with the zone names: member names must stay below 52 characters`,
                });
            }
        }
    }
    const allowed = at(input, ["allowChanges"]);
    if (Array.isArray(allowed) && new Set(allowed).size < allowed.length) {
        problems.push({ path: "allowChanges", value: allowed, reason: "names a rule twice" });
    }
    problems.push(...platformChecks(input), ...storageChecks(input), ...addonChecks(input));
    return problems;
}

function addonChecks(input: unknown): Problem[] {
    const addons = at(input, ["addons"]) ?? [];
    if (!Array.isArray(addons)) {
        return [];
    }
    const twice = new Set(addons).size < addons.length;
    return [
        ...(twice ? [{ path: "addons", value: addons, reason: "names an add-on twice" }] : []),
        ...ADDON_NAMES.flatMap((name) => ADDONS[name].problems(input, addons.includes(name))),
    ];
}

/** A platform's keys are refused of the others. */
function platformChecks(input: unknown): Problem[] {
    const platform = at(input, ["platform"]) ?? "existing";
    const named = PLATFORM_NAMES.find((name) => name === platform);
    const foreign = PLATFORM_NAMES.filter((name) => name !== named).flatMap((name) =>
        PLATFORMS[name].keys.flatMap((key) => {
            const value = at(input, [key]);
            return value === undefined
                ? []
                : [{ path: key, value, reason: `belongs to platform ${name}` }];
        }),
    );
    return named === undefined ? [] : [...PLATFORMS[named].problems(input), ...foreign];
}

/** A driver's keys are refused of the others, but for their defaults: a complete specification is accepted again as it is. */
function storageChecks(input: unknown): Problem[] {
    const platform = at(input, ["platform"]);
    const driver = at(input, ["storage", "driver"]);
    const named = DRIVER_NAMES.find((name) => name === driver) ?? defaultDriver(platform);
    const foreign = Object.entries(STORAGE_DRIVERS)
        .filter(([name]) => name !== named)
        .flatMap(([name, { keys }]) =>
            Object.entries(keys).flatMap(([key, schema]) => {
                const value = at(input, ["storage", key]);
                return value === undefined || value === schema.safeParse(undefined).data
                    ? []
                    : [{ path: `storage.${key}`, value, reason: `belongs to driver ${name}` }];
            }),
        );
    return [...STORAGE_DRIVERS[named].problems(input), ...foreign];
}
