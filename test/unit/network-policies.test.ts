// The sandbox's compiler of network policies. What the rules do to packets is shown in test/sandbox/network-policies.test.ts.
import { describe, expect, test } from "vitest";
import { selects } from "../../sandbox/controllers/label-selector.js";
import {
    NOTHING_KNOWN,
    rulesFor,
    type PolicyPod,
    type PolicyView,
} from "../../sandbox/controllers/policy-rules.js";

const HERE = { name: "a1", podNetwork: "10.244.1.0/24" };

const NAMESPACES = new Map([
    ["shop", { team: "shop" }],
    ["bank", { team: "bank" }],
]);

function pod(address: string, labels: Record<string, string>, more: Partial<PolicyPod> = {}) {
    return { namespace: "shop", node: "a1", ports: [], address, labels, ...more };
}

const DATABASE = pod(
    "10.244.1.2",
    { app: "database" },
    {
        ports: [{ name: "sql", containerPort: 3306 }],
    },
);
/** The same port has another number in it. */
const REPLICA = pod(
    "10.244.1.3",
    { app: "database" },
    {
        ports: [
            { name: "sql", containerPort: 3307, protocol: "TCP" },
            { name: "sql", containerPort: 53, protocol: "UDP" },
        ],
    },
);
const CLIENT = pod("10.244.2.2", { app: "client" }, { node: "a2" });
const TELLER = pod("10.244.2.3", { app: "client" }, { node: "a2", namespace: "bank" });
const PODS = [DATABASE, REPLICA, CLIENT, TELLER];

function policy(spec: PolicyView["spec"]): PolicyView {
    return { metadata: { namespace: "shop", name: "p" }, spec };
}

/** The lines of a chain. */
function chain(name: string, rules: string): string[] {
    const found = new RegExp(`chain ${name} \\{\n([^}]*(?:\\{[^}]*\\}[^}]*)*?)\n    \\}`).exec(
        rules,
    );
    return found![1]!.split("\n").map((line) => line.trim());
}

const compile = (pods: PolicyPod[], ...policies: PolicyView[]): string =>
    rulesFor(HERE, { pods, policies, namespaces: NAMESPACES });

/** What a policy on the database's pods lets through: the lines between "selected" and "drop". */
function permissions(name: "to-pods" | "from-pods", spec: PolicyView["spec"]): string[] {
    const lines = chain(
        name,
        compile(PODS, policy({ podSelector: { matchLabels: { app: "database" } }, ...spec })),
    );
    expect(lines.slice(0, 2)).toEqual([
        `ip ${name === "to-pods" ? "daddr" : "saddr"} != { 10.244.1.2, 10.244.1.3 } counter drop`,
        `ip ${name === "to-pods" ? "daddr" : "saddr"} != { 10.244.1.2, 10.244.1.3 } return`,
    ]);
    expect(lines.at(-1)).toBe("counter drop");
    return lines.slice(2, -1).map((line) => {
        expect(line).toMatch(/ return comment "shop\/p"$/);
        return line.slice(0, line.indexOf(" return"));
    });
}

const ingress = (rule: NonNullable<NonNullable<PolicyView["spec"]>["ingress"]>[number]) =>
    permissions("to-pods", { ingress: [rule] });
const egress = (rule: NonNullable<NonNullable<PolicyView["spec"]>["egress"]>[number]) =>
    permissions("from-pods", { egress: [rule] });

const TO = "ip daddr { 10.244.1.2, 10.244.1.3 }";
const FROM = "ip saddr { 10.244.1.2, 10.244.1.3 }";

