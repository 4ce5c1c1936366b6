// Brings a second API server up on the add-on Kine of a cluster in the sandbox.

import { sandboxKubectl } from "./cluster/readiness.js";
import { startKineApiServer, type KineApiServer } from "./cluster/kine-api-server.js";
import { SandboxError } from "./failure.js";

export { stopKineApiServer } from "./cluster/kine-api-server.js";

/** Where `make up ADDON=kine` puts its API server. */
export const KINE_API_PORT = 7443;

/** The output `addons.kine` of the program. */
export interface KineOutput {
    readonly endpoint: string;
    readonly certificates: string;
}

/** The output of a stack's outputs, or undefined when it has no Kine. */
export function kineOutput(outputs: Record<string, unknown>): KineOutput | undefined {
    const { kine } = (outputs["addons"] ?? {}) as { kine?: KineOutput };
    return kine;
}

/**
 * Starts an API server on a cluster's Kine and waits until it is ready. It takes the Service's address: the hub's
 * programs do not ask the cluster's name server.
 */
export async function apiServerOnKine(
    cluster: string,
    { endpoint, certificates }: KineOutput,
    port: number,
): Promise<KineApiServer> {
    const { hostname, port: etcdPort } = new URL(endpoint);
    const [service, namespace] = hostname.split(".");
    if (service === undefined || namespace === undefined) {
        throw new SandboxError(`"${endpoint}" is not the address of a Service.`);
    }
    const get = async (kind: string, name: string): Promise<string> =>
        sandboxKubectl("--namespace", namespace, "get", kind, name, "--output", "json");
    const { spec } = JSON.parse(await get("service", service)) as { spec: { clusterIP: string } };
    const { data } = JSON.parse(await get("secret", certificates)) as {
        data: Record<string, string>;
    };
    const pem = (name: string): string => Buffer.from(data[name] ?? "", "base64").toString();
    const client = {
        endpoint: `https://${spec.clusterIP}:${etcdPort}`,
        authority: pem("ca.crt"),
        certificate: pem("client.crt"),
        key: pem("client.key"),
    };
    return startKineApiServer(cluster, client, port);
}
