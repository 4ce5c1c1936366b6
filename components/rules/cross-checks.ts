// Rules over several keys that hold for every engine. They look at whatever of an input could be read, so that one message has
// all that is wrong.

import { at } from "../input";
import type { Problem } from "../problems";
import { LOCAL_PATH } from "../spec";

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
    problems.push(...storageChecks(input, Array.isArray(zones) ? zones : []));
    problems.push(...addonChecks(input));
    return problems;
}

function addonChecks(input: unknown): Problem[] {
    const problems: Problem[] = [];
    const addons = at(input, ["addons"]) ?? [];
    const kine = at(input, ["kine"]);
    const database = at(input, ["database"]);
    if (!Array.isArray(addons)) {
        return problems;
    }
    if (new Set(addons).size < addons.length) {
        problems.push({ path: "addons", value: addons, reason: "names an add-on twice" });
    }
    if (kine !== undefined && !addons.includes("kine")) {
        problems.push({
            path: "kine",
            value: kine,
            reason: 'belongs to the add-on kine: add it, quorum:addons ["kine"], or remove this',
        });
    }
    if (database === "kine" && addons.includes("kine")) {
        problems.push({
            path: "database",
            value: database,
            reason: "is the name of Kine's own database and user: choose another",
        });
    }
    return problems;
}

function storageChecks(input: unknown, zones: readonly unknown[]): Problem[] {
    const problems: Problem[] = [];
    const refuse = (key: string, reason: string) =>
        problems.push({ path: `storage.${key}`, value: at(input, ["storage", key]), reason });
    const has = (key: string) => at(input, ["storage", key]) !== undefined;
    if (at(input, ["storage", "driver"]) === "local") {
        const nodes = at(input, ["storage", "nodes"]);
        const namespace = at(input, ["namespace"]);
        if (typeof namespace === "string" && namespace.length + "-storage".length > 63) {
            problems.push({
                path: "namespace",
                value: namespace,
                reason: "must have at most 55 characters: driver local has a namespace with -storage behind it",
            });
        }
        if (nodes === undefined) {
            refuse(
                "nodes",
                "driver local needs, for each zone, the nodes whose disks it uses, such as {a: [node-1]}",
            );
        } else if (typeof nodes === "object" && nodes !== null) {
            const missing = zones.filter(
                (zone) => typeof zone === "string" && !Object.hasOwn(nodes, zone),
            );
            const named = Object.values(nodes).flat();
            const twice = named.filter((node, index) => named.indexOf(node) !== index);
            if (twice.length > 0) {
                refuse(
                    "nodes",
                    `names ${[...new Set(twice)].join(", ")} twice: two members would share a machine`,
                );
            }
            if (missing.length > 0) {
                refuse("nodes", `driver local needs the nodes of zone ${missing.join(", ")} too`);
            }
        }
        for (const key of ["className", "provisioner", "parameters"]) {
            if (has(key)) {
                refuse(key, "belongs to driver dynamic; driver local makes a class of its own");
            }
        }
    } else {
        if (has("nodes")) {
            refuse("nodes", "belongs to driver local");
        }
        // A complete specification, with its defaults, is accepted again as it is.
        if (has("path") && at(input, ["storage", "path"]) !== LOCAL_PATH) {
            refuse("path", "belongs to driver local");
        }
        if (has("className") && has("provisioner")) {
            refuse(
                "provisioner",
                "name an existing class (className) or make one (provisioner), not both",
            );
        }
        if (has("parameters") && !has("provisioner")) {
            refuse(
                "parameters",
                "are those of a class that Quorum makes: give storage.provisioner too",
            );
        }
    }
    return problems;
}
