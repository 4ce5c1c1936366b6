// What several engines share: the scripts of the cluster record and of every membership job, and who deletes claims.

import type { ClusterSpec } from "../../spec";
import { STORAGE_DRIVERS } from "../../storage";
import type { AccessRule, PodFacts } from "../engine";

/** The folder of the shared scripts, for {@link Engine.scripts}. */
export const SHARED_SCRIPTS = __dirname;

/** To read and change the cluster record (record.sh), and nothing else. */
export const recordAccess = (facts: PodFacts): AccessRule => ({
    apiGroup: "discovery.k8s.io",
    resource: "endpointslices",
    names: [facts.record],
    verbs: ["get", "patch"],
});

/** Whether the membership job deletes the claims of retired members: kept ones; other claims are Pulumi's to delete. */
export const deletesClaims = (spec: ClusterSpec): boolean =>
    STORAGE_DRIVERS[spec.storage.driver].leavesClaims(spec);
