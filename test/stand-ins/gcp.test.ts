// The stand-in for Pulumi's gcp provider, through its gRPC service. What is not shown here: that Google accepts what it
// accepts, its quotas, its permissions and its durations; and that its provider plans as this one does (the tables it plans
// by name the commit they were read in).

import { afterAll, beforeAll } from "vitest";
import { Bench } from "./gcp/bench.js";
import { configuring } from "./gcp/configuring.js";
import { computing } from "./gcp/computing.js";
import { disks } from "./gcp/disks.js";
import { endToEnd } from "./gcp/end-to-end.js";
import { loggingIn } from "./gcp/logging-in.js";
import { machines } from "./gcp/machines.js";
import { namesAndSecrets } from "./gcp/names-and-secrets.js";
import { tables } from "./gcp/tables.js";

let bench: Bench;
beforeAll(async () => {
    bench = await Bench.start();
});
afterAll(() => bench.stop());

tables();
configuring(() => bench);
computing(() => bench);
disks(() => bench);
machines(() => bench);
namesAndSecrets(() => bench);
loggingIn(() => bench);
endToEnd();
