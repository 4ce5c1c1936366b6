// Kubernetes quantities of storage as numbers.

const FACTORS: Readonly<Record<string, number>> = {
    "": 1,
    k: 1e3,
    M: 1e6,
    G: 1e9,
    T: 1e12,
    P: 1e15,
    Ki: 2 ** 10,
    Mi: 2 ** 20,
    Gi: 2 ** 30,
    Ti: 2 ** 40,
    Pi: 2 ** 50,
};

/** `1Gi` is 1073741824. Throws on what is no quantity. */
export function quantityToBytes(quantity: string): number {
    const found = /^([0-9.]+)([A-Za-z]*)$/.exec(quantity);
    const factor = FACTORS[found?.[2] ?? ""];
    if (found === null || factor === undefined) {
        throw new Error(`"${quantity}" is not a quantity of storage.`);
    }
    return Number(found[1]) * factor;
}
