// Which provider plugins a program needs: those named by the packages in its node_modules.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

interface PackageJson {
    readonly name?: string;
    readonly version?: string;
    readonly dependencies?: Readonly<Record<string, string>>;
    readonly devDependencies?: Readonly<Record<string, string>>;
    readonly pulumi?: {
        readonly resource?: boolean;
        readonly name?: string;
        readonly version?: string;
        readonly server?: string;
    };
}

export interface NamedVersion {
    readonly name: string;
    readonly version: string;
}

export interface RequiredPlugin extends NamedVersion {
    readonly server: string;
}

function readJson(file: string): PackageJson | undefined {
    try {
        return JSON.parse(readFileSync(file, "utf8")) as PackageJson;
    } catch {
        // No such package, or not one that anybody could use.
        return undefined;
    }
}

function foldersIn(directory: string): string[] {
    try {
        return readdirSync(directory, { withFileTypes: true })
            .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
            .map((entry) => join(directory, entry.name));
    } catch {
        return [];
    }
}

/** The folders of all packages below node_modules, also those that packages keep for themselves. */
function packageFolders(modules: string): string[] {
    return foldersIn(modules)
        .filter((folder) => !folder.endsWith("/.bin"))
        .flatMap((folder) => (folder.startsWith(join(modules, "@")) ? foldersIn(folder) : [folder]))
        .flatMap((folder) => [folder, ...packageFolders(join(folder, "node_modules"))]);
}

export function requiredPlugins(programDirectory: string): RequiredPlugin[] {
    return packageFolders(join(programDirectory, "node_modules")).flatMap((folder) => {
        const found = readJson(join(folder, "package.json"));
        if (found?.pulumi?.resource !== true) return [];
        const name = found.pulumi.name ?? found.name?.replace(/^@pulumi\//, "");
        const version = found.pulumi.version ?? found.version;
        if (name === undefined || version === undefined) return [];
        return [
            { name, version: `v${version.replace(/^v/, "")}`, server: found.pulumi.server ?? "" },
        ];
    });
}

/** What the program's package.json asks for, with the versions that are installed. */
export function programDependencies(programDirectory: string): NamedVersion[] {
    const program = readJson(join(programDirectory, "package.json"));
    return Object.entries({ ...program?.dependencies, ...program?.devDependencies }).map(
        ([name, wanted]) => ({
            name,
            version:
                readJson(join(programDirectory, "node_modules", name, "package.json"))?.version ??
                wanted,
        }),
    );
}
