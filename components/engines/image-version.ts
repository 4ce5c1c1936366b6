// What an image's reference says: its repository, and the version of the engine that is in it.

import type { Engine } from "./engine";

/** The parts of an image's reference, for example `registry.example:5000/mirror/mysql:9.7.1@sha256:...`. */
export interface ImageReference {
    /** Last component of the path: `mysql`. */
    readonly repository: string;
    /** `9.7.1`; left out where the reference has none. */
    readonly tag?: string;
}

const COMPONENT = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const HOST =
    "(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*)";
/** https://github.com/distribution/reference, `ReferenceRegexp`. */
const REFERENCE = new RegExp(
    `^(?<name>(?:(?:${HOST}|\\[[a-fA-F0-9:]+\\])(?::[0-9]{1,5})?/)?(?:${COMPONENT}/)*(?<repository>${COMPONENT}))` +
        `(?::(?<tag>[\\w][\\w.-]{0,127}))?(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$`,
);
/** The same source, `RepositoryNameTotalLengthMax`; a tag has at most 128 characters, a digest is shorter than that. */
const MAX_NAME_LENGTH = 255;
const MAX_LENGTH = 512;

/** Reads an image's reference; `undefined` when it is none. */
export function readImage(image: string): ImageReference | undefined {
    const { name, repository, tag } =
        (image.length <= MAX_LENGTH && REFERENCE.exec(image)?.groups) || {};
    return name === undefined || repository === undefined || name.length > MAX_NAME_LENGTH
        ? undefined
        : { repository, ...(tag !== undefined && { tag }) };
}

/** The last component of an image's path, without registry, tag and digest: `mysql`. Another one is another vendor's. */
export function repositoryOf(image: string): string {
    return readImage(image)?.repository ?? image;
}

/**
 * The number a tag begins with, as the vendors write it: `9.7.1` of `9.7.1-oracle`, `26.3.0-alpha.1` of `v26.3.0-alpha.1`,
 * `2026.1.0.1-b1` of YugabyteDB's builds. A number with more digits is a date or a build, not a version.
 */
const VERSION_OF_TAG = /^v?(\d{1,4}(?:\.\d{1,4})*(?:-(?:alpha|beta|rc|b)\.?\d+)?)(?![0-9a-zA-Z])/;

/** The version of the engine that an image says it has; `undefined` when it says none (`latest`, a digest alone). */
export function versionOfImage(engine: Engine, image: string): string | undefined {
    const reference = readImage(image);
    return reference === undefined
        ? undefined
        : (engine.versionOfRepository?.(reference.repository) ??
              VERSION_OF_TAG.exec(reference.tag ?? "")?.[1]);
}

/** Whether two versions can be the same: their numbers agree as far as both go, like those of `9.7` and `9.7.4`. */
export function versionsAgree(one: string, other: string): boolean {
    const [left, right] = [one, other].map((version) => version.match(/\d+/g)?.map(Number) ?? []);
    return left!.every((number, index) => (right![index] ?? number) === number);
}
