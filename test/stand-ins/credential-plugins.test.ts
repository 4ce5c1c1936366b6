// The rules by which the Kubernetes stand-in runs a kubeconfig's credential plugin. What is not shown here: that client-go's
// messages are these.

import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect } from "../../sandbox/pulumi/resource-kubernetes/kubeconfig.js";

const VERSION = "client.authentication.k8s.io/v1beta1";

describe("a kubeconfig's credential plugin", () => {
    let folder: string;
    let path: string | undefined;
    beforeAll(() => {
        folder = mkdtempSync(join(tmpdir(), "quorum-plugin-"));
        path = process.env["PATH"];
        process.env["PATH"] = `${folder}:${path ?? ""}`;
    });
    afterAll(() => {
        process.env["PATH"] = path;
        rmSync(folder, { recursive: true });
    });

    function plugin(name: string, script: string): void {
        writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
        chmodSync(join(folder, name), 0o755);
    }

    const answer = (status: object) =>
        `echo '${JSON.stringify({ apiVersion: VERSION, kind: "ExecCredential", status })}'`;

    function credentials(exec: object, server = "https://a:1") {
        const kubeconfig = JSON.stringify({
            clusters: [{ name: "c", cluster: { server, "certificate-authority-data": "eA==" } }],
            users: [{ name: "u", user: { exec: { apiVersion: VERSION, ...exec } } }],
            contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
            "current-context": "x",
        });
        return connect(kubeconfig, {}).credentials();
    }

    it("is looked up on PATH and told about the cluster, with its own variables", async () => {
        plugin(
            "login",
            `echo "$KUBERNETES_EXEC_INFO" >${folder}/info; ${answer({ token: "t" }).replace('"t"', `"'$WHO'"`)}`,
        );
        const { headers } = await credentials({
            command: "login",
            env: [{ name: "WHO", value: "me" }],
            provideClusterInfo: true,
        });
        expect(headers).toEqual({ authorization: "Bearer me" });
        expect(JSON.parse(readFileSync(join(folder, "info"), "utf8"))).toEqual({
            apiVersion: VERSION,
            kind: "ExecCredential",
            spec: {
                interactive: false,
                cluster: { server: "https://a:1", "certificate-authority-data": "eA==" },
            },
        });
    });

    it("may give a certificate and its key", async () => {
        plugin("certified", answer({ clientCertificateData: "c", clientKeyData: "k" }));
        expect(await credentials({ command: "certified" })).toEqual({
            headers: {},
            certificate: "c",
            key: "k",
        });
    });

    it("that is not installed is named, with the hint of the kubeconfig", async () => {
        await expect(
            credentials({
                command: "gke-gcloud-auth-plugin-x",
                installHint: "Install it: now.",
            }),
        ).rejects.toThrow(
            `The kubeconfig's credential plugin "gke-gcloud-auth-plugin-x" was not found on PATH. Install it: now.`,
        );
    });

    it.each([
        ["fails", "echo no rights >&2; exit 3", {}, "ended with 3: no rights"],
        ["chats", "echo hello", {}, "printed no JSON."],
        ["empty", answer({}), {}, "printed neither a token nor a certificate."],
        [
            "half",
            answer({ clientKeyData: "k" }),
            {},
            "printed a certificate without its key, or a key without its certificate.",
        ],
        [
            "old",
            answer({ token: "t" }),
            { apiVersion: "client.authentication.k8s.io/v1alpha1" },
            `has apiVersion "client.authentication.k8s.io/v1alpha1"; it must be`,
        ],
        [
            "newer",
            answer({ token: "t" }),
            { apiVersion: "client.authentication.k8s.io/v1" },
            `printed a "ExecCredential" of "${VERSION}"; the kubeconfig wants`,
        ],
        ["asks", answer({ token: "t" }), { interactiveMode: "Always" }, "needs a terminal"],
    ])("that %s is named with the reason", async (name, script, more, message) => {
        plugin(name, script);
        await expect(credentials({ command: name, ...more })).rejects.toThrow(
            `The kubeconfig's credential plugin "${name}" ${message}`,
        );
    });
});
