// Loads the program's TypeScript, transpiled once by esbuild and kept: Pulumi's own loader, ts-node, transpiles every file
// in every run, which is half of a run's time. Only for tests, which run the program hundreds of times.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import Module, { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(import.meta.url);
const { version } = require("esbuild/package.json");
const CACHE = path.resolve(
    import.meta.dirname,
    "../../../node_modules/.cache/quorum-program",
    version,
);

function transpile(file) {
    const source = readFileSync(file, "utf8");
    const kept = path.join(CACHE, `${createHash("sha256").update(source).digest("hex")}.js`);
    try {
        return readFileSync(kept, "utf8");
    } catch {
        const { code } = require("esbuild").transformSync(source, {
            loader: "ts",
            format: "cjs",
            target: "es2022",
            sourcefile: file,
        });
        mkdirSync(CACHE, { recursive: true });
        // Other runs read it at any time.
        const written = `${kept}.${process.pid}`;
        writeFileSync(written, code);
        renameSync(written, kept);
        return code;
    }
}

Module._extensions[".ts"] = (module, file) => module._compile(transpile(file), file);
