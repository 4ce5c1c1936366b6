// The keys of the storage driver `local`.

import { z } from "zod";
import { dnsName } from "../schema";

/** Default directory of local disks on the nodes. */
export const LOCAL_PATH = "/var/lib/quorum";
const MAX_PATH_LENGTH = 200;
/** Directories that a container may not take over, whatever lies below them. */
const SYSTEM_PATH =
    /^(?!\/(bin|boot|dev|etc|lib|lib32|lib64|proc|root|run|sbin|sys|usr|var\/run|var\/lib\/(kubelet|etcd|containerd|docker|containers|rancher))(\/|$))(?!\/var(\/lib)?$)/;

export const localKeys = {
    /** `local`: for each zone the names of the nodes whose disks are used, in the order of use. */
    nodes: z
        .record(z.string(), z.array(dnsName("the name of a node")).min(1, "must name a node"))
        .optional(),
    /** `local`: the directory on the nodes below which each member gets a directory of its own. */
    path: z
        .string()
        .max(MAX_PATH_LENGTH, `must have at most ${MAX_PATH_LENGTH} characters`)
        .regex(
            /^(\/[A-Za-z0-9_][A-Za-z0-9._-]*)+$/,
            "must be an absolute path of letters, digits, '.', '_' and '-', without a slash at its end",
        )
        .regex(SYSTEM_PATH, "belongs to the node's own system: use a directory of its own")
        .default(LOCAL_PATH),
};
