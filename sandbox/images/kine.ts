// Kine from the binary that the sandbox built.

import { binary, toolVersion } from "../tools.js";
import { withRebuild, type ImageRecipe } from "./recipe.js";

export const kine: ImageRecipe = {
    name: "kine",
    tags: withRebuild(`localhost/kine:${toolVersion("kine")}`, {
        User: "65532:65532",
        Env: ["PATH=/bin"],
        Entrypoint: ["/bin/kine"],
    }),
    root: {
        kind: "files",
        files: { "/bin/kine": binary("kine") },
        programs: ["busybox", "curl"],
        folders: ["/tmp", "/etc", "/proc", "/sys", "/dev", "/var", "/run"],
        // A shell, for probes.
        links: { "/bin/sh": "busybox" },
    },
    usually: "2 s",
};