describe("a node", () => {
    test("that nothing is known of forwards nothing to and from its pods", () => {
        expect(rulesFor(HERE, NOTHING_KNOWN)).toBe(`table ip network-policies
delete table ip network-policies
table ip network-policies {
    chain from-pods {
        counter drop
    }
    chain to-pods {
        counter drop
    }
    chain forward {
        type filter hook forward priority filter + 10; policy accept;
        ct state established,related accept
        ip saddr 10.244.1.0/24 jump from-pods
        ip daddr 10.244.1.0/24 jump to-pods
    }
}
`);
    });

    test("without policies cuts off only whom it does not know, and never a pod from itself", () => {
        const rules = compile(PODS);
        expect(chain("to-pods", rules)).toEqual([
            "ip daddr != { 10.244.1.2, 10.244.1.3 } counter drop",
        ]);
        expect(chain("from-pods", rules)).toEqual([
            "ip saddr != { 10.244.1.2, 10.244.1.3 } counter drop",
        ]);
        expect(chain("forward", rules)).toContain(
            "ip saddr . ip daddr { 10.244.1.2 . 10.244.1.2, 10.244.1.3 . 10.244.1.3 } accept",
        );
    });

    test("has the same rules in whatever order it hears of pods", () => {
        const allow = policy({ podSelector: {}, ingress: [{ from: [{ podSelector: {} }] }] });
        expect(compile([...PODS].reverse(), allow)).toBe(compile(PODS, allow));
    });

    test("without pods that a policy selects has no rules of it", () => {
        const elsewhere = policy({ podSelector: { matchLabels: { app: "client" } } });
        const nobody = policy({ podSelector: { matchLabels: { app: "nobody" } } });
        const otherNamespace: PolicyView = {
            metadata: { namespace: "bank", name: "p" },
            spec: { podSelector: {} },
        };
        expect(compile(PODS, elsewhere, nobody, otherNamespace)).toBe(compile(PODS));
    });
});

describe("a policy isolates", () => {
    const both = { ingress: 3, egress: 3 };
    const none = { ingress: 1, egress: 1 };
    test.each<[string, PolicyView["spec"], { ingress: number; egress: number }]>([
        ["ingress by default", { podSelector: {} }, { ...none, ingress: 3 }],
        [
            "egress too where it has rules for it",
            { podSelector: {}, egress: [{}] },
            { ...both, egress: 4 },
        ],
        ["ingress only", { policyTypes: ["Ingress"], egress: [{}] }, { ...none, ingress: 3 }],
        ["egress only", { policyTypes: ["Egress"], ingress: [{}] }, { ...none, egress: 3 }],
        ["both", { policyTypes: ["Ingress", "Egress"] }, both],
    ])("%s", (_, spec, { ingress: inwards, egress: outwards }) => {
        const rules = compile(PODS, policy(spec));
        expect(chain("to-pods", rules)).toHaveLength(inwards);
        expect(chain("from-pods", rules)).toHaveLength(outwards);
    });

    test("those that it selects, and lets the other pods be", () => {
        const free = pod("10.244.1.4", { app: "free" });
        const rules = compile([...PODS, free], policy({ podSelector: DATABASE_SELECTOR }));
        expect(chain("to-pods", rules)).toEqual([
            "ip daddr != { 10.244.1.2, 10.244.1.3, 10.244.1.4 } counter drop",
            "ip daddr != { 10.244.1.2, 10.244.1.3 } return",
            "counter drop",
        ]);
    });

    test("and several on one pod let in what any of them lets in", () => {
        const first = policy({ podSelector: {}, ingress: [{ ports: [{ port: 1 }] }] });
        const second = policy({ podSelector: {}, ingress: [{ ports: [{ port: 2 }] }] });
        expect(chain("to-pods", compile(PODS, first, second))).toEqual([
            "ip daddr != { 10.244.1.2, 10.244.1.3 } counter drop",
            "ip daddr != { 10.244.1.2, 10.244.1.3 } return",
            `${TO} tcp dport 1 return comment "shop/p"`,
            `${TO} tcp dport 2 return comment "shop/p"`,
            "counter drop",
        ]);
    });
});

const DATABASE_SELECTOR = { matchLabels: { app: "database" } };

