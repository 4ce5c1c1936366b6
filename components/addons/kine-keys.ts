// The keys of the add-on Kine.

import { z } from "zod";
import { imageReference } from "../schema";

/** Newest release, pinned. */
const KINE_IMAGE = "rancher/kine:v0.16.4";
/** More instances than this share the connections to the database to no use. */
const MAX_KINE_REPLICAS = 4;

export const kineSchema = z.strictObject({
    /** Image of Kine. Changing it restarts the instances one after the other. */
    image: imageReference.default(KINE_IMAGE),
    /** Number of instances. Each serves all clients; they share a bounded number of connections to the database. */
    replicas: z
        .int("must be a whole number")
        .min(1, "must be at least 1: to run without Kine, take it out of quorum:addons")
        .max(MAX_KINE_REPLICAS, `must be at most ${MAX_KINE_REPLICAS}`)
        .default(2),
});
