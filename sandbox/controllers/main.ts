// The sandbox's own controllers, which stand in for what a cloud gives (addresses for services, disks for claims) and for
// what a network plugin does with network policies. Runs in the hub as long as the sandbox does.

import { sandboxNumbered, type SandboxNumber } from "../cluster/plan.js";
import { Api } from "./api.js";
import { DiskController } from "./disks.js";
import { LoadBalancerController } from "./load-balancers.js";
import { NetworkPolicyController } from "./network-policies.js";
import { runController } from "./run.js";

const api = new Api(process.env["KUBECONFIG"]!);
const sandbox = sandboxNumbered(Number(process.env["SANDBOX_NUMBER"]) as SandboxNumber);
// A failure here ends the process, and the hub starts it again.
const controllers = [LoadBalancerController, DiskController, NetworkPolicyController];
await Promise.all(controllers.map((kind) => runController(new kind(api, sandbox))));
