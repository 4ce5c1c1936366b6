// Release series of versions, such as 26.2 of 26.2.3.

/** The release series of a version: `26.2` of `26.2.2`. */
export const seriesOf = (version: string): string => version.split(".").slice(0, 2).join(".");

/** Compares two release series, such as `26.2` and `25.4`, number by number: below 0 when the first is the older. */
export function compareSeries(one: string, other: string): number {
    const [left, right] = [one, other].map((series) => series.split(".").map(Number));
    const differs = left!.findIndex((number, index) => number !== right![index]);
    return differs === -1 ? left!.length - right!.length : left![differs]! - (right![differs] ?? 0);
}
