// The simulator of MongoDB, in the place of the vendor's image.

import { simulatorImage } from "./simulator.js";

export const mongodb = simulatorImage({
    engine: "mongodb",
    // The default; two for upgrades from it; and one from which 8.2 cannot be reached in one step.
    versions: ["8.0.26", "8.2.11", "8.3.4", "7.0.37"],
    commands: { "/usr/bin/mongod": ["mongod"], "/usr/bin/mongosh": ["mongosh"] },
    user: 999,
});
