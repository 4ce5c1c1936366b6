// The built package loads and has everything in it that a cluster's objects are made of. It is loaded by Node.js alone, as a
// program that depends on it does.
import { execa } from "execa";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ENGINE_NAMES } from "../../components/spec.js";

const ROOT = path.resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(path.join(tmpdir(), "quorum-build-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Prints the scripts of each engine's cluster, as the components in the folder of the first argument find them. */
const PROGRAM = `
    const load = (module) => require(require("path").join(process.argv[1], module));
    const { acceptSpec } = load("index");
    const { scriptsOf } = load("files");
    const scripts = ${JSON.stringify(ENGINE_NAMES)}.map((engine) => {
        const accepted = acceptSpec({ name: "orders", engine, zones: ["a", "b", "c"] });
        return [engine, scriptsOf(accepted.engine, accepted.spec)];
    });
    console.log(JSON.stringify(Object.fromEntries(scripts)));
`;

async function scriptsOf(
    components: string,
    ...options: string[]
): Promise<Record<string, object>> {
    const { stdout } = await execa("node", [...options, "-e", PROGRAM, components], {
        cwd: ROOT,
        env: { NODE_PATH: path.join(ROOT, "node_modules") },
    });
    return JSON.parse(stdout) as Record<string, object>;
}

beforeAll(() => execa("npm", ["run", "build", "--", "--outDir", folder], { cwd: ROOT }), 120_000);

test("the built package makes the same scripts as its sources", { timeout: 60_000 }, async () => {
    const built = await scriptsOf(path.join(folder, "components"));
    expect(Object.keys(built).sort()).toEqual([...ENGINE_NAMES].sort());
    expect(built).toEqual(await scriptsOf(path.join(ROOT, "components"), "--import", "tsx"));
});

test("what package.json exports is there", () => {
    const { exports } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as {
        exports: Record<string, Record<string, string>>;
    };
    for (const file of Object.values(exports["."]!)) {
        expect(file).toMatch(/^\.\/dist\//);
        expect(readFileSync(path.join(folder, file.replace("./dist/", "")), "utf8")).not.toBe("");
    }
});
