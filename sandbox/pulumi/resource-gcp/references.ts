// How Google's resources are named in each other: by name, by id, or by self link.

const SELF_LINK = "https://www.googleapis.com/compute/v1/";

export function selfLinkOf(id: string): string {
    return `${SELF_LINK}${id}`;
}

/** The id in a self link of any version of the API; other texts as they are. */
function withoutHost(reference: string): string {
    return reference.replace(/^https:\/\/(?:www|compute)\.googleapis\.com\/compute\/[^/]+\//, "");
}

/** The last part: the name of what is meant. */
export function nameIn(reference: string): string {
    return reference.slice(reference.lastIndexOf("/") + 1);
}

/** Terraform's CompareSelfLinkOrResourceName: a bare name means what has that name. */
export function isSameReference(one: string, other: string): boolean {
    const [a, b] = [withoutHost(one), withoutHost(other)];
    if (a === b) return true;
    const bare = !a.includes("/") || !b.includes("/");
    return bare && nameIn(a) === nameIn(b);
}

/** An id from a reference; `prefix` completes a bare name: `projects/P/global/networks/`. */
export function idFrom(reference: string, prefix: string): string {
    const id = withoutHost(reference);
    return id.includes("/") ? id : `${prefix}${id}`;
}
