// What the sandbox's tests share: a namespace of their own, and words for what they look at.

import { execa } from "execa";
import { setTimeout as sleep } from "node:timers/promises";
import { BUSYBOX_IMAGE, kubectl, kubeconfigPath, type Sandbox } from "../../sandbox/index.js";
import { binary } from "../../sandbox/tools.js";

/** A namespace that exists for one test file. */
export class World {
    constructor(
        readonly namespace: string,
        private readonly sandbox?: Sandbox,
    ) {}

    async create(): Promise<void> {
        await this.remove();
        await kubectl(["create", "namespace", this.namespace], this.sandbox);
        // Made by a controller, and no pod is taken before.
        await this.kubectl("wait", "--for=create", "serviceaccount/default", "--timeout=20s");
    }

    async remove(): Promise<void> {
        const args = ["delete", "namespace", this.namespace, "--ignore-not-found", "--wait"];
        await kubectl(args, this.sandbox);
    }

    async kubectl(...args: string[]): Promise<string> {
        return kubectl(["--namespace", this.namespace, ...args], this.sandbox);
    }

    async apply(...objects: object[]): Promise<void> {
        await execa(
            binary("kubernetes", "kubectl"),
            [
                ...["--kubeconfig", kubeconfigPath(this.sandbox)],
                ...["--namespace", this.namespace, "apply", "-f", "-"],
            ],
            { input: JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }) },
        );
    }

    async ready(pod: string): Promise<void> {
        await this.kubectl("wait", "--for=condition=Ready", `pod/${pod}`, "--timeout=60s");
    }

    /** One field of an object, for example `get("pvc/data", "{.status.phase}")`. */
    async get(object: string, path: string): Promise<string> {
        return this.kubectl("get", object, "-o", `jsonpath=${path}`);
    }
}

/** Asks until the answer is the wanted one; the last answer otherwise, for the assertion. */
export async function eventually<T>(
    ask: () => Promise<T>,
    wanted: (answer: T) => boolean,
    seconds: number,
): Promise<T> {
    const end = Date.now() + seconds * 1000;
    for (;;) {
        const answer = await ask();
        if (wanted(answer) || Date.now() > end) return answer;
        await sleep(300);
    }
}

/** A pod that answers HTTP on 8080, a port of the name `http`, with its own name. */
export function webPod(name: string, node?: string): object {
    return shellPod(
        name,
        "mkdir -p /tmp/www && hostname > /tmp/www/index.html && exec httpd -f -p 8080 -h /tmp/www",
        {
            readinessProbe: { httpGet: { port: 8080, path: "/" }, periodSeconds: 1 },
            ports: [{ name: "http", containerPort: 8080 }],
            ...(node === undefined ? {} : { node }),
        },
    );
}

/** A pod with a shell. */
export function shellPod(
    name: string,
    script: string,
    more: {
        readinessProbe?: object;
        ports?: object[];
        node?: string;
        claim?: string;
        spec?: object;
    } = {},
): object {
    return {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name, labels: { app: name } },
        spec: {
            terminationGracePeriodSeconds: 0,
            ...more.spec,
            ...(more.node === undefined
                ? {}
                : { nodeSelector: { "kubernetes.io/hostname": more.node } }),
            containers: [
                {
                    name: "main",
                    image: BUSYBOX_IMAGE,
                    imagePullPolicy: "Never",
                    command: ["sh", "-c", script],
                    ...(more.readinessProbe === undefined
                        ? {}
                        : { readinessProbe: more.readinessProbe }),
                    ...(more.ports === undefined ? {} : { ports: more.ports }),
                    ...(more.claim === undefined
                        ? {}
                        : { volumeMounts: [{ name: "data", mountPath: "/data" }] }),
                },
            ],
            ...(more.claim === undefined
                ? {}
                : {
                      volumes: [{ name: "data", persistentVolumeClaim: { claimName: more.claim } }],
                  }),
        },
    };
}

export function service(name: string, spec: object): object {
    return {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name },
        spec: { ports: [{ port: 80, targetPort: 8080 }], ...spec },
    };
}
