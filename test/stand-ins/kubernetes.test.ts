// The stand-in for Pulumi's Kubernetes provider against a real API server. What is not shown here:
// that real controllers write the status that these tests write in their place (test/cluster does).

import { afterAll, beforeAll, vi } from "vitest";
import { startControlPlane, type ControlPlane } from "./control-plane.js";
import { Bench } from "./kubernetes/bench.js";
import { configuring } from "./kubernetes/configuring.js";
import { endToEnd } from "./kubernetes/end-to-end.js";
import { planning } from "./kubernetes/planning.js";
import { removing } from "./kubernetes/removing.js";
import { waiting } from "./kubernetes/waiting.js";
import { writing } from "./kubernetes/writing.js";

// Most of these tests wait for time to pass, so more than the usual five can run side by side.
vi.setConfig({ maxConcurrency: 24 });

let plane: ControlPlane;
let bench: Bench;
let upserting: Bench;
let mutable: Bench;

beforeAll(async () => {
    plane = await startControlPlane();
    bench = await Bench.start(plane);
    upserting = await Bench.start(plane, { upsertExistingObjects: "true" });
    mutable = await Bench.start(plane, {
        enableConfigMapMutable: "true",
        enableSecretMutable: "true",
    });
});

afterAll(async () => {
    for (const each of [bench, upserting, mutable]) each.stop();
    await plane.stop();
});

planning(() => bench);
writing(
    () => bench,
    () => upserting,
    () => mutable,
);
waiting(() => bench);
removing(() => bench);
configuring(() => bench);
endToEnd(() => bench);
