import { expect, test } from "vitest";
import { bufferPool } from "../../components/engines/mysql/mysql.js";
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

test.each([
    ["640Mi", 64],
    ["1Gi", 384],
    ["2Gi", 1152],
    ["8Gi", 5760],
])(
    "MySQL's buffer pool for a limit of %s leaves room for the rest of the server",
    (limit, pool) => {
        expect(bufferPool(limit) / MIB).toBe(pool);
    },
);
