// The sandbox for a benchmark: brought up when it is down, and left as it was found.
import { setTimeout as sleep } from "node:timers/promises";
import { ensureSandbox, kubectl, sandboxStatus, stopSandbox } from "../sandbox/index.js";

/** How long somebody else's test may have a zone switched off. */
const ZONE_PATIENCE_MILLISECONDS = 300_000;

/** Brings the sandbox up with these images; resolves to what undoes that. */
export async function openSandbox(
    images: readonly string[],
    print: (line: string) => void,
): Promise<() => Promise<void>> {
    const before = await sandboxStatus();
    const isUp = before.some(({ state }) => state === "running" || state === "switched off");
    if (isUp) {
        await zonesOn(print);
    }
    await ensureSandbox(images, print);
    const own = await identity();
    return async () => {
        // Somebody may have made a new one in the meantime.
        if (!isUp && (await identity()) === own && !(await isUsed())) {
            await stopSandbox(print);
        }
    };
}

/** Bringing the sandbox up switches zones on, which would spoil a test that has just switched one off. */
async function zonesOn(print: (line: string) => void): Promise<void> {
    const end = Date.now() + ZONE_PATIENCE_MILLISECONDS;
    const isOff = async (): Promise<boolean> =>
        (await sandboxStatus()).some(({ state }) => state === "switched off");
    if (await isOff()) {
        print("a zone is switched off: waiting for it to come back");
    }
    while ((await isOff()) && Date.now() < end) {
        await sleep(1000);
    }
}

/** Differs between any two Kubernetes clusters; undefined when none answers. */
async function identity(): Promise<string | undefined> {
    return kubectl(["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"]).catch(
        () => undefined,
    );
}

/** Whether somebody has a cluster on it by now. */
async function isUsed(): Promise<boolean> {
    const selector = "app.kubernetes.io/component=member";
    return (await kubectl(["get", "pods", "-A", "-l", selector, "-o", "name"])).trim() !== "";
}
