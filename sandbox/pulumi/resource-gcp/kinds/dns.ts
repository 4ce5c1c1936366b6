// DNS zones and their records; the sandbox's name server answers them.

import type { TreeObject } from "../../property-tree.js";
import { isUnknown } from "../../property-tree.js";
import { fill, fillPath } from "../identity.js";
import { LONGEST_NAME, type Google, type Kind, type Problem } from "../kind.js";
import { COMPUTE_NAME, nameProblems } from "../names.js";
import { idFrom, nameIn, selfLinkOf } from "../references.js";
import { invalid, notFound, Refusal } from "../refusal.js";
import { objectsAt, textAt } from "../values.js";

const ZONE = "projects/{project}/managedZones/{name}";
const RECORD = "projects/{project}/managedZones/{managedZone}/recordSets/{type}-{name}";

/** Names in DNS are given whole, with the dot of the root. */
function dotProblems(inputs: TreeObject, property: string): Problem[] {
    const value = inputs[property];
    if (typeof value !== "string" || isUnknown(value) || value.endsWith(".")) return [];
    return [{ property, reason: `"${value}" must end with a dot.` }];
}

/** The networks that see a private zone, each of which must exist. */
function refuseUnknownNetworks(inputs: TreeObject, google: Google): void {
    const networks = objectsAt(inputs, "privateVisibilityConfig", "networks");
    for (const network of networks) {
        const prefix = `projects/${textAt(inputs, "project")}/global/networks/`;
        const id = idFrom(textAt(network, "networkUrl"), prefix);
        if (google.cloud.read(id) === undefined) throw notFound(selfLinkOf(id));
    }
}

const managedZone: Kind = {
    type: "gcp:dns/managedZone:ManagedZone",
    title: "ManagedZone",
    madeAt: "creationTime",
    id: ZONE,
    naming: { property: "name", longest: LONGEST_NAME },
    labels: "labels",
    minutes: 20,
    problems: (inputs) => [
        ...nameProblems(inputs, "name", COMPUTE_NAME),
        ...dotProblems(inputs, "dnsName"),
    ],
    create: (inputs, google) => {
        refuseUnknownNetworks(inputs, google);
        return { ...inputs };
    },
    update: ({ google, now, properties }) => {
        refuseUnknownNetworks(properties, google);
        return { ...now, properties };
    },
    outputs: () => ({ nameServers: [] }),
    refuseDelete: ({ google, state, now, path }) => {
        const records = google.cloud.find(`${path}/recordSets/*`);
        if (records.length === 0 || state["forceDestroy"] === true) return;
        throw new Refusal(
            400,
            `The resource named '${textAt(now.properties, "name")}' cannot be deleted because it contains one or more 'resource records'.`,
            "containerNotEmpty",
        );
    },
};

function withZone(inputs: TreeObject, google: Google): TreeObject {
    const managedZone = nameIn(textAt(inputs, "managedZone"));
    const id = fill(ZONE, { ...inputs, name: managedZone });
    const zone = google.cloud.read(id);
    if (zone === undefined) {
        throw new Refusal(
            404,
            `The 'parameters.managedZone' resource named '${managedZone}' does not exist.`,
            "notFound",
        );
    }
    const [name, domain] = [textAt(inputs, "name"), textAt(zone.properties, "dnsName")];
    if (name !== domain && !name.endsWith(`.${domain}`)) {
        throw invalid(
            `Invalid value for 'entity.change.additions[0].name': '${name}' is not in ${domain}`,
        );
    }
    return { ...inputs, managedZone };
}

const recordSet: Kind = {
    type: "gcp:dns/recordSet:RecordSet",
    title: "DNS RecordSet",
    id: "projects/{project}/managedZones/{managedZone}/rrsets/{name}/{type}",
    path: RECORD,
    minutes: 20,
    problems: (inputs) => dotProblems(inputs, "name"),
    create: withZone,
    update: ({ path, now, properties }) => {
        // The real provider deletes one and adds the other; here it would be another file.
        if (fillPath(RECORD, properties) !== path) {
            throw invalid(`The type of '${now.id}' cannot be changed here`);
        }
        return { ...now, properties };
    },
};

export const DNS: readonly Kind[] = [managedZone, recordSet];
