// What an image of the sandbox is made of. A recipe is plain data, so that its hash says whether a
// cached image is still the right one.

import { createHash } from "node:crypto";

/** A root file system from Debian packages, from files only, or a TypeScript program on Debian packages. */
export interface ImageRecipe {
    /** Short name, also the folder in the cache. */
    readonly name: string;
    /** Everything that comes out: full image names, each with what makes it differ. */
    readonly tags: readonly ImageTag[];
    readonly root: DebianRoot | FilesRoot | ProgramRoot;
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

/** A layer of our own on a Debian root that several images share; only this layer is made anew when the program changes. */
export interface ProgramRoot {
    readonly kind: "program";
    readonly base: DebianRoot;
    /** TypeScript file that is bundled with all it imports, by esbuild. */
    readonly entry: string;
    /** Hash over its sources: another one is another image. */
    readonly sources: string;
    /** Path of the bundle in the image. */
    readonly bundle: string;
    /** Path in the image -> file of this machine, for example a binary. */
    readonly files: Readonly<Record<string, string>>;
    /** Path in the image -> text of a script. */
    readonly scripts: Readonly<Record<string, string>>;
}

/** Counted up when the way of building changes while recipes stay. */
const BUILDER_VERSION = 2;

/** Changes whenever the image would. */
export function hashOf(recipe: ImageRecipe): string {
    return hashOfData({ ...recipe, usually: "" });
}

/** Of a whole recipe, or of the root that several share. */
export function hashOfData(data: object): string {
    const text = JSON.stringify([BUILDER_VERSION, data]);
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
