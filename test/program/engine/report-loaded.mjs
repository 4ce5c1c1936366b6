// Hands over, when the program's process ends, every file that it has loaded with `require`: the program is CommonJS, and so
// is all that it uses. What it loads with `import()` ends up in the same list.
import { writeFileSync } from "node:fs";
import Module from "node:module";

/** The pipe that child.ts reads. */
const REPORT = 3;

process.on("exit", () => {
    writeFileSync(REPORT, JSON.stringify(Object.keys(Module._cache)));
});
