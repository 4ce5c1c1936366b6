// What the parts of the sandbox's cloud tell each other through the files: the provider that Pulumi
// talks to writes what is wished, the machines controller and the CSI driver write what is.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Cloud } from "./store.js";

/** The states of GKE's API (Cluster.Status, NodePool.Status) that the sandbox has. */
export type MachineState =
    /** The provider: make it. */
    | "PROVISIONING"
    /** The provider: it changed; make the machines what the properties say, `revision` of them. */
    | "RECONCILING"
    /** The controller: everything is as the properties of revision `observed` say. */
    | "RUNNING"
    /** The provider: take it away. The controller removes the file when it is gone. */
    | "STOPPING"
    /** The controller: it cannot be done; `message` says why. */
    | "ERROR";

export interface ClusterStatus {
    readonly state: MachineState;
    /** The name of the control plane that is this cluster's, of machines.json. */
    readonly controlPlane: string;
    readonly message?: string;
}

export interface NodePoolStatus {
    readonly state: MachineState;
    /** Raised by the provider with every change that machines must follow. */
    readonly revision: number;
    /** The revision that the machines have followed. */
    readonly observed?: number;
    /** Names of the nodes that there are. */
    readonly nodes?: readonly string[];
    readonly message?: string;
}

export interface DiskStatus {
    /** The node that has it now. */
    readonly attachedTo: string | null;
}

export interface AddressStatus {
    /** What uses the address; a load balancer's Service, as NAMESPACE/NAME. */
    readonly users?: readonly string[];
}

/** A Kubernetes control plane of the sandbox that a cluster can be given. */
export interface ControlPlane {
    readonly name: string;
    /** Address of the API server, as nodes, pods and this machine reach it. */
    readonly endpoint: string;
    readonly port: number;
    /** Base64 of PEM, here and below. */
    readonly certificateAuthority: string;
    readonly clientCertificate: string;
    readonly clientKey: string;
    /** Of Kubernetes, such as 1.34.10; what a cluster says of its control plane. */
    readonly version?: string;
}

/** What the sandbox can give: written by it when it starts. */
export interface Machines {
    readonly controlPlanes: readonly ControlPlane[];
    /** The network (CIDR) that load balancers' addresses are of. */
    readonly addresses: string;
    readonly zones: readonly string[];
}

export const MACHINES_FILE = "machines.json";

/** What the sandbox can give; undefined before it has ever been started. */
export function machinesOf(cloud: Cloud): Machines | undefined {
    try {
        return JSON.parse(readFileSync(join(cloud.directory, MACHINES_FILE), "utf8")) as Machines;
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
    }
}