describe("peers", () => {
    test.each<[string, Parameters<typeof ingress>[0]["from"], string[]]>([
        ["none given: everybody", undefined, [TO]],
        ["an empty list: everybody", [], [TO]],
        [
            "pods: of the policy's namespace",
            [{ podSelector: { matchLabels: { app: "client" } } }],
            [`${TO} ip saddr { 10.244.2.2 }`],
        ],
        [
            "namespaces: all pods of them",
            [{ namespaceSelector: { matchLabels: { team: "bank" } } }],
            [`${TO} ip saddr { 10.244.2.3 }`],
        ],
        [
            "pods of namespaces",
            [{ namespaceSelector: {}, podSelector: { matchLabels: { app: "client" } } }],
            [`${TO} ip saddr { 10.244.2.2, 10.244.2.3 }`],
        ],
        [
            "several: any of them",
            [
                { podSelector: { matchLabels: { app: "client" } } },
                { podSelector: DATABASE_SELECTOR },
            ],
            [`${TO} ip saddr { 10.244.1.2, 10.244.1.3, 10.244.2.2 }`],
        ],
        ["nobody who is there: nobody", [{ podSelector: { matchLabels: { app: "ghost" } } }], []],
        [
            "a network but for parts of it",
            [{ ipBlock: { cidr: "10.0.0.0/8", except: ["10.1.0.0/16", "10.1.2.0/24"] } }],
            [`${TO} ip saddr 10.0.0.0/8 ip saddr != 10.1.0.0/16 ip saddr != 10.1.2.0/24`],
        ],
        [
            "a network with bits of a host, the whole world, one address",
            [
                { ipBlock: { cidr: "172.30.7.9/24" } },
                { ipBlock: { cidr: "0.0.0.0/0" } },
                { ipBlock: { cidr: "192.168.255.255/32" } },
            ],
            [
                `${TO} ip saddr 172.30.7.0/24`,
                `${TO} ip saddr 0.0.0.0/0`,
                `${TO} ip saddr 192.168.255.255/32`,
            ],
        ],
        [
            "an IPv6 network: nobody, and not everybody",
            [{ ipBlock: { cidr: "2001:db8::/32" } }],
            [],
        ],
        [
            "a network and pods",
            [
                { ipBlock: { cidr: "172.30.7.0/24" } },
                { podSelector: { matchLabels: { app: "client" } } },
            ],
            [`${TO} ip saddr { 10.244.2.2 }`, `${TO} ip saddr 172.30.7.0/24`],
        ],
    ])("%s", (_, from, lines) => expect(ingress({ ...(from && { from }) })).toEqual(lines));

    test("of egress are the receivers", () =>
        expect(egress({ to: [{ podSelector: { matchLabels: { app: "client" } } }] })).toEqual([
            `${FROM} ip daddr { 10.244.2.2 }`,
        ]));
});

