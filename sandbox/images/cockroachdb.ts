// CockroachDB's simulator, with the release before the default for upgrades, and one that an upgrade may not skip to.

import { simulatorImage } from "./simulator.js";

export const cockroachdb = simulatorImage({
    engine: "cockroachdb",
    versions: ["26.2.2", "25.4.9", "26.4.0"],
    commands: { "/cockroach/cockroach": ["cockroach"] },
    user: 1000,
    workingDirectory: "/cockroach",
});
