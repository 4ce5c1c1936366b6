// Values that have no place in a configuration, key by key: each is refused, with its key and the reason, before anything is
// touched. That what is accepted works is shown elsewhere.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SpecError } from "../../components/problems.js";
import { ENGINE_NAMES, type ClusterSpecInput, type EngineName } from "../../components/spec.js";
import { acceptSpec } from "../../components/rules/accept.js";

const good = { name: "orders", engine: "mysql", zones: ["a", "b", "c"] };
const DIGEST = `sha256:${"0a".repeat(32)}`;

/** Refusals, each without its leading blanks. */
function refusals(input: unknown): string[] {
    try {
        acceptSpec(input);
        return [];
    } catch (error) {
        if (error instanceof SpecError) {
            return error.message
                .split("\n")
                .slice(1)
                .map((line) => line.trim());
        }
        throw error;
    }
}

/** A value at a path, and what stands around it where it cannot stand alone. */
function at(path: string, value: unknown, around: object = {}): unknown {
    const keys = path.split(".");
    const input = structuredClone({ ...good, ...around }) as Record<string, unknown>;
    let parent = input;
    for (const key of keys.slice(0, -1)) {
        parent = (parent[key] ??= {}) as Record<string, unknown>;
    }
    parent[keys.at(-1)!] = value;
    return input;
}

const LONG = "a".repeat(300);
const LONG_NAME = `${"a.".repeat(130)}a`;
const LOCAL = { storage: { driver: "local", nodes: { a: ["n1"], b: ["n2"], c: ["n3"] } } };
const LICENCE = { engine: "cockroachdb", licence: { organization: "Acme", secret: "licence" } };
const DOOR = { type: "LoadBalancer", sourceRanges: ["192.0.2.0/24"] };
const OPENED = { access: { members: DOOR, clients: { ...DOOR } } };
const PROVISIONED = { storage: { provisioner: "ebs.csi.aws.com" } };

