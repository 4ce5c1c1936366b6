// Google's machine families, as far as they decide about disks.
// Sources: Google's page on Hyperdisk and Red Hat's 4.20 page on the CSI driver: N4, C4, N4D and C4D attach hyperdisks only;
// E2, N1, N2 and N2D attach persistent disks.

/** A type of disk that a member's data can be on. */
export type DiskType = "hyperdisk-balanced" | "pd-balanced" | "pd-ssd" | "pd-standard";

export const DISK_TYPES = [
    "hyperdisk-balanced",
    "pd-balanced",
    "pd-ssd",
    "pd-standard",
] as const satisfies readonly DiskType[];

/** The driver by which Kubernetes attaches them. */
export const CSI_DRIVER = "pd.csi.storage.gke.io";

/** What one family attaches; the first is its default. */
const HYPERDISK: readonly DiskType[] = ["hyperdisk-balanced"];
const PERSISTENT: readonly DiskType[] = ["pd-balanced", "pd-ssd", "pd-standard"];

/** Families that Quorum knows. Arm (C4A, N4A, T2A) is not among them: their nodes carry a taint, and images must be for Arm. */
const FAMILIES: Readonly<Record<string, readonly DiskType[]>> = {
    c4: HYPERDISK,
    c4d: HYPERDISK,
    n4: HYPERDISK,
    n4d: HYPERDISK,
    e2: PERSISTENT,
    n1: PERSISTENT,
    n2: PERSISTENT,
    n2d: PERSISTENT,
};

/** Families whose disks can be regional, in two zones at once (Google's page on regional disks). */
const REGIONAL = ["e2", "n1", "n2", "n2d"];

export const KNOWN_FAMILIES = Object.keys(FAMILIES);

/** `n4` of `n4-standard-4`. */
export const familyOf = (machineType: string): string => machineType.split("-")[0]!;

/** The types of disk that a machine attaches, its default first; none where the family is not known. */
export const disksOf = (machineType: string): readonly DiskType[] =>
    FAMILIES[familyOf(machineType)] ?? [];

export const takesRegionalDisks = (machineType: string): boolean =>
    REGIONAL.includes(familyOf(machineType));

/** Smallest disk in GiB (Red Hat's 4.20 page for hyperdisks, Google's for regional pd-standard; 10 for the others). */
export function smallestDisk(type: DiskType, regional: boolean): number {
    if (regional && type === "pd-standard") {
        return 200;
    }
    return type === "hyperdisk-balanced" ? 4 : 10;
}
