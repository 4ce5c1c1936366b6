// The Debian packages that the sandbox needs; installed only when something is missing.

import { accessSync, chmodSync, constants, existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run, succeeds } from "./command.js";
import { SandboxError } from "./failure.js";

/** A package and one file by which we see that it (or something as good) is there. */
interface DebianPackage {
    readonly name: string;
    /** A program on PATH, or an absolute path. */
    readonly provides: string;
    /** Services that the package would start, now and at every boot; the sandbox runs its own. */
    readonly services?: readonly string[];
}

const PACKAGES: readonly DebianPackage[] = [
    { name: "containerd", provides: "containerd", services: ["containerd.service"] },
    { name: "runc", provides: "runc" },
    { name: "containernetworking-plugins", provides: "/usr/lib/cni/ptp" },
    { name: "iptables", provides: "iptables" },
    { name: "conntrack", provides: "conntrack" },
    { name: "ipset", provides: "ipset" },
    { name: "nftables", provides: "nft" },
    { name: "iproute2", provides: "ip" },
    { name: "util-linux", provides: "unshare" },
    { name: "mount", provides: "losetup" },
    { name: "xfsprogs", provides: "mkfs.xfs" },
    { name: "mmdebstrap", provides: "mmdebstrap" },
    { name: "busybox-static", provides: "busybox" },
    { name: "tar", provides: "tar" },
    { name: "curl", provides: "curl" },
    { name: "jq", provides: "jq" },
    { name: "shellcheck", provides: "shellcheck" },
];

/** Debian asks this program before a package starts a service; 101 means "do not". */
const POLICY_FILE = "/usr/sbin/policy-rc.d";
const POLICY = "#!/bin/sh\n# Written by the Quorum sandbox while it installs packages.\nexit 101\n";

/** Daemons' programs are in sbin, which is not on every user's PATH. */
const PROGRAM_FOLDERS = [...(process.env["PATH"] ?? "").split(":"), "/usr/sbin", "/sbin"];

function isExecutable(file: string): boolean {
    try {
        accessSync(file, constants.X_OK);
        return true;
    } catch {
        return false;
    }
}

function isThere(provides: string): boolean {
    if (provides.startsWith("/")) return isExecutable(provides);
    return PROGRAM_FOLDERS.some((folder) => isExecutable(join(folder, provides)));
}

/** The packages that would have to be installed. */
export function missingPackages(): string[] {
    return PACKAGES.filter(({ provides }) => !isThere(provides)).map(({ name }) => name);
}

/** Everything below needs root, and says so before it begins rather than half way. */
export function requireRoot(): void {
    if (process.getuid?.() !== 0) {
        throw new SandboxError(
            "The sandbox makes network namespaces and mounts, so it must be run as root.",
        );
    }
}

/** Installs what is missing, without starting any service of it. */
export async function ensurePackages(): Promise<void> {
    requireRoot();
    const missing = missingPackages();
    if (missing.length === 0) return;
    if (!isThere("apt-get")) {
        throw new SandboxError(
            `The sandbox needs Debian 12 or newer: apt-get is missing, and so are ${missing.join(", ")}.`,
        );
    }
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    await run("apt-get", ["update", "-q"], { env });
    const hadPolicy = existsSync(POLICY_FILE);
    if (!hadPolicy) {
        writeFileSync(POLICY_FILE, POLICY);
        chmodSync(POLICY_FILE, 0o755);
    }
    try {
        await run("apt-get", ["install", "-q", "-y", "--no-install-recommends", ...missing], {
            env,
        });
    } finally {
        if (!hadPolicy) rmSync(POLICY_FILE, { force: true });
    }
    const services = PACKAGES.filter(({ name }) => missing.includes(name)).flatMap(
        (installed) => installed.services ?? [],
    );
    // Not started now, but enabled for the next boot: undo that too, where there is a systemd.
    if (existsSync("/run/systemd/system")) {
        for (const service of services) await succeeds("systemctl", ["disable", service]);
    }
}
