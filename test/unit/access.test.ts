// Who is let in from outside of Kubernetes: what may be asked for. That it reaches the Services and the policy is shown in
// test/program, that addresses answer in test/cluster.
import { describe, expect, test } from "vitest";
import { clientsOf } from "../../components/network-policy.js";
import { entranceOf, surroundingsOf } from "../../components/outside.js";
import { SpecError } from "../../components/problems.js";
import { acceptSpec } from "../../components/rules/accept.js";
import { openings } from "../../components/rules/access.js";
import type { ClusterSpecInput } from "../../components/spec.js";

const good = { name: "orders", engine: "mysql", zones: ["a", "b", "c"] };
type Access = ClusterSpecInput["access"];

const refusal = (access: unknown, over: object = {}): string => {
    try {
        acceptSpec({ ...good, ...over, access });
        return "";
    } catch (error) {
        return (error as SpecError).message.split("\n").slice(1).join("\n").trim();
    }
};
const BALANCED = { type: "LoadBalancer" as const, sourceRanges: ["192.0.2.0/24"] };
const INTERNAL = { "networking.gke.io/load-balancer-type": "Internal" };
const WRITTEN =
    "name the networks whose clients are let in, or write 0.0.0.0/0, which lets everybody in";

test("nobody outside is let in by default", () => {
    const shut = {
        type: "ClusterIP",
        internal: true,
        addresses: {},
        sourceRanges: [],
        annotations: {},
    };
    const { access, names } = acceptSpec(good).spec;
    expect(access).toEqual({ members: shut, clients: shut, nodeRanges: [], peerRanges: [] });
    expect(names).toEqual({});
});

test.each<[string, Access]>([
    ["members at addresses of the cloud's choice", { members: BALANCED }],
    [
        "some members at fixed addresses",
        { members: { ...BALANCED, addresses: { "orders-a-0": "192.0.2.1" } } },
    ],
    [
        "internal load balancers without sourceRanges",
        { members: { type: "LoadBalancer", annotations: INTERNAL } },
    ],
    [
        "everybody, when that is written out",
        { members: { ...BALANCED, internal: false, sourceRanges: ["0.0.0.0/0"] } },
    ],
    [
        "ports of the nodes",
        { members: { type: "NodePort", sourceRanges: ["192.0.2.0/24", "10.1.2.3/32"] } },
    ],
    [
        "the clients' Services",
        { clients: { ...BALANCED, addresses: { write: "192.0.2.1", read: "192.0.2.2" } } },
    ],
])("may be let in: %s", (_, access) => {
    const { spec } = acceptSpec({ ...good, access });
    expect(acceptSpec(spec).spec).toEqual(spec);
});

