// The cloud's process: plays Google's part for the resources in the cloud's files. A stand-in, with a name in each of its
// log lines. It runs in this machine's namespaces, for it starts nodes and lays their networks; it works for all
// sandboxes whose machines are the cloud's.

import { sandboxesOnCloud } from "../cluster/cluster.js";
import { runController } from "../controllers/run.js";
import { AddressController } from "./addresses.js";
import { FileChanges } from "./changes.js";
import { ClusterController } from "./clusters.js";
import { PoolController } from "./pools.js";
import { Cloud, CLOUD_VARIABLE } from "./store.js";

const cloud = new Cloud(process.env[CLOUD_VARIABLE]!);
const sandboxes = sandboxesOnCloud();
const files = [new FileChanges(cloud.directory)];
// A failure here ends the process, and it is started again.
await Promise.all(
    [
        new ClusterController(cloud, files),
        new PoolController(cloud, files),
        new AddressController(cloud, sandboxes, files),
    ].map(runController),
);
