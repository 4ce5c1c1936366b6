// Uniform resource names: `urn:pulumi:STACK::PROJECT::PARENT-TYPES$TYPE::NAME`.

export const ROOT_STACK_TYPE = "pulumi:pulumi:Stack";

/** Where a stack's URNs live. */
export interface StackIdentity {
    stack: string;
    project: string;
}

/** What a program may say of a resource's former identity; what is left out is as it is now. */
export interface AliasSpec {
    urn?: string;
    name?: string;
    type?: string;
    stack?: string;
    project?: string;
    parent?: string;
    noParent?: boolean;
}

export function createUrn(at: StackIdentity, parent: string, type: string, name: string): string {
    const parentType = parent === "" ? "" : qualifiedTypeOf(parent);
    const qualified =
        parentType === "" || parentType === ROOT_STACK_TYPE ? type : `${parentType}$${type}`;
    return `urn:pulumi:${at.stack}::${at.project}::${qualified}::${name}`;
}

function partsOf(urn: string): [qualifiedType: string, name: string] {
    const [, , qualified, ...name] = urn.split("::");
    if (!urn.startsWith("urn:pulumi:") || qualified === undefined || name.length === 0) {
        throw new Error(`not a URN: ${urn}`);
    }
    return [qualified, name.join("::")];
}

export function qualifiedTypeOf(urn: string): string {
    return partsOf(urn)[0];
}

export function typeOf(urn: string): string {
    return qualifiedTypeOf(urn).split("$").at(-1)!;
}

export function nameOf(urn: string): string {
    return partsOf(urn)[1];
}

/** The URN that an alias means. `formerParent` tells where a parent was before it moved itself. */
export function urnOfAlias(
    alias: AliasSpec,
    now: { at: StackIdentity; parent: string; type: string; name: string },
    formerParent: (urn: string) => string | undefined,
): string {
    if (alias.urn !== undefined && alias.urn !== "") {
        return alias.urn;
    }
    const at = {
        stack: alias.stack !== undefined && alias.stack !== "" ? alias.stack : now.at.stack,
        project:
            alias.project !== undefined && alias.project !== "" ? alias.project : now.at.project,
    };
    let parent = now.parent;
    if (alias.noParent === true) {
        parent = "";
    } else if (alias.parent !== undefined && alias.parent !== "") {
        parent = formerParent(alias.parent) ?? alias.parent;
    }
    const type = alias.type !== undefined && alias.type !== "" ? alias.type : now.type;
    const name = alias.name !== undefined && alias.name !== "" ? alias.name : now.name;
    return createUrn(at, parent, type, name);
}

/**
 * The former URN of a child whose parent has moved. A child named after its parent (`orders-data` below
 * `orders`) is taken to have been named after the parent's former name.
 */
export function urnBelowFormerParent(
    at: StackIdentity,
    child: { type: string; name: string },
    parentName: string,
    formerParent: string,
): string {
    const name = child.name.startsWith(parentName)
        ? nameOf(formerParent) + child.name.slice(parentName.length)
        : child.name;
    return createUrn(at, formerParent, child.type, name);
}
