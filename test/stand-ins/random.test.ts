// The stand-in for Pulumi's random provider, through its gRPC service. What is not shown here: that
// the values of the real provider have the same distribution.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UNKNOWN, secret, type TreeObject } from "../../sandbox/pulumi/property-tree.js";
import { randomProvider } from "../../sandbox/pulumi/resource-random/provider.js";
import {
    ProviderFailure,
    startProvider,
    urnOf,
    type ProviderUnderTest,
} from "./provider-client.js";

let provider: ProviderUnderTest;
beforeAll(async () => {
    provider = await startProvider(randomProvider);
    await provider.configure({});
});
afterAll(() => provider.stop());

function urn(kind: string): string {
    const module = kind[0]!.toLowerCase() + kind.slice(1);
    return urnOf(`random:index/${module}:${kind}`, "it");
}

async function make(kind: string, inputs: TreeObject) {
    const checked = await provider.check(urn(kind), inputs);
    return provider.create(urn(kind), checked);
}

/** The text inside the mark of a secret. */
function revealed(value: unknown): string {
    const marked = value as { value: string } & Record<string, string>;
    expect(marked).toEqual(secret(marked.value));
    return marked.value;
}

describe("a random password", () => {
    it("has the asked length and the least number of each kind of character", async () => {
        const made = await make("RandomPassword", {
            length: 24,
            minUpper: 3,
            minLower: 4,
            minNumeric: 5,
            minSpecial: 6,
            overrideSpecial: "_-",
        });
        const password = revealed(made.properties["result"]);
        expect(password).toHaveLength(24);
        const count = (pattern: RegExp) => password.match(pattern)?.length ?? 0;
        expect(count(/[A-Z]/g)).toBeGreaterThanOrEqual(3);
        expect(count(/[a-z]/g)).toBeGreaterThanOrEqual(4);
        expect(count(/[0-9]/g)).toBeGreaterThanOrEqual(5);
        expect(count(/[_-]/g)).toBeGreaterThanOrEqual(6);
        expect(password).toMatch(/^[\w-]+$/);
        expect(made.id).toBe("none");
    });

    it("is secret in the response and differs each time", async () => {
        const [a, b] = [
            await make("RandomPassword", { length: 20 }),
            await make("RandomPassword", { length: 20 }),
        ];
        expect(revealed(a.properties["result"])).not.toBe(revealed(b.properties["result"]));
    });

    it("keeps to letters and digits when special characters are off", async () => {
        const made = await make("RandomPassword", { length: 200, special: false });
        expect(revealed(made.properties["result"])).toMatch(/^[A-Za-z0-9]{200}$/);
    });

    it("says what is wrong when the least numbers do not fit into the length", async () => {
        await expect(
            make("RandomPassword", { length: 4, minUpper: 3, minLower: 3 }),
        ).rejects.toThrow(
            `"length" is 4, but minUpper, minLower, minNumeric and minSpecial together ask for 6 characters.`,
        );
    });

    it("needs a length", async () => {
        await expect(make("RandomPassword", {})).rejects.toThrow(`"length" is required.`);
    });

    it("is not known in a preview, and still secret", async () => {
        const made = await provider.create(
            urn("RandomPassword"),
            { length: 20 },
            { preview: true },
        );
        expect(made).toEqual({
            id: "",
            properties: {
                length: 20,
                lower: true,
                minLower: 0,
                minNumeric: 0,
                minSpecial: 0,
                minUpper: 0,
                number: true,
                numeric: true,
                special: true,
                upper: true,
                result: secret(UNKNOWN),
            },
        });
    });

    it("is replaced when an argument or a keeper changes, and only then", async () => {
        const oldInputs = { length: 20, keepers: { generation: "1" } };
        const diff = (news: TreeObject) =>
            provider.diff(urn("RandomPassword"), {}, news, { oldInputs });
        expect((await diff(oldInputs)).isChanged).toBe(false);
        expect((await diff({ ...oldInputs, special: true })).isChanged).toBe(false);
        expect(await diff({ ...oldInputs, length: 21 })).toEqual({
            changes: { length: "updateReplace" },
            replaces: ["length"],
            deleteBeforeReplace: false,
            isChanged: true,
        });
        expect((await diff({ ...oldInputs, keepers: { generation: "2" } })).replaces).toEqual([
            "keepers",
        ]);
        expect((await diff({ length: 20 })).changes).toEqual({ keepers: "deleteReplace" });
    });

    it("is read back as it was written", async () => {
        const made = await make("RandomPassword", { length: 20 });
        const found = await provider.read(urn("RandomPassword"), "none", made.properties, {
            length: 20,
        });
        expect(found.properties).toEqual(made.properties);
        expect(found.inputs).toEqual({ length: 20 });
    });
});

