// Loaded into the program before anything else: leaves out what the SDK does in every run and no program here needs, a third
// of a run's time. Only for tests, which run the program hundreds of times.
import Module, { createRequire } from "node:module";

const require = createRequire(import.meta.url);

// By these the SDK writes functions as text, for dynamic providers. They are loaded when something of them is used.
const ON_DEMAND = new Set(["typescript", "@npmcli/arborist"]);
const load = Module._load;
Module._load = (request, parent, isMain) =>
    ON_DEMAND.has(request) && parent.filename.includes("/@pulumi/pulumi/")
        ? onDemand(() => load(request, parent, isMain))
        : load(request, parent, isMain);

/** Stands for a module. To `import * as` it looks like one that needs no copy. */
function onDemand(loadIt) {
    let loaded;
    const get = (_, name) => name === "__esModule" || (loaded ??= loadIt())[name];
    return new Proxy({}, { get });
}

// The SDK writes a stack trace for each resource and each promise, and maps every line of it to its own TypeScript. That
// lies in `node_modules/@pulumi/resource.ts` by these maps: Node 20, which marks a module's name in what a program throws,
// never finds the end of that one, and fills memory for 15 to 25 s before it gives up.
const NO_MAP = { url: "", map: { version: 3, sources: [], names: [], mappings: "" } };
require("source-map-support").install({ retrieveSourceMap: () => NO_MAP });
