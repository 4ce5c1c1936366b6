// The exact manifests of each engine and layout, as golden files that people review: one member, the membership job, the
// roles and the Services. Whoever changes one sees here what every cluster in the world would get.
// It does not prove that an API server accepts them: test/cluster does.
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { GKE, ON_GKE } from "./google.js";
import { runProgram, withoutSecrets, type Registration, type RunResult } from "./engine.js";

const MULTI_ZONE = { zones: '["a","b","c"]' };
const SINGLE_ZONE = {
    zones: '["a"]',
    storage: '{"driver":"local","nodes":{"a":["node-1","node-2","node-3"]}}',
};

const KINDS = [
    "StatefulSet",
    "Job",
    "Role",
    "Service",
    "PersistentVolumeClaim",
    "PersistentVolume",
    "StorageClass",
];

/** The objects of the first member and of the cluster as a whole; the other members differ in their names only. */
function manifests({ resources }: RunResult): string {
    return resources
        .filter(({ type }) => type.startsWith("kubernetes:") && KINDS.includes(kindOf(type)))
        .filter(
            ({ name }) =>
                !/^orders-(master-)?(europe-west1-)?(c|d|(?<!west1-)b)-|^orders-(master-)?a-[1-9]/.test(
                    name,
                ),
        )
        .sort((a, b) => (`${a.type} ${a.name}` < `${b.type} ${b.name}` ? -1 : 1))
        .map(manifest)
        .join("---\n");
}

const kindOf = (type: string) => type.split(":").at(-1)!;

function manifest({ inputs }: Registration): string {
    const text = stringify(withoutSecrets(inputs), { lineWidth: 120, sortMapEntries: true });
    // It stands for the text of every script: another script would change every file here.
    return text.replace(
        /quorum.dev\/checksum: \w+/g,
        "quorum.dev/checksum: (of configuration and scripts)",
    );
}

/**
 * All URNs, as a tree. They are identity: under another one Pulumi takes an object for a new one and deletes the old. Whoever
 * changes a line here deletes that object in every stack there is, and what holds data must not be among them.
 */
function tree({ resources }: RunResult): string {
    const paths = resources.map(({ urn }) => {
        const [, , types, name] = urn.split("::");
        return [...types!.split("$").map((type) => type.replace(/^kubernetes:/, "")), name!].join(
            " ",
        );
    });
    return `${paths.sort().join("\n")}\n`;
}

describe.each([
    ["mysql-group", { engine: "mysql" }],
    ["mysql-async", { engine: "mysql", replication: "async" }],
    ["postgresql", { engine: "postgresql" }],
    ["mongodb", { engine: "mongodb" }],
    ["yugabytedb", { engine: "yugabytedb" }],
    ["cockroachdb", { engine: "cockroachdb" }],
    ["kaiwudb", { engine: "kaiwudb" }],
])("%s", (name, engine) => {
    test.each([
        ["multi-zone", MULTI_ZONE],
        ["single-zone", SINGLE_ZONE],
        ["gke", GKE],
    ])("%s", async (layout, over) => {
        const result = await runProgram({
            config: { name: "orders", ...engine, ...over },
            ...ON_GKE,
        });
        expect(result.exitCode).toBe(0);
        // A platform differs in the same way for every engine.
        if (layout !== "gke" || name === "mongodb") {
            await expect(manifests(result)).toMatchFileSnapshot(`golden/${name}.${layout}.yaml`);
        }
        await expect(tree(result)).toMatchFileSnapshot(`golden/${name}.${layout}.urns`);
    });
});

test("another engine changes what belongs to the engine, and nothing else of the program", async () => {
    const [mysql, postgresql] = await Promise.all(
        ["mysql", "postgresql"].map((engine) =>
            runProgram({ config: { name: "orders", engine, ...MULTI_ZONE } }),
        ),
    );
    const urns = ({ resources }: RunResult) => new Set(resources.map(({ urn }) => urn));
    const only = (one: RunResult, other: RunResult) =>
        [...urns(one)]
            .filter((urn) => !urns(other).has(urn))
            .map((urn) => urn.split(":").slice(-3).join(" "))
            .sort();
    expect(only(mysql!, postgresql!)).toMatchInlineSnapshot(`
      [
        "RandomPassword  orders-clone-password",
        "RandomPassword  orders-root-password",
      ]
    `);
    expect(only(postgresql!, mysql!)).toMatchInlineSnapshot(`
      [
        "RandomPassword  orders-patroni-password",
        "RandomPassword  orders-rewind-password",
        "RandomPassword  orders-superuser-password",
      ]
    `);
});