/** Key -> hostile values and the reason that is given; what the key needs around it. */
const HOSTILE: readonly [string, readonly unknown[], string, object?][] = [
    [
        "clusterDomain",
        [
            ...["", " ", "a b", "$(id)", "`id`", "a'b", 'a"b', "cluster.local\n", "a.local."],
            ...["..", "UPPER", "x;y", "-a", "ä", "a\\b", "a\nDNS:evil", "*", "a,b", "a/b", "a:1"],
            "a".repeat(64),
        ],
        "must be a DNS domain, such as cluster.local",
    ],
    ["clusterDomain", [LONG_NAME], "must have at most 253 characters"],
    [
        "clusterDomain",
        [`${"a.".repeat(115)}local`],
        "is too long: the address orders-a-0.orders.svc.",
    ],
    [
        "namespace",
        ["kube-system", "default", "kube-public", "kube-node-lease", "kubernetes"],
        "belongs to Kubernetes itself",
    ],
    ["name", ["kubernetes", "default", "kube-system"], "belongs to Kubernetes itself"],
    [
        "namespace",
        ["a".repeat(56), "a".repeat(63)],
        "must have at most 55 characters: driver local has a namespace with -storage behind it",
        LOCAL,
    ],
    ...["image", "kine.image"].map((key): [string, unknown[], string, object?] => [
        key,
        [
            ...[
                "$(x)",
                ":::",
                "MySQL:9",
                "mysql@sha256:zz",
                "http://x/y",
                "'",
                "mysql:9;rm",
                "../x",
            ],
            ...["mysql:9@@", "-", "a".repeat(3000), "", "mysql:9 "],
        ],
        "must be an image reference",
        { addons: ["kine"] },
    ]),
    ["image", ["mysql:latest", "mysql", `mysql@${DIGEST}`], "does not say which MySQL is in it"],
    [
        "image",
        ["mongo:9.7.1", "cockroachdb/cockroach:v9.7.1", "ghcr.io/zalando/spilo-17:4.0-p3"],
        "and quorum:engine is mysql",
    ],
    ["image", ["mysql:8.4", "mysql:9.7.2", "mysql:9.70"], "and quorum:version is 9.7.1"],
    [
        "version",
        ["9..7", "9.-1", "018", "9.100000", "9.7.1 ", "v9.7.1", "9.7."],
        "must be a version such as 9.7.1",
    ],
    ["version", ["9", "8.0", "10.1"], "must be MySQL 8.4 or 9.x"],
    [
        "version",
        ["18.999", "17.2"],
        "is no version that PostgreSQL's vendor has an image of",
        { engine: "postgresql" },
    ],
    ["version", ["25.9.1", "26.0.1"], "is of no release", { engine: "cockroachdb" }],
    [
        "version",
        ["26", "26.2", "26.3.0-alpha.1"],
        "is no version that CockroachDB's vendor has an image of",
        { engine: "cockroachdb" },
    ],
    ["version", ["3", "3.99"], "is no version that KaiwuDB's vendor", { engine: "kaiwudb" }],
    ["version", ["8.0.0-rc1"], "is no version that MongoDB's vendor", { engine: "mongodb" }],
    [
        "version",
        ["2025.1", "2025.1.0.0-b"],
        "is no version that YugabyteDB's vendor",
        { engine: "yugabytedb" },
    ],
    ...ENGINE_NAMES.filter((engine) => engine !== "kaiwudb").map(
        (engine): [string, unknown[], string, object] => [
            "maxUnavailable",
            [2, 3, 1e9],
            "must be at most 1: with more of 3",
            { engine },
        ],
    ),
    ["maxUnavailable", [3, 4], "must be at most 2: with more of 5 members away", { replicas: 5 }],
    [
        "maxUnavailable",
        [2],
        "must be at most 1: with more of 3 copies away",
        { engine: "cockroachdb", replicas: 7 },
    ],
    ["storage.size", ["0", "0Gi", "1", "1Ki", 10], "must be at least 1Gi"],
    ["storage.size", ["1m", "1.5", "0.0000001Gi", "9".repeat(400)], "must be a disk size"],
    ["storage.size", ["99999Pi"], "must be at most 1Pi"],
    ["resources.cpu", ["0", "0m", "1m", 0], "must be at least 10m"],
    [
        "resources.cpu",
        ["0.0001m", "1Gi", "1Ki", "1k", "1e3", -1, NaN],
        "must be cores, or thousandths",
    ],
    ["resources.cpu", ["1000000"], "must be at most 2048"],
    ["resources.memory", ["9999Pi"], "must be at most 64Ti"],
    ["resources.memory", ["1073741824.5", "1073741824500m", "9".repeat(400)], "must be memory"],
    [
        "storage.className",
        ["a b", "UPPER", "a/b", "$(x)", "-", "a\n"],
        "must be the name of a StorageClass",
    ],
    ["storage.className", [LONG_NAME], "must have at most 253 characters"],
    [
        "storage.provisioner",
        ["a b", "$(x)", "-", "a\n", LONG, "a/b/c", ""],
        "must be the name of a provisioner",
    ],
    ["storage.provisioner", ["kubernetes.io/no-provisioner"], "makes no disks"],
    ["storage.nodes", [{ a: ["n1", "n1"], b: ["n2"], c: ["n3"] }], "names n1 twice", LOCAL],
    ["storage.nodes", [{ a: ["n1"], b: ["n1"], c: ["n3"] }], "names n1 twice", LOCAL],
    ["storage.nodes.a", [["n1;rm -rf"], ["$(x)"], ["N 3"]], "must be the name of a node", LOCAL],
    [
        "storage.nodes",
        [{}],
        "driver local needs the nodes of zone constructor too",
        { ...LOCAL, zones: ["constructor"] },
    ],
    [
        "storage.path",
        ["/../..", "/'x", "/$(id)", "/x'y", "//", "/", "/a/", "/a/./b", "a"],
        "must be an absolute path",
        LOCAL,
    ],
    [
        "storage.path",
        [
            ...["/etc", "/proc/1", "/var/lib/kubelet", "/var/lib/etcd", "/dev/sda", "/var/lib"],
            ...["/var/run/docker.sock", "/usr/local", "/boot"],
        ],
        "belongs to the node's own system",
        LOCAL,
    ],
    ["storage.path", [`/${"a".repeat(5000)}`], "must have at most 200 characters", LOCAL],
    ...["members", "clients"].flatMap((door): [string, unknown[], string, object?][] => [
        [
            `access.${door}.addresses`,
            ["0.0.0.0", "127.0.0.1", "255.255.255.255", "224.0.0.1", "169.254.169.254"].map(
                (address) => ({ [door === "members" ? "orders-a-0" : "write"]: address }),
            ),
            "is an address that no load balancer can have",
            OPENED,
        ],
        [
            `access.${door}.addresses`,
            ["192.0.2.1/32", "192.0.2", "192.0.2.01", "::1", "db.example.com", ""].map(
                (address) => ({ [door === "members" ? "orders-a-0" : "write"]: address }),
            ),
            "must be an IPv4 address",
            OPENED,
        ],
        [
            `access.${door}.annotations`,
            ["bad key!", "", LONG, "a/b/c"].map((key) => ({ [key]: "x" })),
            "is no key of an annotation",
            OPENED,
        ],
        [
            `access.${door}.sourceRanges`,
            [["all"], ["0.0.0.0"], ["::/0"], ["192.0.2.0/33"], ["192.0.2.0/ 24"], ["0.0.0.0/00"]],
            "must be networks in CIDR notation",
            OPENED,
        ],
        [
            `access.${door}.sourceRanges`,
            [["10.0.0.1/8"], ["0.0.0.1/0"], ["255.255.255.255/31"]],
            "is an address with the length of a network",
            OPENED,
        ],
        [`access.${door}.type`, ["ExternalName", "loadbalancer", ""], "must be one of ClusterIP"],
        [`access.${door}.internal`, ["yes", 1], "must be true or false", OPENED],
    ]),
    ["access.nodeRanges", [["node-1"], ["10.0.0.0"]], "must be networks in CIDR notation"],
    ["names.domain", ["", "*.a", "a..b", "a b", "$(x)", "a\n", "A.com"], "must be a DNS domain"],
    [
        "access.members.addresses",
        [{ "orders-master-a-0": "192.0.2.1" }],
        "is not a member; the members are orders-a-0, orders-b-0, orders-c-0",
        { ...OPENED, engine: "yugabytedb" },
    ],
    [
        "licence.organization",
        ["Acme\nx", "$$", "$(LICENCE_ORGANIZATION)", ""],
        "must be one line of text without '$'",
        LICENCE,
    ],
    ["licence.organization", ["a".repeat(5000)], "must have at most 200 characters", LICENCE],
    [
        "licence.secret",
        ["orders-credentials", "orders-certificates"],
        "is a Secret of Quorum's own",
        LICENCE,
    ],
    ["zones", [Array.from({ length: 200 }, (_, index) => `z${index}`)], "must be at most 50"],
    [
        "zones",
        [["a", "master-a", "c"]],
        "make two members of one name (orders-master-a-0): rename a zone",
        { engine: "yugabytedb" },
    ],
    ["zones", ["a,b,c"], "must be a list: pulumi config set --path 'quorum:zones[0]' a, then [1]"],
    ["membershipTimeout", [1e12, 2 ** 31, 365 * 24 * 3600], "must be at most 604800 seconds"],
    ["replicas", [NaN, Infinity], "must be a whole number"],
    ["replicas", ["3"], "must be a whole number, without quotes"],
    ["allowChanges", [["everything"]], "must be one of combination, failover, image"],
    ["allowChanges", [["majorityleaves"]], 'did you mean "majorityLeaves"?'],
    ["allowChanges", [["verison"]], 'did you mean "version"?'],
    ["allowChanges", [["version", "version"]], "names a rule twice"],
    ["engine", ["postgres"], 'did you mean "postgresql"?'],
    ["primary", [""], "must not be empty"],
    ["finalizeUpgrade", ["26..2", "026.2"], "must be a release series", { engine: "cockroachdb" }],
    ["database", [1n], "must be plain data"],
    ["whatever", [1n, () => 1, Symbol("x")], "must be plain data"],
    ["zones", [new Set(["a"]), new Date(0)], "must be plain data, known before anything runs"],
];

