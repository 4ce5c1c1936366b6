// The simulated YugabyteDB. No registry that tests can reach has the real one.

import { simulatorImage } from "./simulator.js";

const BIN = "/home/yugabyte/bin";

export const yugabytedb = simulatorImage({
    engine: "yugabytedb",
    // The engine's default, the series before it, and one after it, to upgrade from and to.
    versions: ["2026.1.0.1-b1", "2025.2.3.0-b149", "2026.2.0.0-b1"],
    commands: Object.fromEntries(
        ["yb-master", "yb-tserver", "yb-admin", "yb-ts-cli", "ysqlsh"].map((name) => [
            `${BIN}/${name}`,
            [name],
        ]),
    ),
    user: 10001,
    workingDirectory: "/home/yugabyte",
});
