// Snapshot schedules and the disks that they are for. Nothing takes snapshots in the sandbox.

import { regionalDiskPath, regionOf, zonalDiskPath } from "../../../cloud/paths.js";
import { pathOf } from "../../../cloud/store.js";
import type { TreeObject } from "../../property-tree.js";
import { LONGEST_NAME, type Google, type Kind } from "../kind.js";
import { COMPUTE_NAME, nameProblems } from "../names.js";
import { isSameReference, nameIn, selfLinkOf } from "../references.js";
import { inUse, notFound } from "../refusal.js";
import { textAt } from "../values.js";

const ATTACHMENTS = [
    "projects/*/zones/*/disks/*/attachedPolicies/*",
    "projects/*/regions/*/disks/*/attachedPolicies/*",
];

/** The region of a disk in one zone or in two. */
const regionOfDisk = (attached: TreeObject): string =>
    textAt(attached, "region") || regionOf(textAt(attached, "zone"));

function diskPathOf(attached: TreeObject): string {
    const [project, zone, disk] = [
        textAt(attached, "project"),
        textAt(attached, "zone"),
        textAt(attached, "disk"),
    ];
    return zone === ""
        ? regionalDiskPath(project, textAt(attached, "region"), disk)
        : zonalDiskPath(project, zone, disk);
}

const resourcePolicy: Kind = {
    type: "gcp:compute/resourcePolicy:ResourcePolicy",
    title: "ResourcePolicy",
    id: "projects/{project}/regions/{region}/resourcePolicies/{name}",
    place: "region",
    naming: { property: "name", longest: LONGEST_NAME },
    minutes: 20,
    problems: (inputs) => nameProblems(inputs, "name", COMPUTE_NAME),
    create: (inputs) => ({ ...inputs }),
    outputs: (_properties, id) => ({ selfLink: selfLinkOf(id) }),
    refuseDelete: ({ google, now }) => {
        const [project, region] = [
            textAt(now.properties, "project"),
            textAt(now.properties, "region"),
        ];
        const user = ATTACHMENTS.flatMap((pattern) => google.cloud.find(pattern)).find(
            ({ resource: { properties } }) => {
                const policy = pathOf(
                    ...["projects", project, "regions", regionOfDisk(properties)],
                    ...["resourcePolicies", textAt(properties, "name")],
                );
                return regionOfDisk(properties) === region && isSameReference(policy, now.id);
            },
        );
        if (user === undefined) return;
        throw inUse("resource policy", now.id, diskPathOf(user.resource.properties));
    },
};

/** Refuses what names a disk or a policy that is not there. */
function attach(inputs: TreeObject, { cloud }: Google): TreeObject {
    const attached = {
        ...inputs,
        disk: nameIn(textAt(inputs, "disk")),
        ...(textAt(inputs, "zone") !== "" && { zone: nameIn(textAt(inputs, "zone")) }),
    };
    const policy = pathOf(
        ...["projects", textAt(inputs, "project"), "regions", regionOfDisk(attached)],
        ...["resourcePolicies", textAt(inputs, "name")],
    );
    for (const path of [diskPathOf(attached), policy]) {
        if (cloud.read(path) === undefined) throw notFound(path);
    }
    return attached;
}

const EVERY_ATTACHMENT = {
    naming: { property: "name", longest: LONGEST_NAME },
    minutes: 20,
    create: attach,
} as const;

/** Both are parts of their disks: they go with them. */
const attachments: readonly Kind[] = [
    {
        ...EVERY_ATTACHMENT,
        type: "gcp:compute/diskResourcePolicyAttachment:DiskResourcePolicyAttachment",
        title: "DiskResourcePolicyAttachment",
        id: "{project}/{zone}/{disk}/{name}",
        path: "projects/{project}/zones/{zone}/disks/{disk}/attachedPolicies/{name}",
        place: "zone",
    },
    {
        ...EVERY_ATTACHMENT,
        type: "gcp:compute/regionDiskResourcePolicyAttachment:RegionDiskResourcePolicyAttachment",
        title: "RegionDiskResourcePolicyAttachment",
        id: "{project}/{region}/{disk}/{name}",
        path: "projects/{project}/regions/{region}/disks/{disk}/attachedPolicies/{name}",
        place: "region",
    },
];

export const SNAPSHOTS: readonly Kind[] = [resourcePolicy, ...attachments];
