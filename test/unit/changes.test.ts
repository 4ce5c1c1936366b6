// The change rules as a pure function. That the hook applies them is shown in test/program.
import { describe, expect, test } from "vitest";
import {
    ChangeRefusedError,
    compareVersions,
    findChanges,
    refusals,
    RULES,
} from "../../components/rules/changes.js";
import type { Circumstances, Compared } from "../../components/rules/rule.js";
import { without } from "../../components/input.js";
import { ENGINE_NAMES, SPEC_KEYS, type ClusterSpecInput } from "../../components/spec.js";
import { acceptSpec, reviveSpec } from "../../components/rules/accept.js";

const base: ClusterSpecInput = {
    name: "orders",
    engine: "mysql",
    replication: "async",
    zones: ["a", "b", "c"],
    version: "9.7.1",
};
const spec = (over: Partial<ClusterSpecInput> = {}) => acceptSpec({ ...base, ...over }).spec;

const refused = (old: Partial<ClusterSpecInput>, wanted: Partial<ClusterSpecInput>) =>
    new ChangeRefusedError(
        refusals(findChanges(spec(old), spec(wanted)), wanted.allowChanges ?? []),
    ).message;

const announced = (old: Partial<ClusterSpecInput>, wanted: Partial<ClusterSpecInput>) =>
    findChanges(spec(old), spec(wanted)).map(({ severity, reason }) => `${severity}: ${reason}`);

describe("an update that would harm the data is refused", () => {
    test("another layout", () => {
        expect(refused({ zones: ["a"] }, { zones: ["a", "b"] })).toContain(
            'quorum:layout "single-zone" -> "multi-zone": cannot change in a running cluster',
        );
    });
    test("another namespace", () => {
        expect(refused({}, { namespace: "other" })).toBe(
            'quorum:namespace "orders" -> "other": cannot change in a running cluster: make a second cluster in a stack of its own and move the data.',
        );
    });
    test("another storage driver", () => {
        const local = { driver: "local" as const, nodes: { a: ["1"], b: ["2"], c: ["3"] } };
        expect(refused({}, { storage: local })).toContain(
            'quorum:storage.driver "dynamic" -> "local"',
        );
    });
    test("a smaller disk", () => {
        expect(refused({}, { storage: { size: "5Gi" } })).toBe(
            'quorum:storage.size "10Gi" -> "5Gi": a disk cannot shrink.',
        );
    });
    test("an older version, unless allowed", () => {
        expect(refused({ version: "9.7.1" }, { version: "8.4.10" })).toBe(
            'quorum:version "9.7.1" -> "8.4.10": MySQL cannot go back from 9.7.1 to 8.4.10: the data dictionary was upgraded. To do it all the same: quorum:allowChanges ["version"].',
        );
        expect(
            refused({ version: "9.7.1" }, { version: "8.4.10", allowChanges: ["version"] }),
        ).toBe("");
    });
    test("a majority that leaves at once, unless allowed", () => {
        expect(refused({ replicas: 5 }, { replicas: 2 })).toContain(
            "3 of 5 members would leave at once (orders-a-1, orders-b-1, orders-c-0): fewer than a majority would stay. Go in steps of at most 2.",
        );
        expect(refused({ replicas: 5 }, { replicas: 2, allowChanges: ["majorityLeaves"] })).toBe(
            "",
        );
    });
    test("several risky changes at once, unless allowed", () => {
        expect(refused({}, { replicas: 5, image: "mirror/mysql:9.7.1" })).toBe(
            'this update: image or version and replicas or zones change at once: make them one update each. To do it all the same: quorum:allowChanges ["combination"].',
        );
    });
    test("a local disk of a member that moves to another node", () => {
        const on = (a: string[]) => ({
            storage: { driver: "local" as const, nodes: { a, b: ["2"], c: ["3"] } },
        });
        expect(refused(on(["1"]), on(["9", "1"]))).toContain(
            "orders-a-0 would lose its disk: it lives on 1",
        );
        expect(refused(on(["1"]), on(["1", "9"]))).toBe("");
    });
});

