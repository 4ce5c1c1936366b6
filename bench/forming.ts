// How much longer it takes to have a database cluster than to have as many separate servers.
import { BenchCluster } from "./cluster.js";
import type { Section } from "./main.js";
import { compare } from "./measure.js";
import {
    manifestFrom,
    removePlainServers,
    startPlainServers,
    type Manifest,
} from "./plain-servers.js";

export const forming: Section = {
    name: "forming",
    title: "From nothing to a cluster: `pulumi up` against the same pods in a plain StatefulSet",
    includes: [
        "both: three pods of the same image with the same init step, resources and disks, one a zone, images on the nodes",
        "ours: plan, objects, the first member formed, two cloned from it, replicating; ends when `pulumi up` has ended, " +
            "all members are ready and a row written through the write Service is on each of them",
        "theirs: `kubectl apply` of one StatefulSet (podManagementPolicy: Parallel), no agent; three separate empty " +
            "servers; ends when all three run and let the administrator log in",
    ],
    run: async (run, atEnd) => {
        const cluster = await BenchCluster.open(run.replication);
        atEnd(() => cluster.remove());
        await removePlainServers();
        atEnd(() => removePlainServers());
        let manifest: Manifest | undefined;
        const ours = async (): Promise<number> => {
            const duration = await timed(() => cluster.form());
            manifest ??= await manifestFrom(cluster);
            await cluster.clear();
            return duration;
        };
        const theirs = async (): Promise<number> => {
            const duration = await timed(() => startPlainServers(manifest!));
            await removePlainServers();
            return duration;
        };
        await compare(
            run,
            { name: "Quorum", measure: ours },
            { name: "plain StatefulSet", measure: theirs },
        );
    },
};

async function timed(action: () => Promise<void>): Promise<number> {
    const started = performance.now();
    await action();
    return performance.now() - started;
}
