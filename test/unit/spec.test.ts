// What may be asked for. Each refusal is checked by its whole message.
import { describe, expect, test } from "vitest";
import { readConfig } from "../../components/config.js";
import { SpecError } from "../../components/problems.js";
import { acceptSpec } from "../../components/rules/accept.js";

const good = { name: "orders", engine: "mysql", replication: "async", zones: ["a", "b", "c"] };

const SHUT = {
    type: "ClusterIP",
    internal: true,
    addresses: {},
    sourceRanges: [],
    annotations: {},
};

function refusal(input: unknown): string[] {
    try {
        acceptSpec(input);
    } catch (error) {
        if (error instanceof SpecError) {
            return error.message.split("\n");
        }
        throw error;
    }
    throw new Error("was accepted");
}

describe("a specification", () => {
    test("needs a name, an engine and zones; everything else has a default", () => {
        expect(acceptSpec(good).spec).toEqual({
            ...good,
            toolsImage: "buildpack-deps:bookworm-curl",
            version: "9.7.1",
            image: "mysql:9.7.1",
            imagePullPolicy: "IfNotPresent",
            replicas: 3,
            layout: "multi-zone",
            platform: "existing",
            namespace: "orders",
            clusterDomain: "cluster.local",
            storage: { driver: "dynamic", size: "10Gi", path: "/var/lib/quorum", onDelete: "keep" },
            resources: { cpu: "250m", memory: "1Gi" },
            privileged: false,
            maxUnavailable: 1,
            database: "app",
            membershipTimeout: 1800,
            access: { members: SHUT, clients: SHUT, nodeRanges: [], peerRanges: [] },
            names: {},
            adopt: false,
            addons: [],
            allowChanges: [],
        });
    });

    test("that was completed is accepted again, unchanged", () => {
        for (const input of [good, { ...good, zones: ["a"] }]) {
            const { spec } = acceptSpec(input);
            expect(acceptSpec(spec).spec).toEqual(spec);
        }
    });

    test("with the add-on kine has Kine's defaults, and is accepted again, unchanged", () => {
        const { spec } = acceptSpec({ ...good, addons: ["kine"], kine: { replicas: 3 } });
        expect(spec.kine).toEqual({ image: "rancher/kine:v0.16.4", replicas: 3 });
        expect(acceptSpec({ ...good, addons: ["kine"] }).spec.kine?.replicas).toBe(2);
        expect(acceptSpec(spec).spec).toEqual(spec);
    });

    test.each([
        [
            { addons: ["kin"], kine: { replicas: 9, pool: 3 } },
            [
                '  quorum:addons.0 = "kin": must be one of kine; did you mean "kine"?',
                "  quorum:kine.replicas = 9: must be at most 4",
                "  quorum:kine.pool = 3: there is no such key; known are image, replicas",
                '  quorum:kine = {"replicas":9,"pool":3}: belongs to the add-on kine: add it, quorum:addons ["kine"], or remove this',
            ],
        ],
        [
            { addons: "kine" },
            [
                "  quorum:addons = \"kine\": must be a list: pulumi config set --path 'quorum:addons[0]' kine, then [1] and so on",
            ],
        ],
        [
            { addons: ["kine", "kine"], database: "kine" },
            [
                '  quorum:addons = ["kine","kine"]: names an add-on twice',
                '  quorum:database = "kine": is the name of Kine\'s own database and user: choose another',
            ],
        ],
        [
            { engine: "postgresql", replication: undefined, addons: ["kine"], durability: "async" },
            [
                '  quorum:durability = "async": Kine needs quorum: a failover may lose writes with async, and a control plane cannot bear that revisions it has acted on are gone and their numbers are given out again',
            ],
        ],
    ])("whose add-ons make no sense is refused: %j", (over, lines) => {
        expect(refusal({ ...good, ...over }).slice(1)).toEqual(lines);
    });

    test("with one zone has the layout single-zone", () => {
        expect(acceptSpec({ ...good, zones: ["a"] }).spec.layout).toBe("single-zone");
    });

    test("that is empty is refused with every missing key in one message", () => {
        expect(refusal({})).toEqual([
            "The configuration has 3 problems; nothing was changed.",
            "  quorum:name is missing: it is required (text)",
            "  quorum:engine is missing: it is required, one of kaiwudb, cockroachdb, yugabytedb, mongodb, mysql, postgresql",
            "  quorum:zones is missing: it is required (a list)",
        ]);
    });

    test("with many mistakes is refused with all of them, each with key, value and reason", () => {
        expect(
            refusal({
                ...good,
                replicas: 0,
                zones: ["a", "a"],
                engine: "mysq",
                storage: { driver: "local", size: "10 GB" },
                resources: { memory: "1Mi" },
                replica: 5,
            }),
        ).toEqual([
            "The configuration has 7 problems; nothing was changed.",
            '  quorum:engine = "mysq": must be one of kaiwudb, cockroachdb, yugabytedb, mongodb, mysql, postgresql; did you mean "mysql"?',
            "  quorum:replicas = 0: must be at least 1",
            '  quorum:storage.size = "10 GB": must be a disk size as a Kubernetes quantity, for example 10Gi',
            '  quorum:resources.memory = "1Mi": must be at least 256Mi',
            '  quorum:replica = 5: there is no such key; did you mean "replicas"?',
            '  quorum:zones = ["a","a"]: names a twice',
            "  quorum:storage.nodes is missing: driver local needs, for each zone, the nodes whose disks it uses, such as {a: [node-1]}",
        ]);
    });
});

