// Bad configurations, run through the whole program: one message with every problem, an exit code that is not 0, and
// nothing registered. What each rule says is shown in test/unit; here: that it reaches the user, and touches nothing.
import { expect, test } from "vitest";
import { runProgram } from "./engine.js";

const GOOD = { name: "orders", engine: "mysql", replication: "async", zones: '["a","b","c"]' };
const NODES = '{"driver":"local","nodes":{"a":["n"],"b":["o"],"c":["p"]}}';

test.concurrent.each<[string, Record<string, string>, string[]]>([
    [
        "an empty configuration",
        { name: "", engine: "", zones: "" },
        ["quorum:name", "quorum:engine", "quorum:zones"],
    ],
    ["an unknown engine", { engine: "oracle" }, ['quorum:engine = "oracle"']],
    ["a name in capitals", { name: "Orders" }, ['quorum:name = "Orders"']],
    ["no members", { replicas: "0" }, ["quorum:replicas = 0"]],
    ["half a member", { replicas: "2.5" }, ["quorum:replicas = 2.5"]],
    ["text as a number", { replicas: "many" }, ['quorum:replicas = "many"']],
    ["a zone twice", { zones: '["a","a"]' }, ['quorum:zones = ["a","a"]']],
    ["a zone in capitals", { zones: '["A","b"]' }, ["quorum:zones.0"]],
    ["zones that are no list", { zones: "a" }, ['quorum:zones = "a"']],
    ["two zones in one", { layout: "single-zone" }, ["quorum:zones"]],
    ["a layout from nowhere", { layout: "everywhere" }, ["quorum:layout"]],
    ["another platform", { platform: "moon" }, ["quorum:platform"]],
    ["a disk without a unit", { storage: '{"size":"10 GB"}' }, ["quorum:storage.size"]],
    ["an unknown driver", { storage: '{"driver":"nfs"}' }, ["quorum:storage.driver"]],
    ["storage that is no object", { storage: "fast" }, ['quorum:storage = "fast"']],
    [
        "local disks without nodes",
        { storage: '{"driver":"local"}' },
        ["quorum:storage.nodes is missing"],
    ],
    ["fewer nodes than members", { storage: NODES, replicas: "4" }, ["quorum:storage.nodes.a"]],
    ["too little memory", { resources: '{"memory":"64Mi"}' }, ["quorum:resources.memory"]],
    ["a primary that is no member", { primary: "orders-z-0" }, ['quorum:primary = "orders-z-0"']],
    ["a misspelt key", { replica: "5" }, ['did you mean "replicas"?']],
    ["an even number of voters", { replication: "group", replicas: "4" }, ["use 3 or 5"]],
    ["replication from nowhere", { replication: "magic" }, ['quorum:replication = "magic"']],
    ["an unknown add-on", { addons: '["kube"]' }, ['quorum:addons.0 = "kube"']],
    ["settings of an add-on that is not there", { kine: '{"replicas":2}' }, ["quorum:kine = "]],
    ["an old version", { version: "5.7.44" }, ["quorum:version"]],
    ["everybody down at once", { maxUnavailable: "3" }, ["quorum:maxUnavailable = 3"]],
    [
        "a bad value, and one that only the engine's rules refuse",
        { resources: '{"memory":"1Mi"}', primary: "nobody", replica: "5" },
        [
            "The configuration has 3 problems",
            "quorum:resources.memory",
            'quorum:primary = "nobody"',
            "quorum:replica ",
        ],
    ],
    [
        "many things at once",
        { replicas: "-1", engine: "mysq", storage: '{"size":"big"}', zone: "a" },
        [
            "The configuration has 4 problems",
            "quorum:replicas = -1",
            'quorum:engine = "mysq"',
            "quorum:storage.size",
            "quorum:zone",
        ],
    ],
])("%s is refused in one message", async (_, over, expected) => {
    const config = Object.fromEntries(
        Object.entries({ ...GOOD, ...over }).filter(([, value]) => value !== ""),
    );
    const result = await runProgram({ config, stack: over["name"] === "" ? "Not-A-Name" : "test" });
    expect(result.exitCode).not.toBe(0);
    const errors = result.messages.filter(({ severity }) => severity === "error");
    expect(errors).toHaveLength(1);
    for (const part of expected) {
        expect(errors[0]!.text).toContain(part);
    }
    expect(errors[0]!.text).toContain("nothing was changed");
    expect(errors[0]!.text).not.toContain("    at ");
    expect(result.resources.filter(({ custom }) => custom)).toEqual([]);
});
