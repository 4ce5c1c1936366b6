// What a program of platform gke finds around it in these tests: the plugin's name on PATH, and which changes replace what.

import { fileURLToPath } from "node:url";
import {
    FORCE_NEW,
    FORCE_NEW_BLOCKS,
    FORCE_NEW_WHEN,
} from "../../sandbox/pulumi/resource-gcp/force-new.js";
import type { RunOptions } from "./engine.js";

const PLUGIN_FOLDER = fileURLToPath(new URL("fixtures/google/bin", import.meta.url));

/** Options of a run, and of a plan. */
export const ON_GKE = {
    environment: { PATH: `${PLUGIN_FOLDER}:${process.env["PATH"] ?? ""}` },
    forceNew: { paths: FORCE_NEW, blocks: FORCE_NEW_BLOCKS, when: FORCE_NEW_WHEN },
} satisfies Partial<RunOptions>;

/** A configuration of three zones. */
export const GKE = {
    platform: "gke",
    zones: '["europe-west1-b","europe-west1-c","europe-west1-d"]',
    machines: '{"type":"n2-standard-4"}',
    gke: '{"project":"acme-prod"}',
};
