// The executable pulumi-resource-gcp of the sandbox.

import { engineAddressOf, runPlugin } from "../serve.js";
import { gcpService } from "./service.js";

/** The wrapper that starts this names the version of the SDK package that it stands beside. */
const version = process.env["QUORUM_STANDIN_VERSION"] ?? "0.0.0";

void runPlugin(gcpService(version, engineAddressOf(process.argv.slice(2))), () => undefined);
