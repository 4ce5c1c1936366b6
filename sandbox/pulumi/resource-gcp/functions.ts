// Functions of the package: what a program looks up.

import grpc from "@grpc/grpc-js";
import { PluginError } from "../grpc-handler.js";
import { secret, type TreeObject } from "../property-tree.js";
import type { Google } from "./kind.js";
import { secretId, versionsOf } from "./kinds/secrets.js";
import { Refusal, STAND_IN } from "./refusal.js";
import { textAt } from "./values.js";

/** A version of a secret, with what it holds; the newest by default. */
function getSecretVersion(args: TreeObject, google: Google): TreeObject {
    const project = textAt(args, "project");
    const id = secretId({
        ...args,
        project: project === "" ? google.configuration.project : project,
    });
    const versions = versionsOf(google, id);
    const wanted = textAt(args, "version");
    const found =
        wanted === "" || wanted === "latest"
            ? versions.at(-1)
            : versions.find(({ number }) => String(number) === wanted);
    if (found === undefined) {
        throw new Refusal(404, `Secret [${id}] not found or has no versions.`, "NOT_FOUND");
    }
    if (found.isDestroyed || found.properties["enabled"] === false) {
        throw new Refusal(
            400,
            `Secret Version [${id}/versions/${found.number}] is in ${found.isDestroyed ? "DESTROYED" : "DISABLED"} state.`,
            "FAILED_PRECONDITION",
        );
    }
    const { properties } = found;
    return {
        id: `${id}/versions/${found.number}`,
        name: `${id}/versions/${found.number}`,
        project: id.split("/")[1]!,
        secret: id.split("/").at(-1)!,
        version: String(found.number),
        enabled: true,
        createTime: properties["createTime"] ?? "",
        destroyTime: "",
        secretData: secret(properties["secretData"] ?? ""),
    };
}

const FUNCTIONS: Readonly<Record<string, (args: TreeObject, google: Google) => TreeObject>> = {
    "gcp:secretmanager/getSecretVersion:getSecretVersion": getSecretVersion,
};

export function invokeFunction(token: string, args: TreeObject, google: Google): TreeObject {
    const found = FUNCTIONS[token];
    if (found !== undefined) return found(args, google);
    throw new PluginError(
        `${token} is not supported by ${STAND_IN}, which has ${Object.keys(FUNCTIONS).join(", ")}.`,
        grpc.status.UNIMPLEMENTED,
    );
}