describe("ports", () => {
    test.each<[string, Parameters<typeof ingress>[0]["ports"], string[]]>([
        ["none given: all", undefined, [TO]],
        ["an empty list: all", [], [TO]],
        ["a number is TCP's", [{ port: 3306 }], [`${TO} tcp dport 3306`]],
        [
            "of other protocols",
            [
                { port: 53, protocol: "UDP" },
                { port: 36412, protocol: "SCTP" },
            ],
            [`${TO} udp dport 53`, `${TO} sctp dport 36412`],
        ],
        ["all of a protocol", [{ protocol: "UDP" }], [`${TO} meta l4proto udp`]],
        ["a range", [{ port: 8000, endPort: 8010 }], [`${TO} tcp dport 8000-8010`]],
        ["a range of one", [{ port: 8000, endPort: 8000 }], [`${TO} tcp dport 8000`]],
        [
            "a name: in each pod its own number",
            [{ port: "sql" }],
            [`${TO} ip daddr . tcp dport { 10.244.1.2 . 3306, 10.244.1.3 . 3307 }`],
        ],
        [
            "a name counts for its protocol only",
            [{ port: "sql", protocol: "UDP" }],
            [`${TO} ip daddr . udp dport { 10.244.1.3 . 53 }`],
        ],
        ["a name that no pod has: none", [{ port: "http" }], []],
    ])("%s", (_, ports, lines) => expect(ingress({ ...(ports && { ports }) })).toEqual(lines));

    test("by name are for egress those of the receivers", () => {
        const server = pod(
            "10.244.2.9",
            { app: "server" },
            {
                node: "a2",
                ports: [{ name: "sql", containerPort: 5432 }],
            },
        );
        const lines = chain(
            "from-pods",
            rulesFor(
                { name: "a2", podNetwork: "10.244.2.0/24" },
                {
                    pods: [...PODS, server],
                    namespaces: NAMESPACES,
                    policies: [
                        policy({
                            podSelector: { matchLabels: { app: "client" } },
                            egress: [
                                {
                                    to: [{ podSelector: { matchLabels: { app: "server" } } }],
                                    ports: [{ port: "sql" }],
                                },
                            ],
                        }),
                    ],
                },
            ),
        );
        expect(lines[2]).toBe(
            "ip saddr { 10.244.2.2 } ip daddr { 10.244.2.9 } ip daddr . tcp dport " +
                '{ 10.244.1.2 . 3306, 10.244.1.3 . 3307, 10.244.2.9 . 5432 } return comment "shop/p"',
        );
    });

    test("and peers of one rule both have to fit", () =>
        expect(
            ingress({
                from: [
                    { ipBlock: { cidr: "172.30.7.0/24" } },
                    { podSelector: { matchLabels: { app: "client" } } },
                ],
                ports: [{ port: 1 }, { port: 2 }],
            }),
        ).toEqual([
            `${TO} ip saddr { 10.244.2.2 } tcp dport 1`,
            `${TO} ip saddr { 10.244.2.2 } tcp dport 2`,
            `${TO} ip saddr 172.30.7.0/24 tcp dport 1`,
            `${TO} ip saddr 172.30.7.0/24 tcp dport 2`,
        ]));
});

test("a policy's name of any length fits in a comment", () => {
    const rules = compile(PODS, {
        metadata: { namespace: "shop", name: "n".repeat(253) },
        spec: { podSelector: {}, ingress: [{}] },
    });
    expect(/comment "([^"]*)"/.exec(rules)![1]).toHaveLength(127);
});

describe("a label selector", () => {
    const labels = { app: "database", tier: "back" };
    test.each([
        ["an empty one", {}, true],
        ["labels that are all there", { matchLabels: { app: "database", tier: "back" } }, true],
        ["one that is another", { matchLabels: { app: "database", tier: "front" } }, false],
        [
            "In",
            { matchExpressions: [{ key: "tier", operator: "In", values: ["a", "back"] }] },
            true,
        ],
        [
            "In, without the label",
            { matchExpressions: [{ key: "x", operator: "In", values: [""] }] },
            false,
        ],
        [
            "NotIn",
            { matchExpressions: [{ key: "tier", operator: "NotIn", values: ["back"] }] },
            false,
        ],
        [
            "NotIn, without the label",
            { matchExpressions: [{ key: "x", operator: "NotIn", values: ["y"] }] },
            true,
        ],
        ["Exists", { matchExpressions: [{ key: "tier", operator: "Exists" }] }, true],
        [
            "Exists, without the label",
            { matchExpressions: [{ key: "x", operator: "Exists" }] },
            false,
        ],
        ["DoesNotExist", { matchExpressions: [{ key: "x", operator: "DoesNotExist" }] }, true],
        [
            "labels and expressions, of which one does not fit",
            {
                matchLabels: { app: "database" },
                matchExpressions: [{ key: "tier", operator: "DoesNotExist" }],
            },
            false,
        ],
    ])("%s", (_, selector, expected) => expect(selects(selector, labels)).toBe(expected));
});