describe("the other kinds", () => {
    it("a random string is no secret and is its own id", async () => {
        const made = await make("RandomString", { length: 12, upper: false, special: false });
        expect(made.properties["result"]).toMatch(/^[a-z0-9]{12}$/);
        expect(made.id).toBe(made.properties["result"]);
    });

    it("a random id has its bytes in four spellings, each with the prefix", async () => {
        const { id, properties } = await make("RandomId", { byteLength: 5, prefix: "p-" });
        const bytes = Buffer.from(id, "base64url");
        expect(bytes).toHaveLength(5);
        expect(properties).toEqual({
            byteLength: 5,
            prefix: "p-",
            b64Url: `p-${id}`,
            b64Std: `p-${bytes.toString("base64")}`,
            hex: `p-${bytes.toString("hex")}`,
            dec: `p-${BigInt(`0x${bytes.toString("hex")}`)}`,
        });
    });

    it("a random pet has as many words as asked, behind its prefix", async () => {
        expect((await make("RandomPet", {})).id).toMatch(/^[a-z]+-[a-z]+$/);
        const named = await make("RandomPet", { length: 3, separator: "_", prefix: "db" });
        expect(named.id).toMatch(/^db_[a-z]+_[a-z]+_[a-z]+$/);
    });

    it("a random UUID is one of version 4", async () => {
        const { id, properties } = await make("RandomUuid", {});
        expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        expect(properties).toEqual({ result: id });
    });

    it("a random integer lies between its bounds, both included", async () => {
        const seen = new Set<unknown>();
        for (let count = 0; count < 60; count++) {
            seen.add((await make("RandomInteger", { min: -1, max: 1 })).properties["result"]);
        }
        expect([...seen].sort()).toEqual([-1, 0, 1]);
    });

    it("a random shuffle has the items of its input", async () => {
        const { properties } = await make("RandomShuffle", { inputs: ["a", "b", "c"] });
        expect([...(properties["results"] as string[])].sort()).toEqual(["a", "b", "c"]);
        const two = await make("RandomShuffle", { inputs: ["a", "b", "c"], resultCount: 2 });
        expect(two.properties["results"]).toHaveLength(2);
    });

    it("random bytes are secret in both spellings", async () => {
        const { properties } = await make("RandomBytes", { length: 8 });
        const hex = revealed(properties["hex"]);
        expect(revealed(properties["base64"])).toBe(Buffer.from(hex, "hex").toString("base64"));
        expect(hex).toHaveLength(16);
    });

    it("a seed is refused, because a stand-in would repeat another value than the real one", async () => {
        await expect(make("RandomInteger", { min: 1, max: 2, seed: "x" })).rejects.toThrow(
            /"seed" is not supported by the sandbox's stand-in/,
        );
    });

    it("a kind that it does not have is refused by name", async () => {
        const failure = await make("RandomUuid7", {}).catch((error: unknown) => error);
        expect(failure).toBeInstanceOf(ProviderFailure);
        expect((failure as Error).message).toMatch(
            /^random:index\/randomUuid7:RandomUuid7 is not supported by the sandbox's stand-in/,
        );
    });
});
