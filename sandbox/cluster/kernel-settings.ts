// Settings of this machine's kernel that the sandbox needs or that kubelet changes. Their values
// are written down first and put back at the end.

import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stateDirectory } from "../places.js";

/** Six nodes with a container runtime each watch many files. */
const LEAST: Readonly<Record<string, number>> = {
    "fs/inotify/max_user_instances": 8192,
    "fs/inotify/max_user_watches": 524_288,
};

/** What kubelet sets for itself (kubelet `protectKernelDefaults`, documentation of that field). */
const CHANGED_BY_KUBELET = [
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
];

function fileOf(setting: string): string {
    return join("/proc/sys", setting);
}

function recordFile(): string {
    return stateDirectory("kernel-settings.json");
}

/** Writes down the present values, once, and raises what is too low. */
export function changeKernelSettings(): void {
    if (!existsSync(recordFile())) {
        const present = [...Object.keys(LEAST), ...CHANGED_BY_KUBELET]
            .filter((setting) => existsSync(fileOf(setting)))
            .map((setting) => [setting, readFileSync(fileOf(setting), "utf8").trim()]);
        writeFileSync(recordFile(), JSON.stringify(Object.fromEntries(present)));
    }
    for (const [setting, least] of Object.entries(LEAST)) {
        const file = fileOf(setting);
        if (Number(readFileSync(file, "utf8")) < least) writeFileSync(file, String(least));
    }
}

/** Puts back what was written down. */
export function restoreKernelSettings(): void {
    if (!existsSync(recordFile())) return;
    const values = JSON.parse(readFileSync(recordFile(), "utf8")) as Record<string, string>;
    for (const [setting, value] of Object.entries(values)) {
        if (readFileSync(fileOf(setting), "utf8").trim() !== value) {
            writeFileSync(fileOf(setting), value);
        }
    }
    rmSync(recordFile());
}
