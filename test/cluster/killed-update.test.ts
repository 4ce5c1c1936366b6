// An update that is killed leaves a membership job at work. It must not undo what a later update does: on real pods, with a
// real CLI that gets SIGKILL. Which plan is the newest stands in the cluster record, which is the same for all engines; that
// each write of a job looks there is shown in test/unit/superseded.test.ts.
import { expect, test } from "vitest";
import { zoneUp } from "../../sandbox/index.js";
import { cutPower, eventually } from "./kubernetes.js";
import { LOCAL_STORAGE } from "./stack.js";
import { mysqlGroup } from "./subjects.js";
import { openTrial } from "./trial.js";

const trial = openTrial({
    cluster: "killed",
    images: [mysqlGroup.engine],
    container: mysqlGroup.container,
    config: {
        ...mysqlGroup.config,
        engine: mysqlGroup.engine,
        image: mysqlGroup.image,
        storage: LOCAL_STORAGE,
    },
});

test("the job of a killed update retires nobody whom a later update has added", async () => {
    await trial.up();
    // The job of this update waits for the member in zone c, and goes on when that has power again.
    await cutPower("c");
    const waits = `still waiting: ${trial.member("c")}`;
    await trial.killed({ primary: trial.member("b") }, async () =>
        (await trial.jobLog()).includes(waits),
    );
    const old = (await trial.jobPods()).at(-1)!;

    const later = trial.up({ replicas: 5 });
    // Its job has begun beside the old one.
    await eventually("the job of the later update", 120, async () => {
        return (await trial.jobPods()).at(-1) !== old;
    });
    await zoneUp("c");
    await later;

    const record = await trial.namespace.get<{ metadata: { annotations: Record<string, string> } }>(
        "endpointslice",
        "killed-write",
    );
    expect(record.metadata.annotations["quorum.dev/retired"]).toBeUndefined();
    expect(record.metadata.annotations["quorum.dev/members"]!.split(",").sort()).toEqual([
        trial.member("a"),
        trial.member("a", 1),
        trial.member("b"),
        trial.member("b", 1),
        trial.member("c"),
    ]);
    await trial.namespace.ready(5);
    expect(await trial.logOf(old)).toMatch(/REFUSED: a newer update has made another plan.*$/);
});
