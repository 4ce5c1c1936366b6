// Opens the platform that a specification names.

import type { AcceptedSpec } from "../rules/accept";
import { existingPlatform, existingPlatforms } from "./existing";
import { clustersOf, type ExistingSettings } from "./existing-settings";
import type * as gke from "./gke/platform";
import type { Platform } from "./platform";

/** The platform of an accepted specification, with everything that it makes. */
export function openPlatform(accepted: AcceptedSpec, settings: ExistingSettings): Platform {
    const { platform, adopt, layout } = accepted.spec;
    switch (platform) {
        case "existing":
            return layout === "cluster-per-zone"
                ? existingPlatforms({ clusters: clustersOf(settings), adopt })
                : existingPlatform({ ...settings, adopt });
        case "gke":
            return loadGke().gkePlatform(accepted);
    }
}

/** Google Cloud's package is loaded for this platform, and for no other. */
function loadGke(): typeof gke {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- an import would be loaded by every program
    return require("./gke/platform") as typeof gke;
}
