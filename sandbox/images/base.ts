// The two images that every sandbox has, from busybox and curl: the pause image, which holds a
// pod's namespaces, and a small shell for probes and tests.

import type { ImageRecipe } from "./recipe.js";

const PATH = "PATH=/bin";

/** As the first process of a pod it must end on SIGTERM and reap what other containers leave. */
const HOLD = "trap 'exit 0' TERM INT; while :; do sleep 86400 & wait $!; done";

const APPLETS =
    "sh ls cat echo sleep nc httpd hostname ip ps kill env date dd mkdir rm mv cp ln touch chmod chown sync stat du df id seq sort head tail grep sed awk cut tr wc tee true false test find timeout nslookup ping printf xargs sha256sum md5sum mktemp uname".split(
        " ",
    );

export const PAUSE_IMAGE = "localhost/pause:1";
export const BUSYBOX_IMAGE = "localhost/busybox:1";

export const base: ImageRecipe = {
    name: "base",
    tags: [
        {
            reference: PAUSE_IMAGE,
            config: { Env: [PATH], Entrypoint: ["/bin/sh", "-c", HOLD], User: "65535:65535" },
        },
        { reference: BUSYBOX_IMAGE, config: { Env: [PATH], Cmd: ["/bin/sh"] } },
    ],
    root: {
        kind: "files",
        files: {},
        // curl, because the wget of a statically linked busybox cannot look up names.
        programs: ["busybox", "curl"],
        folders: ["/tmp", "/etc", "/proc", "/sys", "/dev", "/var", "/run", "/home", "/www"],
        links: Object.fromEntries(APPLETS.map((name) => [`/bin/${name}`, "busybox"])),
    },
    usually: "1 s",
};
