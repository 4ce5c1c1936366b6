// Who a process is. A pid alone is not enough: after a crash or a reboot the number may belong to
// somebody else, so it is always kept together with the time at which the process started.

import { readFileSync } from "node:fs";

/** A process as it is written to the state files. */
export interface ProcessIdentity {
    readonly pid: number;
    /** Clock ticks from boot to the start of the process: field 22 of /proc/PID/stat. */
    readonly startTicks: string;
    /** The boot in which these ticks were counted. */
    readonly boot: string;
}

const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();

interface ProcessStat {
    readonly state: string;
    readonly parent: number;
    readonly startTicks: string;
}

/** undefined: there is no such process. */
function statOf(pid: number): ProcessStat | undefined {
    let text: string;
    try {
        text = readFileSync(`/proc/${pid}/stat`, "utf8");
    } catch {
        return undefined;
    }
    // The command name stands in parentheses and may itself hold spaces and parentheses.
    const [state, parent, ...rest] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { state: state!, parent: Number(parent), startTicks: rest[17]! };
}

/** The identity of a live process, or undefined when it is gone (a zombie is gone). */
export function identify(pid: number): ProcessIdentity | undefined {
    const stat = statOf(pid);
    if (stat === undefined || stat.state === "Z" || stat.state === "X") return undefined;
    return { pid, startTicks: stat.startTicks, boot: bootId };
}

/** True while exactly this process (not a later one with the same number) lives. */
export function isAlive(process: ProcessIdentity): boolean {
    if (process.boot !== bootId) return false;
    return identify(process.pid)?.startTicks === process.startTicks;
}

/** The children of a process, from the kernel's own list. */
export function childrenOf(pid: number): number[] {
    try {
        const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
        return text === "" ? [] : text.split(" ").map(Number);
    } catch {
        return [];
    }
}
