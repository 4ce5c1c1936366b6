// PostgreSQL 18 with Patroni, from Debian.

import { DATABASE_USER_ID, databaseRoot } from "./debian.js";
import { withRebuild, type ImageRecipe } from "./recipe.js";

export const postgresql: ImageRecipe = {
    name: "postgresql",
    tags: withRebuild("localhost/postgresql:18", {
        User: `${DATABASE_USER_ID}:${DATABASE_USER_ID}`,
        Env: [
            "PATH=/usr/lib/postgresql/18/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG=C.UTF-8",
        ],
        Cmd: ["patroni"],
    }),
    root: databaseRoot({
        user: "postgres",
        home: "/var/lib/postgresql",
        // curl is for the raw Patroni of `make bench`; Quorum's own scripts bring theirs.
        packages: ["postgresql-18", "postgresql-client-18", "patroni", "curl"],
        before: [
            // Debian would make and keep a database cluster of its own inside the image.
            'mkdir -p "$1"/etc/postgresql-common && echo create_main_cluster=false > "$1"/etc/postgresql-common/createcluster.conf',
        ],
        after: ['install -d -o 999 -g 999 "$1"/var/lib/postgresql "$1"/run/postgresql'],
    }),
    usually: "90 s",
};
