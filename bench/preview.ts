// How much longer a preview of Quorum takes than one of a program with nothing in it.
import { BenchCluster } from "./cluster.js";
import type { Section } from "./main.js";
import { compare } from "./measure.js";
import { EMPTY, forgetSettings, pulumi } from "./program.js";

const STACK = "bench-empty";

export const preview: Section = {
    name: "preview",
    title: "Preview: Quorum's program against an empty one",
    includes: [
        "both: `pulumi preview` of a stack without resources, with the same CLI, language host, backend and machine",
        "ours: the whole program and a cluster of three MySQL members, about which the Kubernetes provider is asked",
        "theirs: a TypeScript program without a resource, so no provider is started (ours starts two)",
    ],
    run: async (run, atEnd) => {
        const cluster = await BenchCluster.open(run.replication);
        atEnd(() => cluster.remove());
        forgetSettings(EMPTY, STACK);
        await pulumi(EMPTY, "stack", "select", "--create", STACK);
        atEnd(async () => {
            await pulumi(EMPTY, "stack", "rm", "--yes", "--force", STACK);
            forgetSettings(EMPTY, STACK);
        });
        const empty = () => pulumi(EMPTY, "preview", "--stack", STACK);
        // The first run of each fills the caches of files and of compiled code.
        await cluster.preview();
        await empty();
        await compare(
            run,
            { name: "Quorum", measure: () => cluster.preview() },
            { name: "empty", measure: empty },
        );
    },
};