describe("an update that weighs is announced", () => {
    test("nothing changed, nothing said", () => expect(announced({}, {})).toEqual([]));
    test("members that join", () =>
        expect(announced({}, { replicas: 4 })).toEqual([
            "announced: orders-a-1 joins in zone a, empty, and is seeded from the members there are.",
        ]));
    test("a member that leaves", () =>
        expect(announced({ replicas: 4 }, {})).toEqual([
            "announced: orders-a-1 leaves: its data is on orders-a-0, orders-b-0, orders-c-0; its disk is deleted after that.",
        ]));
    test("a disk that grows", () =>
        expect(announced({}, { storage: { size: "20Gi" } })).toEqual([
            "announced: every member's disk grows in place; nothing is restarted, and it cannot shrink again.",
        ]));
    test("an upgrade", () =>
        expect(announced({}, { version: "9.7.2" })).toEqual([
            "announced: members are restarted one after the other, orders-a-0 last.",
        ]));
    test("a switchover", () =>
        expect(announced({}, { primary: "orders-c-0" })).toEqual([
            "announced: leadership moves: writes are refused for about a second, none is lost.",
        ]));
});

/** Of specifications of any engine, with what the component keeps beside them. */
const between = (
    old: ClusterSpecInput,
    wanted: ClusterSpecInput,
    {
        beside = [{}, {}],
        ...circumstances
    }: Partial<Circumstances> & { beside?: [Partial<Compared>, Partial<Compared>] } = {},
) =>
    findChanges(
        { ...acceptSpec(old).spec, ...beside[0] },
        { ...acceptSpec(wanted).spec, ...beside[1] },
        { given: () => true, completed: true, ...circumstances },
    );
const messageOf = (...args: Parameters<typeof between>) =>
    new ChangeRefusedError(refusals(between(...args), args[1].allowChanges ?? [])).message;
const reasonsOf = (...args: Parameters<typeof between>) =>
    between(...args).map(({ severity, reason }) => `${severity}: ${reason}`);
const unset = { given: () => false };
const unfinished = { completed: false };
const changed = (over: Partial<ClusterSpecInput>): ClusterSpecInput => ({ ...base, ...over });

describe("every key", () => {
    test("has a rule, or a reason why none", () => {
        const parts = [
            "storage",
            "resources",
            "licence",
            "kine",
            "access",
            "names",
            "gke",
            "machines",
        ];
        const keys = Object.keys(RULES);
        expect(SPEC_KEYS.filter((key) => !parts.includes(key) && !keys.includes(key))).toEqual([]);
        for (const part of parts) {
            expect(keys.filter((key) => key.startsWith(`${part}.`)).length).toBeGreaterThan(0);
        }
        for (const rule of Object.values(RULES)) {
            expect(typeof rule === "function" || rule.length > 20).toBe(true);
        }
    });
});

describe("what a disk was made by", () => {
    const classes: [string, ClusterSpecInput["storage"], ClusterSpecInput["storage"], string][] = [
        ["a made class", {}, { provisioner: "ebs.csi.aws.com" }, "provisioner"],
        ["the default class", { provisioner: "ebs.csi.aws.com" }, {}, "provisioner"],
        ["a named class", {}, { className: "fast" }, "className"],
        [
            "another provisioner",
            { provisioner: "ebs.csi.aws.com" },
            { provisioner: "pd.csi.storage.gke.io" },
            "provisioner",
        ],
        [
            "other parameters",
            { provisioner: "ebs.csi.aws.com", parameters: { type: "gp2" } },
            { provisioner: "ebs.csi.aws.com", parameters: { type: "gp3" } },
            "parameters",
        ],
    ];
    test.each(classes)("is not changed to %s", (_, old, wanted, key) => {
        const message = messageOf(changed({ storage: old }), changed({ storage: wanted }));
        expect(message).toContain(`quorum:storage.${key} `);
        // Deleting claims is no advice for a cluster that runs.
        expect(message).not.toMatch(/allowChanges|kubectl/);
    });
    test.each(classes)("is corrected to %s while no update has completed", (_, old, wanted) => {
        const [before, after] = [changed({ storage: old }), changed({ storage: wanted })];
        expect(messageOf(before, after, unfinished)).toContain(
            'The last update did not complete: what it asked for may never have come true, and nothing that holds data is replaced. To do it all the same: quorum:allowChanges ["unfinished"].',
        );
        expect(messageOf(before, after, unfinished)).toContain(
            "kubectl --namespace orders delete pvc orders-a-0 orders-b-0 orders-c-0, then pulumi up --refresh",
        );
        expect(messageOf(before, { ...after, allowChanges: ["unfinished"] }, unfinished)).toBe("");
        // Once it is true, the word opens nothing.
        expect(messageOf(before, { ...after, allowChanges: ["unfinished"] })).not.toBe("");
    });
});

