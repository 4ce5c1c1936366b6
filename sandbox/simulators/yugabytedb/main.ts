// The simulator of YugabyteDB: yb-master, yb-tserver, yb-admin, yb-ts-cli and ysqlsh, by the rules that Quorum's
// orchestration depends on (docs/simulators.md lists them, each with the document it was taken from).

import { CommandError, run } from "../shared/index.js";
import { master } from "./master.js";
import { admin, tsCli, ysqlsh } from "./tools.js";
import { tserver } from "./tserver.js";

const PROGRAMS: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
    "yb-master": master,
    "yb-tserver": tserver,
    "yb-admin": admin,
    "yb-ts-cli": tsCli,
    ysqlsh,
};

await run(async ([program, ...args]) => {
    const main = PROGRAMS[program ?? ""];
    if (!main) throw new CommandError(`${program ?? ""} is not simulated`);
    await main(args);
});
