// The CSI driver's socket on every node, where kubelet finds it: one process serves all of them, from outside of the
// nodes. A socket is seen through the node's disk, which is a folder of this machine.

import grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { closeSync, mkdirSync, openSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Sandbox, SandboxNode } from "../../cluster/plan.js";
import { nodesOf } from "../../cluster/registry.js";
import { log, type Controller } from "../../controllers/controller.js";
import { messageOf } from "../../failure.js";
import { handler } from "../../pulumi/grpc-handler.js";
import type { Cloud } from "../store.js";
import { DRIVER } from "./driver.js";
import { NodeService, type NodeRequest } from "./node-service.js";

/** Where kubelet looks for plugins, seen from this machine. */
function pluginFolder(node: SandboxNode): string {
    return join(node.directory, "var", "lib", "kubelet", "plugins_registry");
}

/** The name that node-driver-registrar gives it, too. */
const SOCKET = `${DRIVER}-reg.sock`;

/** The version of CSI that we answer in; kubelet wants one of its major version, 1. */
const CSI_VERSION = "1.12.0";

interface Definitions {
    readonly csi: { readonly v1: { readonly Node: grpc.ServiceClientConstructor } };
    readonly pluginregistration: { readonly Registration: grpc.ServiceClientConstructor };
}

function loadDefinitions(): Definitions {
    const here = dirname(fileURLToPath(import.meta.url));
    const files = ["csi.proto", "registration.proto"].map((name) => join(here, name));
    const options = { longs: Number, enums: String, defaults: true, oneofs: true };
    return grpc.loadPackageDefinition(loadSync(files, options)) as unknown as Definitions;
}

/** Calls for the same volume take turns: kubelet asks again when an answer is late. */
class Turns {
    readonly #last = new Map<string, Promise<unknown>>();

    take<T>(key: string, work: () => Promise<T>): Promise<T> {
        const turn = (this.#last.get(key) ?? Promise.resolve()).then(work, work);
        this.#last.set(key, turn);
        const forget = (): void => {
            if (this.#last.get(key) === turn) this.#last.delete(key);
        };
        void turn.then(forget, forget);
        return turn;
    }
}

function methodsOf(node: SandboxNode, service: NodeService): grpc.UntypedServiceImplementation {
    const turns = new Turns();
    const inTurn = (work: (request: NodeRequest) => Promise<object>) =>
        handler(async (request: NodeRequest) => {
            try {
                return await turns.take(request.volumeId, () => work(request));
            } catch (thrown) {
                log(`the CSI driver on ${node.name}`, messageOf(thrown));
                throw thrown;
            }
        });
    return {
        NodeGetInfo: handler(() => service.info()),
        NodeGetCapabilities: handler(() => service.capabilities()),
        NodeStageVolume: inTurn((request) => service.stage(request)),
        NodeUnstageVolume: inTurn((request) => service.unstage(request)),
        NodePublishVolume: inTurn((request) => service.publish(request)),
        NodeUnpublishVolume: inTurn((request) => service.unpublish(request)),
        NodeExpandVolume: inTurn((request) => service.expand(request)),
        NodeGetVolumeStats: handler((request: NodeRequest) => service.stats(request)),
    };
}

function registrationMethods(node: SandboxNode): grpc.UntypedServiceImplementation {
    return {
        GetInfo: handler(() => ({
            type: "CSIPlugin",
            name: DRIVER,
            endpoint: "",
            supportedVersions: [CSI_VERSION],
        })),
        NotifyRegistrationStatus: handler(
            ({ pluginRegistered, error }: { pluginRegistered: boolean; error: string }) => {
                const how = pluginRegistered ? "is registered" : `is refused by kubelet: ${error}`;
                log(`the CSI driver on ${node.name}`, how);
                return {};
            },
        ),
    };
}

/** The sockets of all nodes; new nodes get one, those of nodes that are gone are closed. */
export class SocketController implements Controller {
    readonly name = "the CSI driver";
    readonly #definitions = loadDefinitions();
    readonly #open = new Map<string, () => void>();

    constructor(
        private readonly cloud: Cloud,
        private readonly sandboxes: readonly Sandbox[],
        readonly sources: Controller["sources"],
    ) {}

    async reconcile(): Promise<void> {
        const nodes = this.sandboxes.flatMap(nodesOf);
        const wanted = new Set(nodes.map(({ directory }) => directory));
        for (const [directory, close] of this.#open) {
            if (wanted.has(directory)) continue;
            close();
            this.#open.delete(directory);
        }
        for (const node of nodes) {
            if (this.#open.has(node.directory)) continue;
            this.#open.set(node.directory, await this.#serve(node));
        }
    }

    async #serve(node: SandboxNode): Promise<() => void> {
        const server = new grpc.Server();
        const { csi, pluginregistration } = this.#definitions;
        server.addService(csi.v1.Node.service, methodsOf(node, new NodeService(this.cloud, node)));
        server.addService(pluginregistration.Registration.service, registrationMethods(node));
        mkdirSync(pluginFolder(node), { recursive: true });
        rmSync(join(pluginFolder(node), SOCKET), { force: true });
        // A socket's path has 107 characters at most, and a folder's may have more: so by the open folder.
        const folder = openSync(pluginFolder(node), "r");
        await new Promise<void>((resolve, reject) => {
            server.bindAsync(
                `unix:/proc/self/fd/${folder}/${SOCKET}`,
                grpc.ServerCredentials.createInsecure(),
                (error) => (error === null ? resolve() : reject(error)),
            );
        });
        return () => {
            server.forceShutdown();
            closeSync(folder);
        };
    }
}
