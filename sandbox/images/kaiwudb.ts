// KaiwuDB's simulator, with an older release for upgrades.

import { simulatorImage } from "./simulator.js";

export const kaiwudb = simulatorImage({
    engine: "kaiwudb",
    alsoOf: ["cockroachdb"],
    versions: ["3.2.2", "3.1.0"],
    commands: { "/kaiwudb/bin/kwbase": ["kwbase"] },
    user: 1000,
    workingDirectory: "/kaiwudb/bin",
});
