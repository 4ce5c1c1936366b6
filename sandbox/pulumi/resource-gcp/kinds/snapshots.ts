// Snapshot schedules and the disks that they are for. Nothing takes snapshots in the sandbox.

import { zonalDiskPath, regionOf } from "../../../cloud/paths.js";
import { pathOf } from "../../../cloud/store.js";
import { LONGEST_NAME, type Kind } from "../kind.js";
import { COMPUTE_NAME, nameProblems } from "../names.js";
import { isSameReference, nameIn, selfLinkOf } from "../references.js";
import { inUse, notFound } from "../refusal.js";
import { textAt } from "../values.js";

const ATTACHMENTS = "projects/*/zones/*/disks/*/attachedPolicies/*";

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
        const user = google.cloud.find(ATTACHMENTS).find(({ resource: { properties } }) => {
            const zone = textAt(properties, "zone");
            const policy = `projects/${project}/regions/${regionOf(zone)}/resourcePolicies/${textAt(properties, "name")}`;
            return regionOf(zone) === region && isSameReference(policy, now.id);
        });
        if (user === undefined) return;
        const [zone, disk] = ["zone", "disk"].map((name) => textAt(user.resource.properties, name));
        throw inUse("resource policy", now.id, `projects/${project}/zones/${zone}/disks/${disk}`);
    },
};

const attachment: Kind = {
    type: "gcp:compute/diskResourcePolicyAttachment:DiskResourcePolicyAttachment",
    title: "DiskResourcePolicyAttachment",
    id: "{project}/{zone}/{disk}/{name}",
    // A part of its disk: it goes with it.
    path: "projects/{project}/zones/{zone}/disks/{disk}/attachedPolicies/{name}",
    place: "zone",
    naming: { property: "name", longest: LONGEST_NAME },
    minutes: 20,
    create: (inputs, google) => {
        const [project, zone] = [textAt(inputs, "project"), nameIn(textAt(inputs, "zone"))];
        const disk = nameIn(textAt(inputs, "disk"));
        const of = zonalDiskPath(project, zone, disk);
        if (google.cloud.read(of) === undefined) throw notFound(of);
        const policy = pathOf(
            ...["projects", project, "regions", regionOf(zone)],
            ...["resourcePolicies", textAt(inputs, "name")],
        );
        if (google.cloud.read(policy) === undefined) throw notFound(policy);
        return { ...inputs, disk, zone };
    },
};

export const SNAPSHOTS: readonly Kind[] = [resourcePolicy, attachment];
