// Opens the platform that a specification names.

import type { AcceptedSpec } from "../rules/accept";
import { existingPlatform } from "./existing";
import type * as gke from "./gke/platform";
import type { Platform } from "./platform";

/** What a stack says of the Kubernetes that is there. */
export interface ExistingSettings {
    readonly kubeconfig?: string;
    readonly context?: string;
}

/** The platform of an accepted specification, with everything that it makes. */
export function openPlatform(accepted: AcceptedSpec, settings: ExistingSettings): Platform {
    const { platform, adopt } = accepted.spec;
    switch (platform) {
        case "existing":
            return existingPlatform({ ...settings, adopt });
        case "gke":
            return loadGke().gkePlatform(accepted);
    }
}

/** Google Cloud's package is loaded for this platform, and for no other. */
function loadGke(): typeof gke {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- an import would be loaded by every program
    return require("./gke/platform") as typeof gke;
}
