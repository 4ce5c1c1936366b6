// The tables of the stand-in for Pulumi's gcp provider against the package that programs use. What is
// not shown here: that Terraform's provider says the same; the tables name the commit they were read in.

import { describe, expect, it } from "vitest";
import {
    FORCE_NEW,
    FORCE_NEW_BLOCKS,
    FORCE_NEW_WHEN,
    REQUIRED,
} from "../../sandbox/pulumi/resource-gcp/force-new.js";
import { inputsInPackage } from "../../sandbox/pulumi/resource-gcp/inputs.js";

const TYPES = Object.keys(FORCE_NEW);

describe.each(TYPES)("the tables of %s", (type) => {
    it("name only inputs that @pulumi/gcp has", () => {
        const paths = [
            ...FORCE_NEW[type]!,
            ...(FORCE_NEW_BLOCKS[type] ?? []),
            ...Object.keys(FORCE_NEW_WHEN[type] ?? {}),
            ...REQUIRED[type]!,
        ];
        const known = inputsInPackage(type);
        expect(known.length).toBeGreaterThan(3);
        expect(paths.filter((path) => !known.includes(path.split(".")[0]!))).toEqual([]);
    });
});

describe("a change that replaces only sometimes", () => {
    const replaces = (type: string, input: string, old: unknown, wanted: unknown, news = {}) =>
        FORCE_NEW_WHEN[type]![input]!(old, wanted, news);

    it.each([
        ["gcp:compute/disk:Disk", "size", 20, 10, true],
        ["gcp:compute/disk:Disk", "size", 10, 20, false],
        ["gcp:compute/subnetwork:Subnetwork", "ipCidrRange", "10.64.0.0/20", "10.64.0.0/19", false],
        ["gcp:compute/subnetwork:Subnetwork", "ipCidrRange", "10.64.0.0/20", "10.64.0.0/21", true],
        ["gcp:compute/subnetwork:Subnetwork", "ipCidrRange", "10.64.0.0/20", "10.65.0.0/19", true],
        ["gcp:container/cluster:Cluster", "enableL4IlbSubsetting", true, false, true],
        ["gcp:container/cluster:Cluster", "enableL4IlbSubsetting", false, true, false],
    ])("%s %s from %s to %s: %s", (type, input, old, wanted, expected) => {
        expect(replaces(type, input, old, wanted)).toBe(expected);
    });

    it("provisioned IOPS replace a disk that is no hyperdisk", () => {
        const change = (type: string) =>
            replaces("gcp:compute/disk:Disk", "provisionedIops", 3000, 6000, { type });
        expect(change("hyperdisk-balanced")).toBe(false);
        expect(change("pd-extreme")).toBe(true);
    });
});
