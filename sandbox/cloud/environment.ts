// What a process must be told to work with the sandbox's cloud.

import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { machinesOf } from "./status.js";
import { CLOUD_VARIABLE, type Cloud } from "./store.js";

/**
 * Writes down whom to trust for the names by which Google's control planes are reached. Theirs have
 * certificates that everybody trusts, and kubeconfigs for them name no authority; the sandbox's are
 * its own. undefined before the sandbox was started.
 */
function writeAuthorities(cloud: Cloud): string | undefined {
    const machines = machinesOf(cloud);
    if (machines === undefined) return undefined;
    const authorities = machines.controlPlanes.map(({ certificateAuthority }) =>
        Buffer.from(certificateAuthority, "base64").toString("utf8"),
    );
    const file = join(cloud.directory, "authorities.pem");
    writeFileSync(`${file}.${process.pid}`, authorities.join("\n"));
    renameSync(`${file}.${process.pid}`, file);
    return file;
}

/** Variables for the CLI, its plugins, and kubectl. */
export function cloudEnvironment(cloud: Cloud): Record<string, string> {
    mkdirSync(cloud.directory, { recursive: true });
    const authorities = writeAuthorities(cloud);
    return {
        [CLOUD_VARIABLE]: cloud.directory,
        ...(authorities === undefined
            ? {}
            : {
                  // Beside the system's own: Go reads its folders of certificates as well.
                  SSL_CERT_FILE: authorities,
                  NODE_EXTRA_CA_CERTS: authorities,
              }),
    };
}
