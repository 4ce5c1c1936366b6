// Ranges of IPv4 addresses in CIDR notation.

export interface Range {
    readonly first: number;
    readonly last: number;
}

export function addressNumber(address: string): number {
    return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

export function addressText(number: number): string {
    return [24, 16, 8, 0].map((bits) => Math.floor(number / 2 ** bits) % 256).join(".");
}

/** undefined for a text that is no range. */
export function parseRange(cidr: string): Range | undefined {
    const found = /^(\d{1,3}(?:\.\d{1,3}){3})\/(\d{1,2})$/.exec(cidr);
    if (found === null || Number(found[2]) > 32) return undefined;
    const size = 2 ** (32 - Number(found[2]));
    const first = Math.floor(addressNumber(found[1]!) / size) * size;
    return { first, last: first + size - 1 };
}

export function overlap(one: Range, other: Range): boolean {
    return one.first <= other.last && other.first <= one.last;
}

export function contains(range: Range, address: number): boolean {
    return range.first <= address && address <= range.last;
}
