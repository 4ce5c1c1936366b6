// The image from which pods take curl and openssl, in the place of quorum:toolsImage's default. It is of another Debian
// release than the databases' images: their C libraries differ, as they do outside of the sandbox.

import { SLIM } from "./debian.js";
import type { ImageRecipe } from "./recipe.js";

export const TOOLS_IMAGE = "localhost/tools:bookworm";

export const tools: ImageRecipe = {
    name: "tools",
    tags: [
        {
            reference: TOOLS_IMAGE,
            config: {
                Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
                Cmd: ["bash"],
            },
        },
    ],
    root: {
        kind: "debian",
        suite: "bookworm",
        packages: ["curl", "openssl"],
        before: [],
        after: [
            ...SLIM,
            'rm -rf "$1"/usr/bin/perl* "$1"/usr/lib/*/perl-base "$1"/usr/share/perl5 "$1"/usr/share/zoneinfo',
        ],
    },
    usually: "40 s",
};