describe("quorum:access refuses", () => {
    test.each<[string, object, string]>([
        [
            "an address of nobody",
            { members: { ...BALANCED, addresses: { "orders-d-0": "192.0.2.1" } } },
            'quorum:access.members.addresses.orders-d-0 = "192.0.2.1": orders-d-0 is not a member; the members are orders-a-0, orders-b-0, orders-c-0',
        ],
        [
            "an address of two",
            {
                members: { ...BALANCED, addresses: { "orders-a-0": "192.0.2.1" } },
                clients: { ...BALANCED, addresses: { write: "192.0.2.1" } },
            },
            'quorum:access.clients.addresses.write = "192.0.2.1": is the address of orders-a-0 too',
        ],
        [
            "an address of a Service that is not there",
            { clients: { ...BALANCED, addresses: { reads: "192.0.2.1" } } },
            'quorum:access.clients.addresses.reads = "192.0.2.1": reads is not a Service of clients; there is write, read',
        ],
        [
            "what is no address",
            { members: { ...BALANCED, addresses: { "orders-a-0": "somewhere" } } },
            'quorum:access.members.addresses.orders-a-0 = "somewhere": must be an IPv4 address, for example 192.0.2.10',
        ],
        [
            "what is no network",
            { members: { ...BALANCED, sourceRanges: ["192.0.2.0"] } },
            'quorum:access.members.sourceRanges.0 = "192.0.2.0": must be networks in CIDR notation, for example 192.0.2.0/24',
        ],
        [
            "an address in place of a network",
            { members: { ...BALANCED, sourceRanges: ["172.30.9.77/20"] } },
            'quorum:access.members.sourceRanges.0 = "172.30.9.77/20": is an address with the length of a network: write 172.30.0.0/20, or 172.30.9.77/32 for that address alone',
        ],
        [
            "a large network that begins in another",
            { nodeRanges: ["224.0.0.1/1"] },
            'quorum:access.nodeRanges.0 = "224.0.0.1/1": is an address with the length of a network: write 128.0.0.0/1, or 224.0.0.1/32 for that address alone',
        ],
        [
            "a misspelt key",
            { members: { annotation: {} } },
            'quorum:access.members.annotation = {}: there is no such key; did you mean "annotations"?',
        ],
        [
            "a load balancer's address without one",
            { members: { addresses: { "orders-a-0": "192.0.2.1" } } },
            'quorum:access.members.addresses = {"orders-a-0":"192.0.2.1"}: means nothing with type ClusterIP: set quorum:access.members.type, or remove the key (pulumi config rm --path quorum:access.members removes all of them)',
        ],
        [
            "networks that nothing would keep",
            { clients: { sourceRanges: ["192.0.2.0/24"] } },
            'quorum:access.clients.sourceRanges = ["192.0.2.0/24"]: means nothing with type ClusterIP: set quorum:access.clients.type, or remove the key (pulumi config rm --path quorum:access.clients removes all of them)',
        ],
        [
            "the Internet by a port of the nodes",
            { members: { type: "NodePort", internal: false, sourceRanges: ["0.0.0.0/0"] } },
            "quorum:access.members.internal = false: means nothing with type NodePort: set quorum:access.members.type, or remove the key (pulumi config rm --path quorum:access.members removes all of them)",
        ],
        [
            "the Internet without a word on who may come",
            { members: { type: "LoadBalancer", internal: false } },
            `quorum:access.members.sourceRanges is missing: load balancers that are not internal are on the Internet: ${WRITTEN}`,
        ],
        [
            "ports of the nodes without one",
            { clients: { type: "NodePort" } },
            `quorum:access.clients.sourceRanges is missing: a port of the nodes is open to whoever reaches a node: ${WRITTEN}`,
        ],
        [
            "internal load balancers that nothing asks the cloud for",
            { members: { type: "LoadBalancer", annotations: { "example.com/internal": "false" } } },
            `quorum:access.members.sourceRanges is missing: nothing asks this cloud for internal load balancers, so they may be on the Internet: give the annotation that does (quorum:access.members.annotations), or ${WRITTEN}`,
        ],
        [
            "an annotation that decides what Pulumi waits for",
            { members: { ...BALANCED, annotations: { "pulumi.com/skipAwait": "true" } } },
            'quorum:access.members.annotations.pulumi.com/skipAwait = "true": is an annotation by which Pulumi waits, and Quorum sets it',
        ],
    ])("%s", (_, access, message) => expect(refusal(access)).toContain(message));

    test("a name outside that is said twice", () => {
        const key = "external-dns.alpha.kubernetes.io/hostname";
        expect(
            refusal(
                { members: { ...BALANCED, annotations: { [key]: "db.example.com" } } },
                { names: { domain: "db.example.com" } },
            ),
        ).toBe(
            `quorum:access.members.annotations.${key} = "db.example.com": is set by quorum:access.members.internal or quorum:names.domain: remove one of the two`,
        );
    });

    test("clear text for everybody, and on the Internet", () => {
        const mongodb = { engine: "mongodb" };
        const everybody = { ...BALANCED, sourceRanges: ["0.0.0.0/0"] };
        expect(refusal({ members: BALANCED }, mongodb)).toBe("");
        expect(refusal({ members: everybody }, mongodb)).toContain(
            'quorum:access.members.sourceRanges = ["0.0.0.0/0"]: lets everybody in: MongoDB has no TLS here: who can read on the way between sees all data, and the application\'s password when its user is made. Use internal addresses, and name the networks of your own',
        );
        expect(refusal({ clients: { ...BALANCED, internal: false } }, mongodb)).toContain(
            "quorum:access.clients.internal = false: is refused: MongoDB has no TLS here",
        );
        expect(refusal({ members: everybody })).toBe("");
    });
});