describe("a typing error of a first update can be corrected", () => {
    const local = (a: string[]) =>
        changed({ storage: { driver: "local", nodes: { a, b: ["2"], c: ["3"] } } });
    test.each<[string, ClusterSpecInput, ClusterSpecInput]>([
        ["size", changed({ storage: { size: "80Gi" } }), changed({ storage: { size: "8Gi" } })],
        ["database", changed({ database: "ap" }), changed({ database: "shop" })],
        ["clusterDomain", changed({ clusterDomain: "a.local" }), changed({})],
        ["driver", local(["1"]), changed({})],
        ["nodes", local(["9"]), local(["1"])],
    ])("%s", (_, old, wanted) => {
        expect(messageOf(old, wanted)).not.toMatch(/^$|allowChanges/);
        expect(messageOf(old, wanted, unfinished)).toContain('allowChanges ["unfinished"]');
        expect(messageOf(old, { ...wanted, allowChanges: ["unfinished"] }, unfinished)).toBe("");
    });
    test("a series to finalise that the job refused can be taken out again", () => {
        const cockroach: ClusterSpecInput = {
            name: "orders",
            engine: "cockroachdb",
            zones: ["a", "b", "c"],
            version: "26.2.2",
        };
        const finalised: ClusterSpecInput = { ...cockroach, finalizeUpgrade: "26.2" };
        expect(messageOf(finalised, cockroach)).toContain("switched on for good");
        expect(messageOf(finalised, cockroach)).not.toContain("allowChanges");
        expect(messageOf(finalised, cockroach, unfinished)).not.toContain("switched on for good");
        const allowed: ClusterSpecInput = { ...cockroach, allowChanges: ["unfinished"] };
        expect(messageOf(finalised, allowed, unfinished)).toBe("");
    });
    test("the size of claims that never bound says which to delete: Kubernetes changes none of them", () => {
        const size = (text: string) => changed({ storage: { size: text } });
        const way =
            "kubectl --namespace orders delete pvc orders-a-0 orders-b-0 orders-c-0, then pulumi up --refresh";
        expect(messageOf(size("80Gi"), size("8Gi"), unfinished)).toContain(way);
        expect(reasonsOf(size("8Gi"), size("80Gi"), unfinished).join()).toContain(way);
        expect(reasonsOf(size("8Gi"), size("80Gi")).join()).not.toContain("kubectl");
    });
    test("but not what objects are named after", () => {
        expect(messageOf(changed({}), changed({ namespace: "other" }), unfinished)).not.toContain(
            "allowChanges",
        );
    });
});

describe("versions and images", () => {
    const mysql = (version: string, image?: string) =>
        changed({ version, ...(image && { image }) });
    test("a default that another release of Quorum moved is refused, with both ways out", () => {
        const message = messageOf(mysql("9.7.1"), mysql("9.9.0"), unset);
        expect(message).toContain("To stay: pulumi config set quorum:version 9.7.1.");
        expect(message).toContain("To upgrade: pulumi config set quorum:version 9.9.0.");
        expect(message).not.toContain("allowChanges");
    });
    test.each<[string, ClusterSpecInput, ClusterSpecInput]>([
        ["MySQL, a patch back", mysql("9.7.4"), mysql("9.7.1")],
        [
            "MongoDB",
            { ...base, engine: "mongodb", replication: undefined, version: "8.0.9" },
            { ...base, engine: "mongodb", replication: undefined, version: "8.0.4" },
        ],
        [
            "CockroachDB",
            { ...base, engine: "cockroachdb", replication: undefined, version: "26.2.9" },
            { ...base, engine: "cockroachdb", replication: undefined, version: "26.2.1" },
        ],
        [
            "to an alpha",
            { ...base, engine: "cockroachdb", replication: undefined, version: "26.1.2" },
            {
                ...base,
                engine: "cockroachdb",
                replication: undefined,
                version: "26.2.0-alpha.1",
                image: "cockroachdb/cockroach:v26.2.0-alpha.1",
            },
        ],
    ])("no way back, not even by a patch: %s", (_, old, wanted) => {
        expect(messageOf(old, wanted)).toContain('quorum:allowChanges ["version"]');
        expect(messageOf(old, { ...wanted, allowChanges: ["version"] })).toBe("");
    });
    test("another vendor's image is refused unless allowed, a mirror is not", () => {
        const [old, fork] = [mysql("9.7.1", "mysql:9.7.1"), mysql("9.7.1", "fork:9.7.1")];
        const image = (spec: ClusterSpecInput): ClusterSpecInput => ({
            ...spec,
            allowChanges: ["image"],
        });
        expect(messageOf(old, fork)).toContain("fork is another image than mysql");
        expect(messageOf(old, image(fork))).toBe("");
        expect(messageOf(old, mysql("9.7.1", "registry.example/mirror/mysql:9.7.1"))).toBe("");
    });
    test("of a stack of before versions were stored are those that its image names", () => {
        const stored = reviveSpec({ ...acceptSpec(mysql("8.4.5")).spec, version: undefined });
        const to = (version: string) => findChanges(stored, acceptSpec(mysql(version)).spec);
        expect(to("8.4.5")).toEqual([]);
        expect(
            to("9.7.1")
                .map(({ reason }) => reason)
                .join(),
        ).toContain("no way back to 8.4.5");
    });
    test("what goes one way says so", () => {
        expect(reasonsOf(mysql("8.4.10"), mysql("9.7.1"))).toEqual([
            "announced: members are restarted one after the other, orders-a-0 last. There is no way back to 8.4.10.",
        ]);
    });
    test("are compared as far as both go", () => {
        const older = (one: string, other: string) => compareVersions(one, other) < 0;
        expect(older("9.7.1", "9.7.10")).toBe(true);
        expect(older("26.2.0-alpha.1", "26.2.0")).toBe(true);
        expect(older("26.2.0-alpha.1", "26.2.0-beta.1")).toBe(true);
        expect(older("2025.1.0.0-b1", "2025.1.0.0-b168")).toBe(true);
        expect(compareVersions("17", "17.2")).toBe(0);
    });
});

