// Google's disks, one for each member in its zone, made beside Kubernetes and not by it: no program and no drift replaces or
// detaches one. Kubernetes sees each as a PersistentVolume of Google's CSI driver, bound to its claim from the start.

import { at } from "../input";
import type { Problem } from "../problems";
import { announced, settled, type RulesOf } from "../rules/rule";
import { EMPTY_DISKS, type StorageContext, type StorageDriver } from "./driver";
import { gceDiskKeys } from "./gce-disk-keys";
import type * as gceDisks from "./gce-disks";

function problems(input: unknown): Problem[] {
    const platform = at(input, ["platform"]) ?? "existing";
    return platform === "gke"
        ? []
        : [
              {
                  path: "storage.driver",
                  value: "gce-disk",
                  reason: "is of platform gke, which makes the disks beside the Kubernetes cluster: on an existing one use dynamic",
              },
          ];
}

/** The parts of `storage.disk` that a disk has for ever: others replace it, and its data with it. */
const FOR_EVER = ["type", "kmsKey", "replicaZone"] as const;

/** What changes of the driver's key mean. */
export const GCE_DISK_RULES: RulesOf<"storage.disk"> = {
    "storage.disk": (old, wanted, circumstances) => {
        const [before, after] = [old.storage.disk ?? {}, wanted.storage.disk ?? {}];
        const forEver = FOR_EVER.some((key) => before[key] !== after[key]);
        return forEver
            ? settled("storage.disk", EMPTY_DISKS)(old, wanted, circumstances)
            : announced("storage.disk", inPlace(before, after))(old, wanted, circumstances);
    },
};

type DiskKeys = Partial<NonNullable<StorageContext["spec"]["storage"]["disk"]>>;

/** What a change of the rest does, to disks in use. */
function inPlace(before: DiskKeys, after: DiskKeys): string {
    const faster = before.iops !== after.iops || before.throughput !== after.throughput;
    return faster
        ? "every member's disk gets another speed in place; nothing is restarted. Google takes one such change in four hours."
        : "the disks' snapshots are made by another schedule from now on; those there are stay.";
}

/** The driver `gce-disk`. */
export const gceDiskStorage: StorageDriver = {
    keys: gceDiskKeys,
    problems,
    // What disks a machine takes is the platform's to say.
    planProblems: () => [],
    afterLeaving: ({ storage }, member) =>
        storage.onDelete === "keep"
            ? `its disk stays (quorum:storage.onDelete keep) and goes on costing: gcloud compute disks delete ${member}, before a member of that name joins again`
            : "its disk is deleted after that",
    bindsAtOnce: true,
    // The claim goes with its member: what is kept is the disk, which Kubernetes does not know to delete.
    leavesClaims: () => false,
    open: (context) => loadDisks().openGceDisks(context),
};

/** Loaded when such disks are made, and not before: it loads files of Google Cloud's package. */
function loadDisks(): typeof gceDisks {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- an import would be loaded by every program
    return require("./gce-disks") as typeof gceDisks;
}
