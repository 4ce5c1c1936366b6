// What an image of the sandbox is made of. A recipe is plain data, so that its hash says whether a
// cached image is still the right one.

import { createHash } from "node:crypto";

/** A root file system from Debian packages, or from files only. */
export interface ImageRecipe {
    /** Short name, also the folder in the cache. */
    readonly name: string;
    /** Everything that comes out: full image names, each with what makes it differ. */
    readonly tags: readonly ImageTag[];
    readonly root: DebianRoot | FilesRoot;
    /** Measured on two cores. */
    readonly usually: string;
}

export interface ImageTag {
    /** For example `localhost/mysql:9.7`. */
    readonly reference: string;
    /** The image's own configuration: user, entry point, environment, labels. */
    readonly config: ImageConfig;
}

/** The part of the OCI image configuration that we use, with its field names. */
export interface ImageConfig {
    readonly User?: string;
    readonly Env?: readonly string[];
    readonly Entrypoint?: readonly string[];
    readonly Cmd?: readonly string[];
    readonly WorkingDir?: string;
    readonly Labels?: Readonly<Record<string, string>>;
}

export interface DebianRoot {
    readonly kind: "debian";
    readonly suite: string;
    readonly packages: readonly string[];
    /** Shell lines run outside, before the packages are set up; `$1` is the root. */
    readonly before: readonly string[];
    /** Shell lines run outside, after the packages are set up; `$1` is the root. */
    readonly after: readonly string[];
}

export interface FilesRoot {
    readonly kind: "files";
    /** Path in the image -> file of this machine. */
    readonly files: Readonly<Record<string, string>>;
    /** Programs of this machine, copied with the libraries they load. */
    readonly programs: readonly string[];
    readonly folders: readonly string[];
    /** Path in the image -> what it points at. */
    readonly links: Readonly<Record<string, string>>;
}

/** Counted up when the way of building changes while recipes stay. */
const BUILDER_VERSION = 2;

/** Changes whenever the image would. */
export function hashOf(recipe: ImageRecipe): string {
    const text = JSON.stringify([BUILDER_VERSION, { ...recipe, usually: "" }]);
    return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/**
 * Two tags of the same content: `TAG` and `TAG-r1`. They differ by a label, so that they are two
 * images to Kubernetes and moving from one to the other is a real rolling update.
 */
export function withRebuild(reference: string, config: ImageConfig): ImageTag[] {
    const revision = (number: string) => ({
        ...config,
        Labels: { ...config.Labels, "org.opencontainers.image.revision": number },
    });
    return [
        { reference, config: revision("0") },
        { reference: `${reference}-r1`, config: revision("1") },
    ];
}
