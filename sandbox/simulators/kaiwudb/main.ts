// A simulator of KaiwuDB's command. The family is CockroachDB's; the differences are in its dialect.

import { command } from "../cockroachdb/commands.js";
import { kwbase } from "../cockroachdb/dialect.js";
import { run } from "../shared/index.js";

await run(([, ...args]) => command(kwbase(process.env["SIMULATED_VERSION"] ?? "3.2.2"), args));
