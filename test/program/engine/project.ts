// The program's project file: what the Pulumi CLI reads of Pulumi.yaml before it starts a program.

import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, basename } from "node:path";
import { parse } from "yaml";

export interface Project {
    name: string | undefined;
    /** The folder of Pulumi.yaml. */
    root: string;
    /** Where the program runs, and what it runs there: `main` of Pulumi.yaml, else "." */
    directory: string;
    entryPoint: string;
    typescript: boolean;
    nodeArgs: string[];
    /** Configuration keys that the project declares, with their default where they have one. */
    declared: Map<string, string | undefined>;
}

interface ProjectFile {
    name?: string;
    main?: string;
    runtime?: string | { options?: { typescript?: boolean; nodeargs?: string } };
    config?: Record<string, unknown>;
}

export function readProject(directory: string): Project {
    const path = join(directory, "Pulumi.yaml");
    const file = existsSync(path) ? (parse(readFileSync(path, "utf8")) as ProjectFile) : {};
    const options = typeof file.runtime === "object" ? file.runtime.options : undefined;
    return {
        name: file.name,
        root: directory,
        ...placeOf(directory, file.main),
        typescript: options?.typescript ?? true,
        nodeArgs: options?.nodeargs?.split(/\s+/).filter((arg) => arg !== "") ?? [],
        declared: declaredConfig(file),
    };
}

function placeOf(
    root: string,
    main: string | undefined,
): Pick<Project, "directory" | "entryPoint"> {
    if (main === undefined) {
        return { directory: root, entryPoint: "." };
    }
    const path = join(root, main);
    return statSync(path).isDirectory()
        ? { directory: path, entryPoint: "." }
        : { directory: dirname(path), entryPoint: basename(path) };
}

function declaredConfig(file: ProjectFile): Project["declared"] {
    const declared = new Map<string, string | undefined>();
    for (const [key, declaration] of Object.entries(file.config ?? {})) {
        declared.set(key, textOf(defaultOf(declaration)));
    }
    return declared;
}

function defaultOf(declaration: unknown): unknown {
    if (typeof declaration !== "object" || declaration === null) {
        return declaration;
    }
    const { default: fallback, value } = declaration as { default?: unknown; value?: unknown };
    return value ?? fallback;
}

function textOf(value: unknown): string | undefined {
    if (value === undefined || value === null) {
        return undefined;
    }
    return typeof value === "string" ? value : JSON.stringify(value);
}

/**
 * The stack configuration as the program sees it: keys without a namespace are the project's own, and the
 * project's defaults fill what the stack leaves out.
 */
export function stackConfig(
    project: Project,
    projectName: string,
    given: Readonly<Record<string, string>>,
): Record<string, string> {
    const config: Record<string, string> = {};
    for (const [key, fallback] of project.declared) {
        if (fallback !== undefined) {
            config[fullKeyOf(key, projectName)] = fallback;
        }
    }
    for (const [key, value] of Object.entries(given)) {
        config[fullKeyOf(key, projectName)] = value;
    }
    return config;
}

export function fullKeyOf(key: string, projectName: string): string {
    return key.includes(":") ? key : `${projectName}:${key}`;
}

/** Keys that the project requires of every stack and that this one lacks. */
export function missingConfig(
    project: Project,
    projectName: string,
    config: Readonly<Record<string, string>>,
): string[] {
    return [...project.declared.keys()].filter(
        (key) => config[fullKeyOf(key, projectName)] === undefined,
    );
}