describe.each(HOSTILE)("%s", (path, values, reason, around = {}) => {
    // Not every value can be shown in a title.
    const cases = values.map((value, index) => ({ value, index }));
    test.each(cases)(`value $index is refused: ${reason}`, ({ value }) => {
        const found = refusals(plainAt(path, value, around));
        expect(found).toHaveLength(1);
        // A value of a map is named below its key; a missing version is asked for where it belongs.
        const key = reason.startsWith("does not say") ? "version" : path;
        expect(found[0]).toContain(`quorum:${key}`);
        expect(found[0]).toContain(reason);
    });
});

/** Functions and the like cannot be cloned. */
function plainAt(path: string, value: unknown, around: object): unknown {
    return path.includes(".") ? at(path, value, around) : { ...good, ...around, [path]: value };
}

/** Databases and accounts of the engines and of Quorum, and words that SQL does not take for a name. */
const RESERVED: Readonly<Record<EngineName, readonly string[]>> = {
    mysql: [
        ...["mysql", "sys", "information_schema", "performance_schema"],
        ...["quorum", "replication", "clone", "root"],
    ],
    postgresql: [
        ...["postgres", "template0", "template1", "quorum", "replication", "rewind"],
        ...["user", "select", "order", "all", "public", "pg_monitor", "pg_app", "none"],
        ...["current_user", "table", "verbose"],
    ],
    mongodb: ["admin", "local", "config", "quorum"],
    cockroachdb: [
        ...["system", "postgres", "defaultdb", "root", "admin", "node", "public"],
        ...["user", "select", "index", "crdb_internal"],
    ],
    kaiwudb: ["system", "root", "admin", "defaultdb", "public", "user"],
    yugabytedb: [
        ...["yugabyte", "postgres", "system_platform", "template1", "yb_db_admin"],
        ...["user", "select", "pg_app"],
    ],
};

