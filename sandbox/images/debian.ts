// What the Debian images have in common: a slim root with a user of its own.

import type { DebianRoot } from "./recipe.js";

/** The user id of the official mysql and postgres images, so that manifests fit both. */
export const DATABASE_USER_ID = 999;

export const SLIM = [
    'rm -rf "$1"/usr/share/{doc,man,info,locale,lintian,bug,i18n,zoneinfo/right,zoneinfo/posix}',
    'rm -rf "$1"/var/lib/apt "$1"/var/cache/* "$1"/var/log/*',
    'rm -rf "$1"/var/lib/dpkg/info',
];

/*
 * In the lines below, write "$1"/run, never "$1"/var/run: that is a link to /run, and followed from
 * outside it is this machine's.
 */

/** Names the user before the packages are set up, or they would make it with an id of their own. */
function addUser(name: string, home: string): string {
    const id = DATABASE_USER_ID;
    return (
        `echo ${name}:x:${id}: >> "$1"/etc/group && ` +
        `echo ${name}:x:${id}:${id}::${home}:/bin/bash >> "$1"/etc/passwd`
    );
}

/** Debian sid is where the current major versions of the databases are. */
export function databaseRoot(parts: {
    readonly user: string;
    readonly home: string;
    readonly packages: readonly string[];
    readonly before?: readonly string[];
    readonly after: readonly string[];
}): DebianRoot {
    return {
        kind: "debian",
        suite: "sid",
        packages: parts.packages,
        before: [addUser(parts.user, parts.home), ...(parts.before ?? [])],
        after: [...parts.after, ...SLIM],
    };
}
