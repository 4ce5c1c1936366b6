// The tables that plans are made by, against the package that programs use. What is not shown: that Terraform's provider
// says the same; the tables name the commit they were read in.

import { describe, expect, it } from "vitest";
import {
    FORCE_NEW,
    FORCE_NEW_BLOCKS,
    FORCE_NEW_WHEN,
    REQUIRED,
} from "../../../sandbox/pulumi/resource-gcp/force-new.js";
import { inputsInPackage } from "../../../sandbox/pulumi/resource-gcp/inputs.js";
import { TYPES } from "../../../sandbox/pulumi/resource-gcp/kinds/index.js";
import {
    DEFAULTS,
    KEPT_WHEN_UNSET,
    stateOnly,
} from "../../../sandbox/pulumi/resource-gcp/schema.js";

/** Without a deletionPolicy: nothing of Google's is made by it. */
const HAS_NO_POLICY = "gcp:projects/iAMMember:IAMMember";

export function tables(): void {
    describe.each(TYPES)("the tables of %s", (type) => {
        it("name only inputs that @pulumi/gcp has", () => {
            const paths = [
                ...FORCE_NEW[type]!,
                ...(FORCE_NEW_BLOCKS[type] ?? []),
                ...Object.keys(FORCE_NEW_WHEN[type] ?? {}),
                ...REQUIRED[type]!,
                ...KEPT_WHEN_UNSET[type]!,
                ...Object.keys(DEFAULTS[type] ?? {}),
                ...(type === HAS_NO_POLICY ? [] : stateOnly(type)),
            ];
            const known = inputsInPackage(type);
            expect(known.length).toBeGreaterThan(3);
            expect(paths.filter((path) => !known.includes(path.split(".")[0]!))).toEqual([]);
        });
    });

    it("the tables are of the types that the stand-in has", () => {
        expect(Object.keys(FORCE_NEW).sort()).toEqual([...TYPES].sort());
    });

    describe("a change that replaces only sometimes", () => {
        const replaces = (type: string, input: string, old: unknown, wanted: unknown, news = {}) =>
            FORCE_NEW_WHEN[type]![input]!(old, wanted, news);

        const disk = "gcp:compute/disk:Disk";
        const subnetwork = "gcp:compute/subnetwork:Subnetwork";
        const cluster = "gcp:container/cluster:Cluster";

        it.each([
            [disk, "size", 20, 10, true],
            [disk, "size", 10, 20, false],
            [subnetwork, "ipCidrRange", "10.64.0.0/20", "10.64.0.0/19", false],
            [subnetwork, "ipCidrRange", "10.64.0.0/20", "10.64.0.0/21", true],
            [subnetwork, "ipCidrRange", "10.64.0.0/20", "10.65.0.0/19", true],
            [cluster, "enableL4IlbSubsetting", true, false, true],
            [cluster, "enableL4IlbSubsetting", false, true, false],
        ])("%s %s from %s to %s: %s", (type, input, old, wanted, expected) => {
            expect(replaces(type, input, old, wanted)).toBe(expected);
        });

        it("provisioned IOPS replace a disk that is no hyperdisk", () => {
            const change = (type: string) =>
                replaces(disk, "provisionedIops", 3000, 6000, { type });
            expect(change("hyperdisk-balanced")).toBe(false);
            expect(change("pd-extreme")).toBe(true);
        });
    });
}