describe.each(ENGINE_NAMES)("the application's database on %s", (engine) => {
    test.each(RESERVED[engine])("is not called %s", (database) => {
        const found = refusals({ ...good, engine, database });
        expect(found).toHaveLength(1);
        expect(found[0]).toMatch(
            new RegExp(
                `^quorum:database = "${database}": is .+: choose another name for the application's database and user$`,
            ),
        );
    });

    test.each(["app", "users", "orders", "app_db", "pgapp", "systems"])(
        "may be called %s",
        (database) => expect(refusals({ ...good, engine, database })).toEqual([]),
    );
});

describe("a complete specification", () => {
    test.each(ENGINE_NAMES)(
        "of %s has a version and an image, and is accepted as it is",
        (engine) => {
            for (const over of [{}, { replicas: 5 }, { replicas: 3, zones: ["a"] }]) {
                const { spec } = acceptSpec({ ...good, engine, ...over });
                expect(spec.version).toMatch(/^\d/);
                expect(spec.image).toContain(":");
                expect(acceptSpec(spec).spec).toEqual(spec);
            }
        },
    );

    test("has what the engine leaves to choose, and nothing else", () => {
        const choices = (over: Partial<ClusterSpecInput>) => {
            const { replication, durability } = acceptSpec({ ...good, ...over }).spec;
            return { replication, durability };
        };
        expect(choices({})).toEqual({ replication: "group" });
        expect(choices({ engine: "postgresql" })).toEqual({ durability: "quorum" });
        expect(choices({ engine: "postgresql", replicas: 2 })).toEqual({ durability: "async" });
        expect(choices({ engine: "mongodb" })).toEqual({});
    });

    test("follows the version that is written, and keeps an image that is written", () => {
        expect(acceptSpec({ ...good, version: "8.4.10" }).spec.image).toBe("mysql:8.4.10");
        const image = `registry.example:5000/mirror/mysql:9.7.4@${DIGEST}`;
        expect(acceptSpec({ ...good, version: "9.7.4", image }).spec).toMatchObject({
            version: "9.7.4",
            image,
        });
    });
});

