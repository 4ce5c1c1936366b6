// What `make up ENGINE=... IMAGE=...` makes of the checked-in configuration.

import { expect, test } from "vitest";
import { applyWishes, pendingId } from "../../sandbox/stack.js";

const checkedIn = {
    "quorum:name": "orders",
    "quorum:engine": "mysql",
    "quorum:image": "localhost/mysql:9.7",
    "quorum:version": "9.7.4",
    "quorum:toolsImage": "localhost/tools:bookworm",
};

test("without a wish the configuration stays as it is", () => {
    expect(applyWishes(checkedIn, {}, true)).toEqual(checkedIn);
});

test("another engine comes with its own sandbox image and without the old version", () => {
    expect(applyWishes(checkedIn, { engine: "postgresql" }, true)).toEqual({
        "quorum:name": "orders",
        "quorum:engine": "postgresql",
        "quorum:image": "localhost/postgresql:18",
        "quorum:toolsImage": "localhost/tools:bookworm",
    });
});

test("the engine that is configured already keeps its version", () => {
    expect(applyWishes(checkedIn, { engine: "mysql" }, true)).toEqual(checkedIn);
});

test("an image that was asked for wins", () => {
    const wishes = { image: "localhost/mysql:9.7-r1" };
    expect(applyWishes(checkedIn, wishes, true)).toEqual({
        ...checkedIn,
        "quorum:image": "localhost/mysql:9.7-r1",
    });
});

test("the tools come from the sandbox's own image, in stacks that were made before there was one too", () => {
    const { "quorum:toolsImage": image, ...before } = checkedIn;
    expect(applyWishes(before, {}, true)).toEqual({ ...before, "quorum:toolsImage": image });
    const own = { ...checkedIn, "quorum:toolsImage": "tools:2" };
    expect(applyWishes(own, {}, true)).toEqual(own);
    expect(applyWishes(own, {}, false)).toHaveProperty("quorum:toolsImage", "tools:2");
});

test("on a cluster of the user's own the sandbox's images are not used", () => {
    expect(applyWishes(checkedIn, {}, false)).toEqual({
        "quorum:name": "orders",
        "quorum:engine": "mysql",
        "quorum:version": "9.7.4",
    });
});

test("the configuration that was handed in is not changed", () => {
    const config = { ...checkedIn };
    applyWishes(config, { engine: "postgresql", addon: "kine" }, true);
    expect(config).toEqual(checkedIn);
});

test("an add-on comes with the sandbox's image of it, and keeps what else is set", () => {
    const config = { ...checkedIn, "quorum:kine": { replicas: 3 } };
    expect(applyWishes(config, { addon: "kine" }, true)).toEqual({
        ...checkedIn,
        "quorum:addons": ["kine"],
        "quorum:kine": { replicas: 3, image: "localhost/kine:0.16.4" },
    });
});

test("on a cluster of the user's own an add-on has its default image", () => {
    const config = { ...checkedIn, "quorum:kine": { image: "localhost/kine:0.16.4" } };
    const applied = applyWishes(config, { addon: "kine" }, false);
    expect(applied["quorum:addons"]).toEqual(["kine"]);
    expect(applied).not.toHaveProperty("quorum:kine");
});

test.each([
    ["kubernetes:core/v1:Namespace", { metadata: { name: "orders" } }, "orders"],
    ["kubernetes:core/v1:Secret", { metadata: { name: "s", namespace: "n" } }, "n/s"],
    [
        "gcp:compute/disk:Disk",
        { project: "p", zone: "sandbox-a", name: "orders-a-0", size: 10 },
        "projects/p/zones/sandbox-a/disks/orders-a-0",
    ],
    [
        "gcp:serviceaccount/account:Account",
        { project: "p", accountId: "orders-node" },
        "projects/p/serviceAccounts/orders-node@p.iam.gserviceaccount.com",
    ],
    // Its number is Google's to give.
    [
        "gcp:secretmanager/secretVersion:SecretVersion",
        { secret: "projects/p/secrets/s" },
        undefined,
    ],
    ["random:index/randomPassword:RandomPassword", { length: 16 }, undefined],
])("what was cut off while it was made is looked for where it would be: %s", (type, inputs, id) => {
    expect(pendingId({ urn: "", type, inputs })).toBe(id);
});

test("on the stand-in of Google Cloud the program makes cluster, machines and disks", () => {
    const applied = applyWishes(checkedIn, { platform: "gke" }, true);
    expect(applied).toEqual({
        ...checkedIn,
        "quorum:platform": "gke",
        "quorum:gke": { project: "quorum-sandbox" },
        "quorum:zones": ["sandbox-a", "sandbox-b", "sandbox-c"],
        "quorum:storage": { driver: "gce-disk", size: "10Gi" },
        "quorum:machines": { type: "e2-standard-4" },
        "gcp:project": "quorum-sandbox",
    });
});

test("a stack that is on the stand-in of Google Cloud keeps what was set since", () => {
    const config = {
        ...applyWishes(checkedIn, { platform: "gke" }, true),
        "quorum:storage": { driver: "gce-disk", size: "20Gi" },
    };
    expect(applyWishes(config, { platform: "gke" }, true)).toEqual(config);
    expect(applyWishes(config, {}, true)).toEqual(config);
});
