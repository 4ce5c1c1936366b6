// The command line of the sandbox; `make` is a thin cover over it.

import { Command } from "commander";
import { SandboxError } from "./failure.js";
import { ALL_TOOLS, ensureTools } from "./tools.js";

const program = new Command("sandbox").description("A local Kubernetes for trying Quorum");

program
    .command("tools")
    .description("build every tool of the sandbox into the cache")
    .action(() => ensureTools(ALL_TOOLS, (line) => console.log(line)));

program.parseAsync().catch((thrown: unknown) => {
    console.error(thrown instanceof SandboxError ? thrown.message : thrown);
    process.exitCode = 1;
});