test.each(["db_example.com", "-a.com", "UPPER.com", `${"a.".repeat(100)}a`])(
    "no DNS domain: %s",
    (domain) => expect(refusal({}, { names: { domain } })).toContain("quorum:names.domain"),
);

describe("the network policy lets", () => {
    const from = (access: Access) => {
        const { spec } = acceptSpec({ ...good, access });
        return clientsOf(spec, surroundingsOf(spec));
    };
    const nodeRanges = ["10.64.0.0/20"];
    const pods = { namespaceSelector: {} };
    const block = (cidr: string) => ({ ipBlock: { cidr } });
    test.each<[string, Access, ReturnType<typeof from>]>([
        ["everybody in, where nobody outside has a way", { nodeRanges }, undefined],
        [
            "everybody in, where nobody says which addresses nodes have",
            { members: BALANCED },
            undefined,
        ],
        [
            "everybody in, where the load balancers do",
            { members: { type: "LoadBalancer", annotations: INTERNAL }, nodeRanges },
            undefined,
        ],
        [
            "pods, sourceRanges and nodes in, each once",
            { members: BALANCED, clients: BALANCED, nodeRanges: [...nodeRanges, "192.0.2.0/24"] },
            [pods, block("192.0.2.0/24"), block("10.64.0.0/20")],
        ],
        [
            "clients of node ports in by their own addresses",
            { members: { type: "NodePort", sourceRanges: ["192.0.2.0/24"] } },
            [pods, block("192.0.2.0/24")],
        ],
        [
            "everybody in, where that is written out",
            { members: { type: "NodePort", sourceRanges: ["0.0.0.0/0"] } },
            [pods, block("0.0.0.0/0")],
        ],
    ])("%s", (_, access, wanted) => expect(from(access)).toEqual(wanted));
});

describe("on Google Cloud", () => {
    const onGoogle = (over: object = {}) =>
        acceptSpec({
            name: "orders",
            engine: "mysql",
            zones: ["europe-west1-b", "europe-west1-c", "europe-west1-d"],
            platform: "gke",
            gke: { project: "acme-prod", ...over },
            machines: { type: "n2-standard-4" },
            access: { members: { type: "LoadBalancer", sourceRanges: ["10.0.0.0/8"] } },
        }).spec;

    test("load balancers are internal ones by Google's annotation, and nothing has to ask for it", () => {
        const spec = onGoogle();
        expect(entranceOf(spec, spec.access.members).annotations).toMatchObject({
            "networking.gke.io/load-balancer-type": "Internal",
        });
        expect(openings(spec, {})).toEqual([
            "the members can be reached from outside of Kubernetes at internal load balancers, from 10.0.0.0/8.",
        ]);
    });

    test("the nodes' addresses are known in a network of its own, and in no other", () => {
        const [own, other] = [onGoogle(), onGoogle({ network: "shared", subnetwork: "shared" })];
        expect(clientsOf(own, surroundingsOf(own))).toContainEqual({
            ipBlock: { cidr: "10.64.0.0/20" },
        });
        expect(clientsOf(other, surroundingsOf(other))).toBe(undefined);
        expect(openings(other, {})[0]).toContain("it would need quorum:access.nodeRanges");
    });
});