describe("an image", () => {
    test.each<[EngineName, string, string | undefined]>([
        ["mysql", "localhost/mysql:9.7", undefined],
        ["mysql", "localhost/mysql:9.7-r1", "9.7.4"],
        ["mysql", "registry.example/x/mysql:9.7.1", undefined],
        ["mysql", "mysql:latest", "9.7.4"],
        ["mysql", `mysql@${DIGEST}`, "8.4.10"],
        ["postgresql", "localhost/postgresql:18", undefined],
        ["postgresql", "ghcr.io/zalando/spilo-17:4.0-p3", "17"],
        ["postgresql", "postgres:18.1", "18.1"],
        ["mongodb", "localhost/mongodb-simulator:8.0.26-r1", undefined],
        ["cockroachdb", "mirror/cockroach:v26.2.2", undefined],
        ["kaiwudb", "localhost/kaiwudb-simulator:3.2.2", undefined],
        ["yugabytedb", "localhost/yugabytedb-simulator:2026.1.0.1-b1-r1", undefined],
    ])("of %s may be %s with version %s", (engine, image, version) =>
        expect(refusals({ ...good, engine, image, ...(version && { version }) })).toEqual([]),
    );

    test("that contradicts the version is refused, unless that is allowed", () => {
        const contradiction = { ...good, image: "mysql:8.4.10", version: "9.7.1" };
        expect(refusals(contradiction)).toEqual([
            'quorum:image = "mysql:8.4.10": is MySQL 8.4.10 by its name, and quorum:version is 9.7.1: make the two agree. To accept it all the same: quorum:allowChanges ["image"].',
        ]);
        expect(refusals({ ...contradiction, allowChanges: ["image"] })).toEqual([]);
    });
});

describe("numbers", () => {
    test("stand where a quantity or a class's parameter is meant: Pulumi writes them so", () => {
        const { spec } = acceptSpec({
            ...good,
            resources: { cpu: 1, memory: 2147483648 },
            storage: { ...PROVISIONED.storage, parameters: { iops: 3000, encrypted: true } },
        });
        expect(spec.resources).toEqual({ cpu: "1", memory: "2147483648" });
        expect(spec.storage.parameters).toEqual({ iops: "3000", encrypted: "true" });
    });
});

describe("anything", () => {
    test("that contains itself is refused", () => {
        const loop: Record<string, unknown> = { ...good };
        loop["storage"] = { parameters: loop };
        expect(refusals(loop)).toEqual(["quorum:storage.parameters = an object: contains itself"]);
    });

    test("with a key __proto__ is refused, not taken for less", () => {
        const input = JSON.parse(
            '{"name":"orders","engine":"mysql","zones":["a"],"access":{"members":{"addresses":{"__proto__":"192.0.2.1"}}}}',
        ) as unknown;
        expect(refusals(input)).toEqual([
            expect.stringMatching(/^quorum:access\.members\.addresses = .*: has a key __proto__/),
        ]);
    });

    test.each([null, undefined, 1, "x", [], true])("but an object is refused: %j", (input) =>
        expect(refusals(input).length).toBeGreaterThan(0),
    );

    const json = fc.jsonValue({ maxDepth: 4 });
    const KEYS = [
        ...Object.keys(acceptSpec({ ...good, addons: ["kine"] }).spec),
        ...["licence", "primary"],
    ];
    const ODD = {
        "toString: false": { toString: false },
        "valueOf: 1": { valueOf: 1 },
        "no prototype": Object.assign(Object.create(null), { odd: 1 }) as unknown,
        "toJSON: nothing": { toJSON: () => undefined },
        "toJSON: throws": {
            toJSON: () => {
                throw new Error("not to be written");
            },
        },
        "a symbol": Symbol("odd"),
        "a function": () => "odd",
        "a bigint": 1n,
        "not a number": NaN,
    };
    test.each(KEYS.flatMap((key) => Object.keys(ODD).map((odd) => [key, odd] as const)))(
        "%s with %s in it is refused",
        (key, odd) => {
            const value = ODD[odd as keyof typeof ODD];
            expect(() => acceptSpec({ ...good, [key]: value })).toThrow(SpecError);
            expect(() => acceptSpec({ ...good, [key]: [value] })).toThrow(SpecError);
        },
    );

    const nearly = fc
        .tuple(
            fc.constantFrom(...ENGINE_NAMES),
            fc.dictionary(fc.constantFrom(...KEYS), json, {
                maxKeys: 4,
            }),
        )
        .map(([engine, over]) => ({ ...good, engine, ...over }));

    test("is accepted, and then once more unchanged, or refused by a SpecError", () => {
        fc.assert(
            fc.property(fc.oneof(json, nearly), (input) => {
                let spec;
                try {
                    spec = acceptSpec(input).spec;
                } catch (error) {
                    expect(error).toBeInstanceOf(SpecError);
                    return;
                }
                expect(acceptSpec(spec).spec).toEqual(spec);
            }),
            { numRuns: 1000 },
        );
    });
});
