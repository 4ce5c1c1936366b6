// The package: what TypeScript makes of components/, and beside it the scripts that the components read when they run.

import { execFileSync } from "node:child_process";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values } = parseArgs({ options: { outDir: { type: "string", default: "dist" } } });

execFileSync("npx", ["tsc", "-p", "tsconfig.build.json", "--outDir", values.outDir], {
    stdio: "inherit",
});
cpSync("components", join(values.outDir, "components"), {
    recursive: true,
    filter: (file) => !file.endsWith(".ts"),
});
