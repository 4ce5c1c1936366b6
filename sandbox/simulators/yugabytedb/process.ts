// What both simulated processes of YugabyteDB share: their flags, who they are, their version, their certificates.

import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { randomUUID, X509Certificate } from "node:crypto";
import { join } from "node:path";
import {
    atomicJson,
    CommandError,
    commandLine,
    readJson,
    type Certificates,
    type Destination,
} from "../shared/index.js";

/** For example `2026.1.0.1-b1`: the image's tag. */
export const VERSION = process.env["SIMULATED_VERSION"] ?? "0.0.0.0-b0";

/** The release of a version, without its build: each has AutoFlags of its own, also inside a series. */
export const releaseOf = (version: string): string => version.split("-")[0]!;
export const RELEASE = releaseOf(VERSION);

export const isOlder = (one: string, other: string): boolean => {
    const [left, right] = [one, other].map((series) => series.split(".").map(Number));
    const at = left!.findIndex((number, index) => number !== right![index]);
    return at !== -1 && left![at]! < right![at]!;
};

/** What `/api/v1/version` answers. */
export const versionAnswer = () => {
    const [number, build] = VERSION.split("-b");
    return { git_hash: "simulator", version_number: number, build_number: build ?? "0" };
};

/** The line of `--version`. */
export function printVersion(program: string): void {
    const [number, build] = VERSION.split("-b");
    console.log(`${program} version ${number!} build ${build ?? "0"} (simulator)`);
}

const SERVER_FLAGS = {
    fs_data_dirs: "string",
    webserver_interface: "string",
    rpc_bind_addresses: "string",
    server_broadcast_addresses: "string",
    placement_cloud: "string",
    placement_region: "string",
    placement_zone: "string",
    memory_limit_hard_bytes: "string",
    certs_dir: "string",
    use_node_to_node_encryption: "boolean",
    use_client_to_server_encryption: "boolean",
    allow_insecure_connections: "boolean",
    use_node_hostname_for_local_tserver: "boolean",
    logtostderr: "boolean",
    version: "boolean",
} as const;

/** Flags of one kind of process beside those of both. */
export const MASTER_FLAGS = {
    ...SERVER_FLAGS,
    master_addresses: "string",
    replication_factor: "string",
    master_join_existing_universe: "boolean",
} as const;
export const TSERVER_FLAGS = {
    ...SERVER_FLAGS,
    tserver_master_addrs: "string",
    pgsql_proxy_bind_address: "string",
    ysql_enable_auth: "boolean",
    start_cql_proxy: "boolean",
    yb_enable_read_committed_isolation: "boolean",
    ysql_sequence_cache_minval: "string",
} as const;

/** A process as its flags describe it. */
export interface Self {
    readonly uuid: string;
    readonly host: string;
    readonly port: number;
    /** Directory of this kind of process on the disk. */
    readonly directory: string;
    readonly zone: string;
    readonly flags: Readonly<Record<string, string | undefined>>;
    readonly tls: Certificates;
    readonly masters: readonly Destination[];
    readonly to: (host: string, port: number) => Destination;
}

/**
 * Reads a process's flags, its certificates under the names of the real one, and its identity, which it makes on an
 * empty disk.
 */
export function identify(
    kind: "master" | "tserver",
    args: readonly string[],
    flagTypes: typeof MASTER_FLAGS | typeof TSERVER_FLAGS,
): Self {
    const { flags, has } = commandLine(args, flagTypes);
    const need = (name: string): string => {
        const value = flags[name];
        if (!value) throw new CommandError(`flag --${name} is required here`);
        return value;
    };
    for (const name of ["use_node_to_node_encryption", "use_client_to_server_encryption"]) {
        if (!has(name)) throw new CommandError(`only the encrypted mode is simulated: --${name}`);
    }
    const [host, port] = need("rpc_bind_addresses").split(":");
    const certificates = need("certs_dir");
    const read = (name: string): string => {
        const file = join(certificates, name);
        if (!existsSync(file)) throw new CommandError(`Not found: ${file}`);
        return readFileSync(file, "utf8");
    };
    const tls = {
        ca: read("ca.crt"),
        cert: read(`node.${host!}.crt`),
        key: read(`node.${host!}.key`),
    };
    const directory = join(need("fs_data_dirs"), "yb-data", kind);
    const file = join(directory, "instance.json");
    const known = readJson(file) as { uuid: string } | undefined;
    const uuid = known?.uuid ?? randomUUID().replaceAll("-", "");
    if (!known) {
        mkdirSync(directory, { recursive: true });
        atomicJson(file, { uuid });
    }
    const to = (name: string, at: number): Destination => ({
        host: name,
        port: at,
        tls: { ca: tls.ca },
    });
    const masters = addressesOf(
        need(kind === "master" ? "master_addresses" : "tserver_master_addrs"),
    );
    return {
        uuid,
        host: host!,
        port: Number(port),
        directory,
        zone: need("placement_zone"),
        flags,
        tls,
        masters: masters.map((each) => to(each.host, each.port)),
        to,
    };
}

/**
 * Why no backend of PostgreSQL can speak to its own tserver: it goes to the IP that that is bound to, unless a flag says
 * to its name, and checks the certificate for either (pg_client.cc, secure_stream.cc; issues 11503 and 17282).
 */
export function localEndpointMismatch(
    flags: Self["flags"],
    certificate: string,
    address: string,
): string | undefined {
    return flags["use_node_hostname_for_local_tserver"] !== undefined ||
        new X509Certificate(certificate).checkIP(address) !== undefined
        ? undefined
        : `Handshake failed: Network error (yb/rpc/secure_stream.cc:1108): Endpoint does not match, address: ${address}, hostname: ${address}`;
}

/** `host:port,host:port` */
export const addressesOf = (text: string): { host: string; port: number }[] =>
    text.split(",").map((address) => {
        const [host, port] = address.split(":");
        return { host: host!, port: Number(port) };
    });

/** The first label of a host: the name of its Service. */
export const labelOf = (host: string): string => host.split(".")[0]!;
