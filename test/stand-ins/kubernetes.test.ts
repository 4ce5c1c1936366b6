// The stand-in for Pulumi's Kubernetes provider against a real API server. What is not shown here:
// that real controllers write the status that these tests write in their place (test/cluster does).

import { afterAll, beforeAll } from "vitest";
import { startControlPlane, type ControlPlane } from "./control-plane.js";
import { Bench } from "./kubernetes/bench.js";
import { planning } from "./kubernetes/planning.js";

let plane: ControlPlane;
let bench: Bench;

beforeAll(async () => {
    plane = await startControlPlane();
    bench = await Bench.start(plane);
});

afterAll(async () => {
    bench.stop();
    await plane.stop();
});

planning(() => bench);
