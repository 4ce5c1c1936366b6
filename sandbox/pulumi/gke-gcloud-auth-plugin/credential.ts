// The credential for one of the sandbox's control planes, in the form of client-go's exec plugins
// (client.authentication.k8s.io).

import { machinesOf, type ControlPlane } from "../../cloud/status.js";
import { Cloud, CLOUD_VARIABLE } from "../../cloud/store.js";

interface ExecInfo {
    readonly apiVersion?: string;
    readonly spec?: { readonly cluster?: { readonly server?: string } };
}

export interface ExecCredential {
    readonly apiVersion: string;
    readonly kind: "ExecCredential";
    readonly status: { readonly clientCertificateData: string; readonly clientKeyData: string };
}

/** Google's plugin needs no cluster, since its token is good for all; a certificate is of one. */
function serverIn(info: ExecInfo): string {
    const server = info.spec?.cluster?.server;
    if (server !== undefined) return server;
    throw new Error(
        "KUBERNETES_EXEC_INFO names no cluster: the kubeconfig's user needs provideClusterInfo: true.",
    );
}

function addressOf({ endpoint, port }: ControlPlane): string {
    return new URL(`https://${endpoint}:${port}`).host;
}

/**
 * @param execInfo the content of KUBERNETES_EXEC_INFO
 * @param directory the sandbox's cloud
 */
export function credentialFor(execInfo: string, directory: string): ExecCredential {
    if (execInfo === "")
        throw new Error("KUBERNETES_EXEC_INFO is not set: a kubeconfig runs this.");
    if (directory === "")
        throw new Error(`${CLOUD_VARIABLE} is not set: there is no sandbox's cloud.`);
    const info = JSON.parse(execInfo) as ExecInfo;
    const server = serverIn(info);
    const planes = machinesOf(new Cloud(directory))?.controlPlanes ?? [];
    const plane = planes.find((each) => addressOf(each) === new URL(server).host);
    if (plane === undefined) {
        const known = planes.map(addressOf).join(", ");
        throw new Error(
            `${server} is none of the sandbox's control planes (${known === "" ? "it has none" : known}).`,
        );
    }
    const text = (base64: string) => Buffer.from(base64, "base64").toString("utf8");
    return {
        apiVersion: info.apiVersion ?? "client.authentication.k8s.io/v1beta1",
        kind: "ExecCredential",
        status: {
            clientCertificateData: text(plane.clientCertificate),
            clientKeyData: text(plane.clientKey),
        },
    };
}
