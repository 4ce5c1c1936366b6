// A simulator of CockroachDB's command: what runs, and what asks it.

import { run } from "../shared/index.js";
import { command } from "./commands.js";
import { cockroach } from "./dialect.js";

await run(([, ...args]) => command(cockroach(process.env["SIMULATED_VERSION"] ?? "26.2.2"), args));
