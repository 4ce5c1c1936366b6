// Google's Secret Manager as a function of the provider sees it: what earlier stacks left there. A secret that is kept
// (retainOnDelete) outlives its stack, so the next one is tested with the state of the first:
//
//     const kept = await runProgram({ config });
//     await runProgram({ config: { ...config, adopt: "true" }, invokes: secretManager(kept) });

import type { InvokeAnswers } from "../engine/deployment.js";
import { textAt, valueAt } from "../engine/property-path.js";
import type { Registration, RunResult } from "../engine/registration.js";
import type { PropertyMap } from "../engine/values.js";

const VERSION = "gcp:secretmanager/secretVersion:SecretVersion";

/** Answers for `invokes` of runProgram, from the secrets in the state of these runs; none: an empty Secret Manager. */
export function secretManager(...runs: readonly RunResult[]): InvokeAnswers {
    const versions = runs
        .flatMap(({ state }) => [...state.values()])
        .filter(({ type }) => type === VERSION);
    return {
        "gcp:secretmanager/getSecretVersion:getSecretVersion": (args) => versionFor(args, versions),
    };
}

/** As data_source_secret_manager_secret_version.go of Terraform's provider answers: the newest where none is named. */
function versionFor(args: PropertyMap, versions: readonly Registration[]): PropertyMap {
    const secret = textAt(args, "secret").split("/").at(-1)!;
    const wanted = valueAt(args, "version") ?? "latest";
    const found = versions
        .filter(({ outputs }) => secretOf(outputs) === secret)
        .filter(({ outputs }) => wanted === "latest" || outputs["version"] === wanted)
        .sort((a, b) => versionOf(a.outputs) - versionOf(b.outputs))
        .at(-1);
    if (found === undefined) {
        throw new Error(
            "error retrieving available secret manager secret versions: googleapi: Error 404: " +
                `Secret [${secret}] not found or has no versions.`,
        );
    }
    const { outputs } = found;
    // The bridge hands a function's result over without secret envelopes: the program has to put it into one.
    return {
        id: textAt(outputs, "name"),
        name: textAt(outputs, "name"),
        project: textAt(outputs, "secret").split("/")[1]!,
        secret,
        version: textAt(outputs, "version"),
        secretData: textAt(outputs, "secretData"),
        enabled: true,
        createTime: textAt(outputs, "createTime"),
        destroyTime: "",
        isSecretDataBase64: false,
        fetchSecretData: true,
    };
}

/** `projects/100000000001/secrets/orders-credentials/versions/1` -> `orders-credentials`. */
function secretOf(outputs: PropertyMap): string {
    return textAt(outputs, "name").split("/")[3]!;
}

function versionOf(outputs: PropertyMap): number {
    return Number(textAt(outputs, "version"));
}
