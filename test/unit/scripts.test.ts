// The scripts are sound shell. That they do the right thing is shown on real pods in test/cluster.
import { execa } from "execa";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "../../components");
const folders = readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".sh"))
    .map((file) => path.dirname(path.join(root, file)));
const scripts = [...new Set(folders)].flatMap((folder) =>
    readdirSync(folder)
        .filter((file) => file.endsWith(".sh"))
        .map((file) => path.join(folder, file)),
);

test("there are scripts to check", () => expect(scripts.length).toBeGreaterThan(5));

test.each(scripts.map((file) => [path.relative(root, file), file]))(
    "%s passes shellcheck",
    async (_, file) => {
        const folder = path.dirname(file);
        const shared = path.join(root, "engines/shared");
        const above = path.dirname(folder);
        // Those of one way of replication are mounted over those of all.
        const below = readdirSync(folder, { withFileTypes: true })
            .filter((entry) => entry.isDirectory())
            .map((entry) => path.join(folder, entry.name));
        const sources = [shared, folder, above, path.join(above, "scripts"), ...below].join(":");
        const { stdout } = await execa("shellcheck", ["-x", "-P", sources, file], {
            reject: false,
        });
        expect(stdout).toBe("");
    },
);

test.each(scripts.map((file) => [path.relative(root, file), file]))(
    "%s keeps passwords out of arguments",
    (_, file) => {
        expect(readFileSync(file, "utf8")).not.toMatch(/--password|-p"?\$|MYSQL_PWD|PGPASSWORD=/);
    },
);
