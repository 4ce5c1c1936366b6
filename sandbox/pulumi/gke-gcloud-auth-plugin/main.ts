// The executable gke-gcloud-auth-plugin of the sandbox: what a kubeconfig for GKE runs to log in. It
// knows the sandbox's control planes and nobody else's.

import { CLOUD_VARIABLE } from "../../cloud/store.js";
import { credentialFor } from "./credential.js";

try {
    const { KUBERNETES_EXEC_INFO: info = "", [CLOUD_VARIABLE]: cloud = "" } = process.env;
    process.stdout.write(`${JSON.stringify(credentialFor(info, cloud))}\n`);
} catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`gke-gcloud-auth-plugin (the sandbox's stand-in): ${message}\n`);
    process.exitCode = 1;
}
