// Ranges of IPv4 addresses: where one begins, which follows another, and whether two overlap.

interface Range {
    readonly first: number;
    readonly size: number;
    readonly bits: number;
}

function read(cidr: string): Range {
    const [address, bits] = cidr.split("/");
    const number = address!.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
    const size = 2 ** (32 - Number(bits));
    return { first: number - (number % size), size, bits: Number(bits) };
}

const write = ({ first, bits }: Range): string =>
    `${[24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join(".")}/${bits}`;

/** The range that comes `steps` ranges of the same size after this one. Beyond the last address there is none. */
export function rangeAfter(cidr: string, steps: number): string | undefined {
    const { first, size, bits } = read(cidr);
    const next = first + steps * size;
    return next + size > 2 ** 32 ? undefined : write({ first: next, size, bits });
}

/** The same range, written with its first address. */
export const alignedRange = (cidr: string): string => write(read(cidr));

/** Whether it is written as what it is: the first address of its range. */
export const isAligned = (cidr: string): boolean => alignedRange(cidr) === cidr;

export function overlap(one: string, other: string): boolean {
    const [a, b] = [read(one), read(other)];
    return a.first < b.first + b.size && b.first < a.first + a.size;
}

/** How many addresses it has. */
export const addressesIn = (cidr: string): number => read(cidr).size;
