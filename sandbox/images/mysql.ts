// MySQL 9.7 from Debian: the server, its plugins and the plain client; no router, no shell.

import { DATABASE_USER_ID, databaseRoot } from "./debian.js";
import { withRebuild, type ImageRecipe } from "./recipe.js";

/** Each carries a copy of the client library: 100 MB that no member runs. */
const UNUSED_PROGRAMS = [
    "ibd2sdi",
    "innochecksum",
    "my_print_defaults",
    "myisam*",
    "mysql_config_editor",
    "mysql_migrate_keyring",
    "mysql_secure_installation",
    "mysql_tzinfo_to_sql",
    "mysqlcheck",
    "mysqlimport",
    "mysqlshow",
    "mysqlslap",
    "perror",
];

export const mysql: ImageRecipe = {
    name: "mysql",
    tags: withRebuild("localhost/mysql:9.7", {
        User: `${DATABASE_USER_ID}:${DATABASE_USER_ID}`,
        Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"],
        Cmd: ["mysqld"],
    }),
    root: databaseRoot({
        user: "mysql",
        home: "/var/lib/mysql",
        packages: ["mysql-server-core", "mysql-client-core"],
        after: [
            // Debian's defaults would be read before ours.
            'rm -rf "$1"/etc/mysql "$1"/usr/share/mysql-test',
            `rm -f ${UNUSED_PROGRAMS.map((name) => `"$1"/usr/bin/${name}`).join(" ")}`,
            // Needed by scripts of the packages that are of no use in a container.
            'rm -rf "$1"/usr/share/perl "$1"/usr/lib/*/perl "$1"/usr/lib/*/libperl.so*',
            'install -d -o 999 -g 999 "$1"/var/lib/mysql "$1"/run/mysqld',
        ],
    }),
    usually: "1 min",
};