describe.each<[string, object, string]>([
    ["a name with capitals", { name: "Orders" }, 'quorum:name = "Orders": must be a DNS label'],
    ["a name that is too long", { name: "a".repeat(26) }, "must have at most 25 characters"],
    [
        "names that are too long together",
        { name: "a".repeat(25), zones: ["b".repeat(20)] },
        "is too long together",
    ],
    ["a fraction of a member", { replicas: 2.5 }, "quorum:replicas = 2.5: must be a whole number"],
    ["too many members", { replicas: 51 }, "must be at most 50"],
    [
        "text for a number",
        { replicas: "three" },
        'quorum:replicas = "three": must be a whole number',
    ],
    ["no zone", { zones: [] }, "quorum:zones = []: must name at least one zone"],
    [
        "two zones in a single-zone layout",
        { layout: "single-zone" },
        "layout single-zone takes exactly one zone",
    ],
    [
        "one zone in a multi-zone layout",
        { layout: "multi-zone", zones: ["a"] },
        "takes at least two zones",
    ],
    [
        "a primary that is no member",
        { primary: "orders-d-0" },
        "is not a member; the members are orders-a-0, orders-b-0, orders-c-0",
    ],
    [
        "an old version",
        { version: "5.7.44" },
        'quorum:version = "5.7.44": must be MySQL 8.4 or 9.x',
    ],
    [
        "too little memory for the engine",
        { resources: { memory: "512Mi" } },
        "MySQL needs at least 640Mi",
    ],
    ["a version that is none", { version: "newest" }, "must be a version such as 9.7.1"],
    [
        "an unknown storage driver",
        { storage: { driver: "nfs" } },
        'quorum:storage.driver = "nfs": must be one of dynamic, local',
    ],
    ["a class and a provisioner", { storage: { className: "x", provisioner: "y" } }, "not both"],
    [
        "parameters without a provisioner",
        { storage: { parameters: { type: "x" } } },
        "give storage.provisioner too",
    ],
    ["nodes for dynamic disks", { storage: { nodes: { a: ["n"] } } }, "belongs to driver local"],
    [
        "nodes for some zones only",
        { storage: { driver: "local", nodes: { a: ["n"] } } },
        "needs the nodes of zone b, c too",
    ],
    [
        "fewer nodes than members",
        { replicas: 4, storage: { driver: "local", nodes: { a: ["n"], b: ["o"], c: ["p"] } } },
        "2 members are planned for this zone, each on a node of its own, but it names 1",
    ],
    ["all members down at once", { maxUnavailable: 3 }, "must be below the number of members (3)"],
    [
        "a misspelt storage key",
        { storage: { sise: "1Gi" } },
        'quorum:storage.sise = "1Gi": there is no such key; did you mean "size"?',
    ],
    ["a database name with a dash", { database: "my-app" }, "quorum:database"],
])("%s", (_, over, message) => {
    test("is refused", () => {
        const lines = refusal({ ...good, ...over });
        expect(lines[0]).toBe("The configuration has 1 problem; nothing was changed.");
        expect(lines[1]).toContain(message);
    });
});

describe("configuration", () => {
    test("is read as JSON where it is JSON, and as text where text is meant", () => {
        expect(
            readConfig({
                version: "18",
                replicas: "3",
                zones: '["a"]',
                name: "1",
                kubeconfig: "{}",
                storage: "x",
            }),
        ).toEqual({ version: "18", replicas: 3, zones: ["a"], name: "1", storage: "x" });
    });
});