describe("what an older release stored", () => {
    const specs = ENGINE_NAMES.map((engine) => {
        const addons = engine === "mysql" || engine === "postgresql" ? ["kine" as const] : [];
        return acceptSpec({ name: "orders", engine, zones: ["a", "b", "c"], addons }).spec;
    });
    const required = ["name", "engine", "zones", "addons"];
    const missing = specs.flatMap((spec) =>
        Object.entries(spec)
            .filter(([key]) => !required.includes(key))
            .flatMap(([key, value]) => [
                [spec.engine, key, spec] as const,
                ...(typeof value === "object" && !Array.isArray(value)
                    ? Object.keys(value).map(
                          (part) => [spec.engine, `${key}.${part}`, spec] as const,
                      )
                    : []),
            ]),
    );

    test.each(missing)("%s without %s says nothing", (_, path, spec) => {
        expect(findChanges(reviveSpec(without(spec, [path.split(".")])), spec)).toEqual([]);
    });

    test.each(specs)("of $engine with keys that are gone says nothing", (spec) => {
        const stored = { ...spec, gone: 1, storage: { ...spec.storage, gone: { deep: [1] } } };
        expect(reviveSpec(stored)).toEqual(spec);
    });

    test.each([
        ["resources.memory", { resources: { cpu: "250m", memory: "1Ki" } }],
        ["allowChanges", { allowChanges: ["failover", "nobodyKnows"] }],
        ["zones", { zones: ["a", "Not a zone"] }],
        ["layout", { layout: "nobody-knows" }],
    ])("keeps a value of %s that would be refused today", (_, odd) => {
        const stored = { ...specs[0]!, ...odd };
        expect(reviveSpec(stored)).toEqual(stored);
    });
});

test("another Kubernetes is refused unless allowed; one that was never noted is none", () => {
    const at = (kubernetes: string) => ({ kubernetes });
    const moved = { beside: [at("one"), at("two")] as [Partial<Compared>, Partial<Compared>] };
    expect(messageOf(base, base, moved)).toContain("another Kubernetes");
    expect(messageOf(base, changed({ allowChanges: ["kubernetes"] }), moved)).toBe("");
    expect(messageOf(base, base, { beside: [{}, at("two")] })).toBe("");
});

describe("less safety", () => {
    const postgresql = (replicas: number): ClusterSpecInput => ({
        name: "orders",
        engine: "postgresql",
        zones: ["a", "b", "c"],
        replicas,
    });
    test("is no default's doing", () => {
        expect(messageOf(postgresql(3), postgresql(2), unset)).toContain(
            "Say which: pulumi config set quorum:durability quorum, or async.",
        );
    });
    test("is done when it is asked for", () => {
        const wanted: ClusterSpecInput = { ...postgresql(2), durability: "async" };
        expect(messageOf(postgresql(3), wanted)).toBe("");
    });
    test("is what a failover that stays allowed means: it is refused once its update is over", () => {
        const left = changed({ allowChanges: ["failover"], database: "app" });
        expect(messageOf(left, { ...left, primary: "orders-c-0" })).toContain("take it out");
        expect(messageOf(left, { ...left, primary: "orders-c-0" }, unfinished)).toBe("");
    });
});

