// How many disks a machine of a type takes (kubernetes-sigs/gcp-compute-persistent-disk-csi-driver, node.go and
// constants.go, commit b560165). Pure.

const SMALL_TYPES = ["f1-micro", "g1-small", "e2-micro", "e2-small", "e2-medium"];
const SMALL_LIMIT = 15;
const LIMIT = 127;

/** Family -> pairs of the most processors and the limit up to them. */
const HYPERDISK_LIMITS: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
    c4: [
        [2, 7],
        [4, 15],
        [24, 31],
        [48, 63],
        [96, 127],
    ],
    c4a: [
        [2, 7],
        [8, 15],
        [48, 31],
        [72, 63],
    ],
    c4d: [
        [2, 3],
        [4, 7],
        [8, 15],
        [96, 31],
        [192, 63],
        [384, 127],
    ],
    n4: [
        [8, 15],
        [80, 31],
    ],
    n4a: [
        [8, 15],
        [64, 31],
    ],
    n4d: [
        [8, 15],
        [96, 31],
    ],
};

/** Disks beside the boot disk that a machine of this type can have attached at once. */
export function attachLimitOf(machineType: string): number {
    if (SMALL_TYPES.includes(machineType)) return SMALL_LIMIT;
    const [family = "", , processors] = machineType.split("-");
    const found = HYPERDISK_LIMITS[family]?.find(([most]) => Number(processors) <= most);
    return found?.[1] ?? LIMIT;
}
