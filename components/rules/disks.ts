// What a change of the disks means, whatever driver makes them. What is a driver's own stands with the driver.

import { parseQuantity } from "../quantity";
import type { Override } from "../spec";
import { EMPTY_DISKS, unboundClaims } from "../storage/driver";
import { announced, settled, type Finding, type Rule, type RulesOf } from "./rule";

const SHRINKS = "a disk cannot shrink.";
const GROWS =
    "every member's disk grows in place; nothing is restarted, and it cannot shrink again.";

const sizeRule: Rule = (old, wanted, { completed }) => {
    const [before, after] = [parseQuantity(old.storage.size), parseQuantity(wanted.storage.size)];
    const finding = (
        severity: Finding["severity"],
        reason: string,
        override?: Override,
    ): Finding => ({
        severity,
        path: "storage.size",
        old: old.storage.size,
        new: wanted.storage.size,
        reason,
        ...(override && { override }),
    });
    if (before === after) {
        return [];
    }
    if (after < before) {
        const reason = unboundClaims(SHRINKS)(old, completed);
        return [finding("refused", reason, completed ? undefined : "unfinished")];
    }
    const { cannotGrow } = wanted.disks;
    return cannotGrow === undefined
        ? [finding("announced", unboundClaims(GROWS)(old, completed))]
        : [finding("refused", cannotGrow)];
};

const onDeleteRule = announced("storage.onDelete", (_, { storage, name, disks }) => {
    if (storage.onDelete === "keep") {
        return "from the end of this update on, and not before, a destroy keeps claims, passwords and namespace.";
    }
    const { leftBehind } = disks;
    const gone = leftBehind === undefined ? "claims with their disks" : "claims";
    const text = `FROM NOW ON "pulumi destroy" DELETES ALL DATA of ${name}: ${gone}, passwords and the namespace. It cannot be taken back then.`;
    return leftBehind === undefined ? text : `${text} ${leftBehind}`;
});

/** The keys that every driver has. */
export const DISK_RULES: RulesOf<"storage.driver" | "storage.size" | "storage.onDelete"> = {
    "storage.driver": settled("storage.driver", EMPTY_DISKS),
    "storage.size": sizeRule,
    "storage.onDelete": onDeleteRule,
};
