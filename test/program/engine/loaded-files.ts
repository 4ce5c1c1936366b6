// Which files a program loads: what it does not use must cost it nothing.

import type { RunResult } from "./registration.js";

/** The files of a package that the program loaded, by their path in the package; sorted. */
export function filesLoadedOf({ loadedFiles }: RunResult, packageName: string): string[] {
    if (loadedFiles === undefined) {
        throw new Error("the run has no list of files: give runProgram `reportLoaded: true`");
    }
    const folder = `/node_modules/${packageName}/`;
    return loadedFiles
        .filter((file) => file.includes(folder))
        .map((file) => file.slice(file.lastIndexOf(folder) + folder.length))
        .sort();
}
