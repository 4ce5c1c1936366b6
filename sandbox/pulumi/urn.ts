// A resource's URN: urn:pulumi:STACK::PROJECT::PARENT_TYPE$TYPE::NAME.

export function urnType(urn: string): string {
    return urn.split("::")[2]?.split("$").at(-1) ?? "";
}

export function urnName(urn: string): string {
    return urn.split("::").slice(3).join("::");
}
