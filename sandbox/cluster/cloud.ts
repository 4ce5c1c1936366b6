// The part of the sandbox that stands in for Google Cloud: its process, and what it has to give. What the process does
// is in sandbox/cloud.

import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { MACHINES_FILE, type ControlPlane, type Machines } from "../cloud/status.js";
import { CLOUD_VARIABLE } from "../cloud/store.js";
import { cacheDirectory, cloudDirectory, programDirectory, stateDirectory } from "../places.js";
import { CLOUD_ZONES, FIRST, kubeconfigOf, type Sandbox } from "./plan.js";
import { isRunning, powerOffPart, powerOnPart } from "./processes.js";

const place = { directory: stateDirectory("machines") };

/** What an administrator's kubeconfig says, by its field names. */
interface Kubeconfig {
    readonly clusters: readonly [
        { readonly cluster: { readonly "certificate-authority-data": string } },
    ];
    readonly users: readonly [
        {
            readonly user: {
                readonly "client-certificate-data": string;
                readonly "client-key-data": string;
            };
        },
    ];
}

function controlPlaneOf(sandbox: Sandbox): ControlPlane {
    const { clusters, users } = parse(readFileSync(kubeconfigOf(sandbox), "utf8")) as Kubeconfig;
    return {
        name: sandbox.name,
        endpoint: sandbox.hub.address,
        port: 6443,
        certificateAuthority: clusters[0].cluster["certificate-authority-data"],
        clientCertificate: users[0].user["client-certificate-data"],
        clientKey: users[0].user["client-key-data"],
    };
}

/** Writes what the cloud can give: the control planes of these sandboxes, addresses and zones. */
function writeOffer(sandboxes: readonly Sandbox[]): void {
    const machines: Machines = {
        controlPlanes: sandboxes.map(controlPlaneOf),
        addresses: FIRST.networks.loadBalancers,
        zones: CLOUD_ZONES,
    };
    mkdirSync(cloudDirectory(), { recursive: true });
    const file = join(cloudDirectory(), MACHINES_FILE);
    writeFileSync(`${file}.new`, JSON.stringify(machines, undefined, 2), { mode: 0o600 });
    renameSync(`${file}.new`, file);
}

export function cloudIsRunning(): boolean {
    return isRunning(place);
}

/** Starts the cloud's process anew, for the sandboxes whose control planes it gives. */
export async function startCloud(sandboxes: readonly Sandbox[]): Promise<void> {
    await stopCloud();
    writeOffer(sandboxes);
    for (const name of ["log", "pids"]) {
        mkdirSync(join(place.directory, name), { recursive: true, mode: 0o700 });
    }
    const here = dirname(fileURLToPath(import.meta.url));
    await powerOnPart({
        name: "cloud",
        sandbox: FIRST,
        directory: place.directory,
        script: "cloud.sh",
        env: {
            PROGRAM_DIRECTORY: programDirectory,
            NODE_PROGRAM: process.execPath,
            CLOUD: join(here, "..", "cloud", "main.ts"),
            QUORUM_STATE: stateDirectory(),
            QUORUM_CACHE: cacheDirectory(),
            [CLOUD_VARIABLE]: cloudDirectory(),
        },
    });
}

/** Ends it. What it keeps in its files stays. */
export async function stopCloud(): Promise<void> {
    await powerOffPart(place);
}