test("that members may be away is said for as long as it is allowed", () => {
    const left = changed({ allowChanges: ["membersAway"] });
    const said = "members are restarted also while others are away: take it out";
    expect(reasonsOf(base, left).join()).not.toContain(said);
    expect(reasonsOf(left, left, unfinished).join()).not.toContain(said);
    expect(reasonsOf(left, left).join()).toContain(said);
});

describe("is announced", () => {
    const opened = (over: Door = {}) => changed({ access: { members: { ...DOOR, ...over } } });
    const addresses = { "orders-a-0": "192.0.2.10", "orders-b-0": "192.0.2.11" };
    const onNodes = { driver: "local" as const, nodes: { a: ["1"], b: ["2"], c: ["3"] } };
    test.each<[string, ClusterSpecInput, ClusterSpecInput, string]>([
        [
            "that destroy deletes the data",
            changed({}),
            changed({ storage: { onDelete: "delete" } }),
            "DELETES ALL DATA of orders: claims with their disks, passwords",
        ],
        [
            "what a destroy leaves of local disks",
            changed({ storage: onNodes }),
            changed({ storage: { ...onNodes, onDelete: "delete" } }),
            "DELETES ALL DATA of orders: claims, passwords and the namespace. It cannot be taken back then. The directories on the nodes stay",
        ],
        [
            "less memory",
            changed({ resources: { memory: "4Gi" } }),
            changed({ resources: { memory: "1Gi" } }),
            "It shrinks",
        ],
        [
            "more members away",
            changed({ replicas: 5 }),
            changed({ replicas: 5, maxUnavailable: 2 }),
            "up to 2 members at once",
        ],
        [
            "that members are reached from outside, and what the policy cannot do",
            changed({}),
            opened(),
            "announced: the members can be reached from outside of Kubernetes at load balancers, which may be on the Internet, from 192.0.2.0/24. The network policy lets every address reach the clients' ports: it would need quorum:access.nodeRanges to do otherwise.",
        ],
        [
            "that they are on the Internet, for everybody",
            changed({}),
            opened({ internal: false, sourceRanges: ["0.0.0.0/0"] }),
            "at load balancers ON THE INTERNET, by EVERYBODY who gets that far (0.0.0.0/0).",
        ],
        [
            "that they are in clear text",
            changed({ engine: "mongodb", replication: undefined, version: "8.0.26" }),
            changed({
                engine: "mongodb",
                replication: undefined,
                version: "8.0.26",
                access: { clients: { ...DOOR, type: "NodePort" } },
            }),
            "announced: the clients' Services can be reached from outside of Kubernetes at ports of the nodes, from 192.0.2.0/24. MongoDB has no TLS here",
        ],
        [
            "a source range that is another",
            opened(),
            opened({ sourceRanges: ["0.0.0.0/0"] }),
            "announced: the members can be reached by EVERYBODY who gets that far (0.0.0.0/0) from now on; all others are cut off.",
        ],
        [
            "that the source ranges of internal ones are gone",
            opened({ annotations: { "example.com/type": "Internal" } }),
            opened({ annotations: { "example.com/type": "Internal" }, sourceRanges: [] }),
            "by everybody in the internal load balancers' network",
        ],
        [
            "that an annotation is gone",
            opened({ annotations: { "example.com/type": "Internal" } }),
            opened(),
            "may be on the Internet",
        ],
        [
            "that load balancers go to the Internet",
            opened(),
            opened({ internal: false }),
            "announced: the members can be reached ON THE INTERNET from now on, from 192.0.2.0/24. The load balancers are made anew: connections end",
        ],
        [
            "that they leave it",
            opened({ internal: false }),
            opened(),
            "the members leave the Internet: clients there are cut off",
        ],
        [
            "that an address is another, and one of the cloud's choice",
            opened({ addresses }),
            opened({ addresses: { "orders-a-0": "192.0.2.12" } }),
            [
                "announced: clients outside that use 192.0.2.10 are cut off. orders-a-0 gets the address 192.0.2.12.",
                "announced: clients outside that use 192.0.2.11 are cut off. The cloud chooses another address for orders-b-0.",
            ].join("\n"),
        ],
        [
            "that clients are cut off",
            opened(),
            changed({}),
            "announced: clients outside that use the LoadBalancer are cut off.",
        ],
        [
            "that nodes are let in, and nobody else",
            opened(),
            changed({ access: { members: DOOR, nodeRanges: ["10.64.0.0/20"] } }),
            "the network policy lets in nodes of 10.64.0.0/20, pods, and sourceRanges",
        ],
        [
            "that it lets everybody in again",
            changed({ access: { members: DOOR, nodeRanges: ["10.64.0.0/20"] } }),
            opened(),
            "the network policy lets every address reach the clients' ports from now on",
        ],
        [
            "other names outside",
            changed({ names: { domain: "old.example.com" } }),
            changed({ names: { domain: "db.example.com" } }),
            "announced: nothing says orders-a-0.old.example.com any more: clients that use such names lose them with their records. members have names such as orders-a-0.db.example.com: external-dns makes the records, or you do.",
        ],
        [
            "that images are not pulled",
            changed({}),
            changed({ imagePullPolicy: "Never" }),
            "members are restarted one after the other",
        ],
        [
            "that adopt stays on",
            changed({ adopt: true }),
            changed({ adopt: true, replicas: 5 }),
            "pulumi config rm quorum:adopt",
        ],
    ])("%s", (_, old, wanted, reason) => {
        expect(messageOf(old, wanted)).toBe("");
        expect(reasonsOf(old, wanted).join("\n")).toContain(reason);
    });
    test("any restart, whatever it comes from", () => {
        const beside: [Partial<Compared>, Partial<Compared>] = [
            { pods: { "orders-a-0": "1", "orders-b-0": "1" } },
            { pods: { "orders-a-0": "2", "orders-b-0": "1" } },
        ];
        expect(reasonsOf(base, base, { beside })).toEqual([
            "announced: members are restarted one after the other, orders-a-0 last: orders-a-0.",
        ]);
    });
    test("Kine's end, its image and a licence that stays", () => {
        const kine = (over: Partial<ClusterSpecInput>): ClusterSpecInput => ({
            name: "orders",
            engine: "postgresql",
            zones: ["a", "b", "c"],
            ...over,
        });
        const on = kine({ addons: ["kine"] });
        expect(reasonsOf(on, kine({})).join()).toContain("EVERY CONTROL PLANE THAT USES IT STOPS");
        expect(reasonsOf(on, { ...on, kine: { image: "rancher/kine:v0.16.5" } }).join()).toContain(
            "Kine's instances are restarted",
        );
        const roach = (over: Partial<ClusterSpecInput>): ClusterSpecInput => ({
            name: "orders",
            engine: "cockroachdb",
            zones: ["a", "b", "c"],
            ...over,
        });
        const licence = { organization: "Acme", secret: "licence" };
        expect(reasonsOf(roach({ licence }), roach({})).join()).toContain("the licence stays");
    });
});

