// The API server reaches webhooks behind Services, as on a real cluster.

import { execa } from "execa";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pkiDirectory } from "../../sandbox/cluster/certificates.js";
import { FIRST } from "../../sandbox/cluster/plan.js";
import { ensureSandbox, kubectl } from "../../sandbox/index.js";
import { binary, toolVersion } from "../../sandbox/tools.js";
import { eventually, World } from "./world.js";

const PORT = 18443;
const HOOK = "sandbox-test-hook";

const world = new World("sandbox-webhooks");
const folder = mkdtempSync(join(tmpdir(), "sandbox-webhook-"));
let server: https.Server;
let asked = 0;

interface Review {
    readonly apiVersion: string;
    readonly kind: string;
    readonly request: { readonly uid: string };
}

/** A certificate of the cluster's own authority, for the name by which the API server calls. */
async function makeCertificate(name: string): Promise<void> {
    for (const file of ["ca.crt", "ca.key"]) {
        copyFileSync(join(pkiDirectory(FIRST), file), join(folder, file));
    }
    const config = join(folder, "kubeadm.yaml");
    const parts = [
        { kind: "InitConfiguration", localAPIEndpoint: { advertiseAddress: FIRST.hub.address } },
        {
            kind: "ClusterConfiguration",
            kubernetesVersion: `v${toolVersion("kubernetes")}`,
            certificatesDir: folder,
            apiServer: { certSANs: [name] },
        },
    ].map((part) => JSON.stringify({ apiVersion: "kubeadm.k8s.io/v1beta4", ...part }));
    writeFileSync(config, parts.join("\n---\n"));
    await execa(binary("kubernetes", "kubeadm"), [
        ...["init", "phase", "certs", "apiserver", "--config", config],
    ]);
}

/** Refuses whatever it is asked, and says so. */
function refuse(text: string): object {
    const { apiVersion, kind, request } = JSON.parse(text) as Review;
    asked += 1;
    const status = { message: "refused by the sandbox's test" };
    return { apiVersion, kind, response: { uid: request.uid, allowed: false, status } };
}

beforeAll(async () => {
    await ensureSandbox();
    await world.create();
    await makeCertificate(`hook.${world.namespace}.svc`);
    server = https.createServer(
        {
            cert: readFileSync(join(folder, "apiserver.crt")),
            key: readFileSync(join(folder, "apiserver.key")),
        },
        (request, response) => {
            let text = "";
            request.on("data", (chunk: Buffer) => (text += chunk.toString()));
            request.on("end", () => {
                response.setHeader("content-type", "application/json");
                response.end(JSON.stringify(refuse(text)));
            });
        },
    );
    await new Promise<void>((resolve) => server.listen(PORT, FIRST.host.address, resolve));
    await world.apply(
        {
            apiVersion: "v1",
            kind: "Service",
            metadata: { name: "hook" },
            spec: { ports: [{ name: "https", port: 443, targetPort: PORT }] },
        },
        {
            apiVersion: "discovery.k8s.io/v1",
            kind: "EndpointSlice",
            metadata: { name: "hook", labels: { "kubernetes.io/service-name": "hook" } },
            addressType: "IPv4",
            ports: [{ name: "https", port: PORT }],
            endpoints: [{ addresses: [FIRST.host.address], conditions: { ready: true } }],
        },
        {
            apiVersion: "admissionregistration.k8s.io/v1",
            kind: "ValidatingWebhookConfiguration",
            metadata: { name: HOOK },
            webhooks: [
                {
                    name: "hook.sandbox.quorum.dev",
                    admissionReviewVersions: ["v1"],
                    sideEffects: "None",
                    failurePolicy: "Fail",
                    timeoutSeconds: 5,
                    clientConfig: {
                        caBundle: readFileSync(join(folder, "ca.crt")).toString("base64"),
                        service: { name: "hook", namespace: world.namespace, path: "/" },
                    },
                    // This namespace only: others may work in the cluster at the same time.
                    namespaceSelector: {
                        matchLabels: { "kubernetes.io/metadata.name": world.namespace },
                    },
                    rules: [
                        {
                            apiGroups: [""],
                            apiVersions: ["v1"],
                            operations: ["CREATE"],
                            resources: ["secrets"],
                        },
                    ],
                },
            ],
        },
    );
});

afterAll(async () => {
    await kubectl(["delete", "validatingwebhookconfiguration", HOOK, "--ignore-not-found"]);
    server.close();
    rmSync(folder, { recursive: true, force: true });
    await world.remove();
});

test("the API server asks a webhook behind a Service and obeys it", async () => {
    const create = async () => {
        const failed = world.kubectl("create", "secret", "generic", "some").then(() => "created");
        return failed.catch((thrown: unknown) => (thrown as Error).message);
    };
    // kube-proxy in the hub learns of the Service a moment after the webhook is in force.
    const refused = (message: string) => message.includes("refused by");
    expect(await eventually(create, refused, 15)).toContain("refused by the sandbox's test");
    expect(asked).toBeGreaterThan(0);
    expect(await world.kubectl("get", "secrets", "-o", "name")).toBe("");
});
