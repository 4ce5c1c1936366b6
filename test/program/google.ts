// What a program of platform gke finds around it in these tests: the plugin's name on PATH, and which changes replace what.

import { fileURLToPath } from "node:url";
import { FORCE_NEW } from "../../sandbox/pulumi/resource-gcp/force-new.js";
import type { Registration, RunOptions } from "./engine.js";

const PLUGIN_FOLDER = fileURLToPath(new URL("fixtures/google/bin", import.meta.url));

/** What Google answers, as far as the program reads it. */
const computed = ({ type }: Registration) =>
    type === "gcp:container/cluster:Cluster"
        ? {
              endpoint: "192.0.2.1",
              masterAuth: { clusterCaCertificate: "Q0E=" },
              controlPlaneEndpointsConfig: { dnsEndpointConfig: { endpoint: "gke.example" } },
          }
        : undefined;

/** Options of a run. */
export const ON_GKE = {
    environment: { PATH: `${PLUGIN_FOLDER}:${process.env["PATH"] ?? ""}` },
    forceNew: FORCE_NEW,
    computed,
} satisfies Partial<RunOptions>;

/** A configuration of three zones. */
export const GKE = {
    platform: "gke",
    zones: '["europe-west1-b","europe-west1-c","europe-west1-d"]',
    machines: '{"type":"n2-standard-4"}',
    gke: '{"project":"acme-prod"}',
};