type Door = NonNullable<NonNullable<ClusterSpecInput["access"]>["members"]>;
const DOOR: Door = { type: "LoadBalancer", sourceRanges: ["192.0.2.0/24"] };

describe("addresses do not change hands in one update", () => {
    const given = (members: Record<string, string>, clients: Record<string, string> = {}) =>
        changed({
            access: {
                members: { ...DOOR, addresses: members },
                clients: { ...DOOR, addresses: clients },
            },
        });
    test.each([
        [
            "swapped",
            given({ "orders-a-0": "192.0.2.10", "orders-b-0": "192.0.2.11" }),
            given({ "orders-a-0": "192.0.2.11", "orders-b-0": "192.0.2.10" }),
            "192.0.2.11 is still the address of orders-b-0",
        ],
        [
            "of a member that is not named any more",
            given({ "orders-a-0": "192.0.2.10" }),
            given({ "orders-b-0": "192.0.2.10" }),
            "192.0.2.10 is still the address of orders-a-0",
        ],
        [
            "from a member to the clients",
            given({ "orders-a-0": "192.0.2.10" }),
            given({}, { write: "192.0.2.10" }),
            'quorum:access.clients.addresses.write undefined -> "192.0.2.10": 192.0.2.10 is still the address of orders-a-0',
        ],
    ])("%s", (_, old, wanted, reason) => expect(messageOf(old, wanted)).toContain(reason));
});

test("what destroy does is not decided together with scaling", () => {
    expect(
        messageOf(
            changed({ replicas: 4 }),
            changed({ replicas: 3, storage: { onDelete: "delete" } }),
        ),
    ).toContain("replicas or zones and storage.onDelete change at once");
});
