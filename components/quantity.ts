// Kubernetes quantities ("512Mi", "10Gi", "500m") as numbers.

const SUFFIXES: Readonly<Record<string, number>> = {
    m: 1e-3,
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

const QUANTITY = /^(\d+(?:\.\d+)?)(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$/;

/** One mebibyte in bytes. */
export const MIB = 2 ** 20;
/** One gibibyte in bytes. */
export const GIB = 2 ** 30;

/** Whether `text` is a quantity that {@link parseQuantity} understands. */
export function isQuantity(text: string): boolean {
    return QUANTITY.test(text);
}

/**
 * The number that a Kubernetes quantity stands for: bytes for memory and storage, cores for CPU.
 *
 * @throws Error when `text` is not a quantity.
 */
export function parseQuantity(text: string): number {
    const match = QUANTITY.exec(text);
    if (!match) {
        throw new Error(`"${text}" is not a Kubernetes quantity such as 512Mi, 10Gi or 500m`);
    }
    return Number(match[1]) * SUFFIXES[match[2] ?? ""]!;
}
