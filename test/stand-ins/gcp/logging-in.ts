// The stand-in for gke-gcloud-auth-plugin.

import { describe, expect, it } from "vitest";
import { credentialFor } from "../../../sandbox/pulumi/gke-gcloud-auth-plugin/credential.js";
import type { Bench } from "./bench.js";

const VERSION = "client.authentication.k8s.io/v1beta1";

const infoFor = (server?: string) =>
    JSON.stringify({
        apiVersion: VERSION,
        kind: "ExecCredential",
        spec: { interactive: false, ...(server === undefined ? {} : { cluster: { server } }) },
    });

export function loggingIn(bench: () => Bench): void {
    describe("gke-gcloud-auth-plugin of the sandbox", () => {
        const credential = (info: string) => credentialFor(info, bench().cloud.directory);

        it("gives the certificate of the control plane that it is asked for", () => {
            expect(credential(infoFor("https://172.30.9.1:6443"))).toEqual({
                apiVersion: VERSION,
                kind: "ExecCredential",
                status: {
                    clientCertificateData: "certificate for two",
                    clientKeyData: "key for two",
                },
            });
        });

        it("knows no other Kubernetes, and must be told which", () => {
            expect(() => credential(infoFor("https://34.1.2.3"))).toThrow(
                "https://34.1.2.3 is none of the sandbox's control planes (172.30.7.1:6443, 172.30.9.1:6443).",
            );
            expect(() => credential(infoFor())).toThrow(
                "KUBERNETES_EXEC_INFO names no cluster: the kubeconfig's user needs provideClusterInfo: true.",
            );
            expect(() => credential("")).toThrow("a kubeconfig runs this");
            expect(() => credentialFor(infoFor("https://a"), "")).toThrow(
                "QUORUM_CLOUD is not set",
            );
        });
    });
}
