// The cloud's process: plays Google's part for the resources in the cloud's files. A stand-in, with a name in each of its
// log lines. It runs in this machine's namespaces, for it starts nodes and lays their networks; it works for all
// sandboxes whose machines are the cloud's.

import { sandboxesOnCloud } from "../cluster/marks.js";
import { registryFile } from "../cluster/registry.js";
import { runController } from "../controllers/run.js";
import { AddressController } from "./addresses.js";
import { FileChanges } from "./changes.js";
import { ClusterController } from "./clusters.js";
import { AttachmentController } from "./disks/attachments.js";
import { LossController } from "./disks/detach.js";
import { GrowthController } from "./disks/growth.js";
import { ProvisioningController } from "./disks/provisioning.js";
import { SocketController } from "./disks/sockets.js";
import { NameController } from "./name-zones.js";
import { PoolController } from "./pools.js";
import { Cloud, CLOUD_VARIABLE } from "./store.js";

const cloud = new Cloud(process.env[CLOUD_VARIABLE]!);
const sandboxes = sandboxesOnCloud();
const files = [new FileChanges(cloud.directory)];
const machines = [...files, new FileChanges(...sandboxes.map(registryFile))];
// A failure here ends the process, and it is started again.
await Promise.all(
    [
        new ClusterController(cloud, files),
        new PoolController(cloud, files),
        new AddressController(cloud, sandboxes, files),
        new NameController(cloud, sandboxes, files),
        new SocketController(cloud, sandboxes, machines),
        new LossController(cloud, machines),
        ...sandboxes.flatMap((sandbox) => [
            new AttachmentController(cloud, sandbox, files),
            new GrowthController(cloud, sandbox),
            new ProvisioningController(cloud, sandbox),
        ]),
    ].map(runController),
);
