// Which disks machines take. N4, C4, C4A, C4D, N4D and N4A take hyperdisks only, E2, N1 and N2 none (Red Hat's
// page on the CSI driver, OpenShift 4.20; Google's page on hyperdisks). Of other families nothing is said here.

import { Refusal } from "./refusal.js";

const HYPERDISK_ONLY = new Set(["n4", "n4a", "n4d", "c4", "c4a", "c4d"]);
const NO_HYPERDISK = new Set(["e2", "n1", "n2"]);

/** Refuses a disk type that the machine cannot attach. */
export function refuseDiskType(machineType: string, diskType: string): void {
    const family = machineType.split("-")[0] ?? "";
    const isHyperdisk = diskType.startsWith("hyperdisk");
    const refused = isHyperdisk ? NO_HYPERDISK.has(family) : HYPERDISK_ONLY.has(family);
    if (diskType === "" || !refused) return;
    throw new Refusal(
        400,
        `${diskType} cannot be used with machine type ${machineType}.`,
        "badRequest",
    );
}
