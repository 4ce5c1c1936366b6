import { expect, test } from "vitest";
import { GIB, MIB, parseQuantity } from "../../components/quantity.js";

test.each([
    ["512Mi", 512 * MIB],
    ["10Gi", 10 * GIB],
    ["1.5Gi", 1.5 * GIB],
    ["1G", 1e9],
    ["250m", 0.25],
    ["2", 2],
])("%s is read", (text, value) => expect(parseQuantity(text)).toBe(value));

test("what is no quantity is refused", () => {
    expect(() => parseQuantity("10 GB")).toThrow('"10 GB" is not a Kubernetes quantity');
});
