// Releases and feature compatibility versions: which data a server takes over
// (https://www.mongodb.com/docs/v8.0/reference/command/setFeatureCompatibilityVersion/ and the release notes, "Upgrade").

/** Release series -> feature compatibility versions of the data that its servers start on, its own apart. */
const OLDER: Readonly<Record<string, readonly string[]>> = {
    "7.0": ["6.0"],
    "8.0": ["7.0"],
    "8.2": ["8.0"],
    "8.3": ["8.0", "8.2"],
};

export const VERSION = process.env["SIMULATED_VERSION"] ?? "8.0.26";

/** "8.0" of "8.0.26". */
export const SERIES = VERSION.split(".").slice(0, 2).join(".");

/** The feature compatibility versions that this server works with. */
export const COMPATIBLE: readonly string[] = [SERIES, ...(OLDER[SERIES] ?? [])];
