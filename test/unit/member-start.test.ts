// What a member does before its database may start (shared/member.sh). That engines ask it is shown on pods in test/cluster.
import { execa } from "execa";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";

const MEMBER = path.resolve(import.meta.dirname, "../../components/engines/shared/member.sh");
const lab = mkdtempSync(path.join(tmpdir(), "quorum-member-"));
afterAll(() => rmSync(lab, { recursive: true }));

/** Runs the check of a disk's owner; `meanwhile` happens while it waits. */
async function check(disk: string, meanwhile: () => void): Promise<string> {
    const script = `log() { echo "$*"; }; OWNER=${disk}/quorum-member QUORUM_CLUSTER=orders QUORUM_MEMBER=orders-a-0
        set -euo pipefail; source ${MEMBER}; check_owner; echo started`;
    const running = execa("timeout", ["10", "bash", "-c", script], { reject: false });
    setTimeout(meanwhile, 1500);
    return (await running).stdout;
}

test.concurrent("a disk that cannot be written is named, once, and waited for", async () => {
    const disk = path.join(lab, "closed");
    const said = await check(disk, () => mkdirSync(disk));
    expect(said).toMatch(/^orders-a-0 cannot write to its disk: .*\nstarted$/);
    expect(readFileSync(path.join(disk, "quorum-member"), "utf8")).toBe("orders/orders-a-0");
});

test.concurrent("another member's disk is named, once, and left as it is", async () => {
    const disk = path.join(lab, "foreign");
    mkdirSync(disk);
    writeFileSync(path.join(disk, "quorum-member"), "orders/orders-b-0");
    const said = await check(disk, () => undefined);
    expect(said).toBe("orders-a-0 was given the disk of orders/orders-b-0: it is not started");
    expect(readFileSync(path.join(disk, "quorum-member"), "utf8")).toBe("orders/orders-b-0");
});
