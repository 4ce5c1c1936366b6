// Addresses outside of Kubernetes: what may be asked for. That they answer is shown in test/cluster.
import { describe, expect, test } from "vitest";
import { SpecError } from "../../components/problems.js";
import { acceptSpec } from "../../components/rules/accept.js";

const good = { name: "orders", engine: "mysql", zones: ["a", "b", "c"] };
const refusal = (expose: object): string => {
    try {
        acceptSpec({ ...good, expose });
        return "";
    } catch (error) {
        return (error as SpecError).message.split("\n").slice(1).join("\n").trim();
    }
};

describe("quorum:expose", () => {
    test("takes an address for each member, or for some", () => {
        const { spec } = acceptSpec({
            ...good,
            expose: { addresses: { "orders-a-0": "192.0.2.1" } },
        });
        expect(spec.expose).toEqual({
            addresses: { "orders-a-0": "192.0.2.1" },
            annotations: {},
            sourceRanges: [],
        });
    });

    test.each([
        [
            { addresses: { "orders-d-0": "192.0.2.1" } },
            'quorum:expose.addresses.orders-d-0 = "192.0.2.1": orders-d-0 is not a member; the members are orders-a-0, orders-b-0, orders-c-0',
        ],
        [
            { addresses: { "orders-a-0": "192.0.2.1", "orders-b-0": "192.0.2.1" } },
            'quorum:expose.addresses.orders-b-0 = "192.0.2.1": is the address of orders-a-0 too',
        ],
        [
            { addresses: { "orders-a-0": "somewhere" } },
            'quorum:expose.addresses.orders-a-0 = "somewhere": must be an IPv4 address, for example 192.0.2.10',
        ],
        [
            { addresses: {}, sourceRanges: ["192.0.2.0"] },
            'quorum:expose.sourceRanges.0 = "192.0.2.0": must be networks in CIDR notation, for example 192.0.2.0/24',
        ],
        [
            { addresses: {}, annotation: {} },
            'quorum:expose.annotation = {}: there is no such key; did you mean "annotations"?',
        ],
        [{}, "quorum:expose.addresses is missing: it is required (an object)"],
    ])("refuses %j", (expose, message) => expect(refusal(expose)).toBe(message));
});
