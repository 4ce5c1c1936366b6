// The keys of the storage driver `dynamic`.

import { z } from "zod";
import { dnsName, QUALIFIED_NAME } from "../schema";

export const dynamicKeys = {
    /** `dynamic`: the name of an existing StorageClass. Default: the cluster's default class. */
    className: dnsName("the name of a StorageClass").optional(),
    /** `dynamic`: make a StorageClass with this provisioner in place of naming one. */
    provisioner: z
        .string()
        .regex(QUALIFIED_NAME, "must be the name of a provisioner, for example ebs.csi.aws.com")
        .regex(
            /^(?!kubernetes\.io\/no-provisioner$)/,
            "makes no disks: use quorum:storage.driver local for disks that are there",
        )
        .optional(),
    /** `dynamic`, with `provisioner`: the parameters of the class, for example `{ type: pd-ssd }`. */
    parameters: z
        .record(
            z.string(),
            z.preprocess(
                (value: string | number | boolean) =>
                    typeof value === "number" || typeof value === "boolean" ? `${value}` : value,
                z.string(),
            ),
        )
        .optional(),
};
