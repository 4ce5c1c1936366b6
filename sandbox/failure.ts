// An error that is meant for the person at the keyboard: one clear sentence, no stack.

/** Printed as it is by the command line; everything else is printed with its stack. */
export class SandboxError extends Error {
    override readonly name = "SandboxError";
}

/** The text of whatever was thrown. */
export function messageOf(thrown: unknown): string {
    return thrown instanceof Error ? thrown.message : String(thrown);
}
