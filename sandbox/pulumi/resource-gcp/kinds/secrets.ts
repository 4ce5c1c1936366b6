// Secret Manager: secrets and their versions.

import { PluginError } from "../../grpc-handler.js";
import type { TreeObject } from "../../property-tree.js";
import { fill } from "../identity.js";
import { LONGEST_NAME, type Google, type Kind } from "../kind.js";
import { nameProblems, SECRET_ID } from "../names.js";
import { nameIn } from "../references.js";
import { Refusal } from "../refusal.js";
import { textAt, without } from "../values.js";

const SECRET = "projects/{project}/secrets/{secretId}";

const DESTROYED = "DESTROYED";

const secret: Kind = {
    type: "gcp:secretmanager/secret:Secret",
    title: "Secret",
    madeAt: "createTime",
    id: SECRET,
    naming: { property: "secretId", longest: LONGEST_NAME },
    deleteBeforeReplace: true,
    labels: "labels",
    minutes: 20,
    problems: (inputs) => nameProblems(inputs, "secretId", SECRET_ID),
    create: (inputs) => ({ ...inputs }),
    // Google puts the project's number here; the sandbox's projects have none.
    outputs: (_properties, id) => ({ name: id }),
    refuseDelete: ({ state }) => {
        if (state["deletionProtection"] !== true) return;
        throw new PluginError(
            "cannot destroy secret manager secret without setting deletion_protection=false and running `terraform apply`",
        );
    },
};

/** The versions of a secret, oldest first. */
export function versionsOf(google: Google, secretId: string): readonly VersionInCloud[] {
    return google.cloud
        .find(`${secretId}/versions/*`)
        .map(({ resource }) => ({
            number: Number(resource.properties["version"]),
            properties: resource.properties,
            isDestroyed: resource.status["state"] === DESTROYED,
        }))
        .sort((a, b) => a.number - b.number);
}

export interface VersionInCloud {
    readonly number: number;
    readonly properties: TreeObject;
    readonly isDestroyed: boolean;
}

/** projects/P/secrets/S, from that or from the bare name. */
export function secretId(inputs: TreeObject): string {
    const given = textAt(inputs, "secret");
    return given.includes("/")
        ? given
        : fill(SECRET, { project: inputs["project"] ?? "", secretId: given });
}

const secretVersion: Kind = {
    type: "gcp:secretmanager/secretVersion:SecretVersion",
    title: "SecretVersion",
    madeAt: "createTime",
    id: "projects/{project}/secrets/{secretName}/versions/{version}",
    variables: (properties) => ({ secretName: nameIn(textAt(properties, "secret")) }),
    secrets: ["secretData"],
    minutes: 20,
    create: (inputs, google) => {
        const id = secretId(inputs);
        if (google.cloud.read(id) === undefined) {
            throw new Refusal(404, `Secret [${id}] not found.`, "NOT_FOUND");
        }
        const last = versionsOf(google, id).at(-1)?.number ?? 0;
        return {
            ...inputs,
            secret: id,
            project: id.split("/")[1]!,
            version: String(last + 1),
        };
    },
    status: () => ({ state: "ENABLED" }),
    outputs: (_properties, id) => ({ name: id, destroyTime: "" }),
    // Its number is not given again.
    remains: ({ properties, ...rest }) => {
        const emptied = without(properties, "secretData");
        const destroyed = { ...emptied, destroyTime: new Date().toISOString() };
        return { ...rest, properties: destroyed, status: { state: DESTROYED } };
    },
    isGone: ({ status }) => status["state"] === DESTROYED,
};

export const SECRETS: readonly Kind[] = [secret, secretVersion];
