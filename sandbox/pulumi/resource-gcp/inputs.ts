// The inputs that @pulumi/gcp knows of a resource, read from the package itself: the constructor of
// each class names every one. The package ships no schema.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** Files of the package whose name is not that of the token. */
const FILES: Readonly<Record<string, string>> = { "projects/iAMMember": "projects/iammember" };

/** The package's folder; a bundled stand-in is told by the wrapper that starts it. */
function packageFolder(): string {
    return (
        process.env["QUORUM_STANDIN_SDK"] ??
        dirname(createRequire(import.meta.url).resolve("@pulumi/gcp/package.json"))
    );
}

/** Names of the inputs of a type, such as `gcp:compute/disk:Disk`, in the package's order. */
export function inputsInPackage(type: string): string[] {
    const [, module = ""] = type.split(":");
    const source = readFileSync(join(packageFolder(), `${FILES[module] ?? module}.js`), "utf8");
    // The constructor fills the inputs twice: from a state that was looked up, and from arguments.
    const fromArguments = source.slice(source.lastIndexOf("const args = argsOrState"));
    return [...fromArguments.matchAll(/resourceInputs\["(\w+)"\] = (?!undefined)/g)].map(
        ([, name]) => name!,
    );
}
