// What @pulumi/gcp declares: the inputs of its resources and functions, read from the package's own declaration files.
// They are parsed and not type-checked: a check of the package takes ten seconds, and parsing the parts that a test asks
// for takes one. The package ships no schema, so these files are all that says what a resource takes.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import ts from "typescript";

const PACKAGE = dirname(createRequire(import.meta.url).resolve("@pulumi/gcp/package.json"));

/** What a value has to be. The package has no unions, so there is none here. */
export type Shape =
    | { kind: "string" | "number" | "boolean" }
    | { kind: "list" | "map"; of: Shape }
    /** One of the package's interfaces for nested objects: `container.ClusterNodeConfig`. */
    | { kind: "object"; name: string };

export interface Property {
    shape: Shape;
    required: boolean;
    /** The values of an enumeration; [] for everything else. */
    values: string[];
}

/** An interface: its properties by name. */
export type Declaration = ReadonlyMap<string, Property>;

/** What a resource takes: the interface `DiskArgs` of `gcp:compute/disk:Disk`. */
export function argumentsOf(type: string): Declaration {
    return declarationFor(type, "Args");
}

/** What a resource has, inputs and outputs: the interface `DiskState`. */
export function stateOf(type: string): Declaration {
    return declarationFor(type, "State");
}

/** What a function takes: `GetSecretVersionArgs` of `gcp:secretmanager/getSecretVersion:getSecretVersion`. */
export function functionArgumentsOf(token: string): Declaration {
    return declarationFor(token, "Args");
}

const files = new Map<string, Interfaces>();

function declarationFor(token: string, suffix: string): Declaration {
    const { file, name } = placeOf(token);
    let interfaces = files.get(file);
    if (interfaces === undefined) {
        const text = readFileSync(file, "utf8");
        interfaces = interfacesOf(parsed(text, file).statements, text);
        files.set(file, interfaces);
    }
    const found = interfaces.get(`${name}${suffix}`);
    if (found === undefined) {
        throw new Error(`${file} declares no interface ${name}${suffix}`);
    }
    return found();
}

/** Where a type or function is declared. Files are named as their token is, but for capital letters (`iAMMember`). */
function placeOf(token: string): { file: string; name: string } {
    if (token === "pulumi:providers:gcp") {
        return { file: join(PACKAGE, "provider.d.ts"), name: "Provider" };
    }
    const [, module, member, name] = /^gcp:(\w+)\/(\w+):(\w+)$/.exec(token) ?? [];
    if (module === undefined || member === undefined || name === undefined) {
        throw new Error(`${token} is no type or function of @pulumi/gcp`);
    }
    const folder = join(PACKAGE, module);
    const wanted = `${member}.d.ts`.toLowerCase();
    const file = existsSync(folder)
        ? readdirSync(folder).find((entry) => entry.toLowerCase() === wanted)
        : undefined;
    if (file === undefined) {
        throw new Error(`@pulumi/gcp has no ${module}/${member}, which would declare ${token}`);
    }
    return { file: join(folder, file), name: `${name[0]!.toUpperCase()}${name.slice(1)}` };
}

type Interfaces = ReadonlyMap<string, () => Declaration>;

function interfacesOf(statements: Iterable<ts.Statement>, text: string): Interfaces {
    const interfaces = new Map<string, () => Declaration>();
    for (const statement of statements) {
        if (ts.isInterfaceDeclaration(statement)) {
            let read: Declaration | undefined;
            interfaces.set(
                statement.name.text,
                () => (read ??= propertiesOf(statement.members, text)),
            );
        }
    }
    return interfaces;
}

function propertiesOf(members: Iterable<ts.TypeElement>, text: string): Declaration {
    const properties = new Map<string, Property>();
    for (const member of members) {
        if (
            ts.isPropertySignature(member) &&
            ts.isIdentifier(member.name) &&
            member.type !== undefined
        ) {
            properties.set(member.name.text, {
                shape: shapeOf(member.type, text),
                required: member.questionToken === undefined,
                values: documentedValues(text.slice(member.pos, member.end)),
            });
        }
    }
    return properties;
}

/**
 * The package has no enumerations. But descriptions list the values of each one in a sentence of its own: the generator of
 * Google's provider writes "Possible values are: `PREMIUM`, `STANDARD`.", and that provider refuses any other value; the
 * hand-written ones of clusters and pools say "Accepted values are `A`, `B`, and `C`." Lists in other forms are often
 * incomplete, and count for nothing here.
 */
function documentedValues(text: string): string[] {
    const comment = text.slice(0, text.lastIndexOf("*/")).replace(/\s*\n\s*\*\s*/g, " ");
    const sentence = /(?:Possible|Accepted) values are:? (`[^`]*`(?:(?:,| and|, and) `[^`]*`)*)\./;
    const [, list] = sentence.exec(comment) ?? [];
    return [...(list ?? "").matchAll(/`([^`]*)`/g)].map(([, value]) => value!);
}

function shapeOf(node: ts.TypeNode, text: string): Shape {
    switch (node.kind) {
        case ts.SyntaxKind.StringKeyword:
            return { kind: "string" };
        case ts.SyntaxKind.NumberKeyword:
            return { kind: "number" };
        case ts.SyntaxKind.BooleanKeyword:
            return { kind: "boolean" };
    }
    if (ts.isArrayTypeNode(node)) {
        return { kind: "list", of: shapeOf(node.elementType, text) };
    }
    if (ts.isUnionTypeNode(node)) {
        // `T | undefined` is T: whether a property may be left out, its question mark says.
        const [only, another] = node.types.filter(
            ({ kind }) => kind !== ts.SyntaxKind.UndefinedKeyword,
        );
        if (only !== undefined && another === undefined) {
            return shapeOf(only, text);
        }
    }
    if (ts.isTypeLiteralNode(node)) {
        const [member] = node.members;
        if (member !== undefined && ts.isIndexSignatureDeclaration(member)) {
            return { kind: "map", of: shapeOf(member.type, text) };
        }
    }
    if (ts.isTypeReferenceNode(node)) {
        return referenceOf(node, text);
    }
    throw unread(node, text);
}

function referenceOf(node: ts.TypeReferenceNode, text: string): Shape {
    const name = text.slice(node.typeName.pos, node.typeName.end).trim();
    if (name === "pulumi.Input") {
        return shapeOf(node.typeArguments![0]!, text);
    }
    if (name.startsWith("inputs.")) {
        return { kind: "object", name: name.slice("inputs.".length) };
    }
    throw unread(node, text);
}

function unread(node: ts.TypeNode, text: string): Error {
    const written = text.slice(node.pos, node.end).trim();
    return new Error(`@pulumi/gcp declares "${written}", which this reader does not know`);
}

/** A nested object's interface, by the name that a {@link Shape} gives. */
export function nestedObject(name: string): Declaration {
    const [module, member] = name.includes(".") ? name.split(".") : ["", name];
    const found = nestedObjects(module!).get(member!);
    if (found === undefined) {
        throw new Error(`@pulumi/gcp declares no inputs.${name}`);
    }
    return found();
}

const nested = new Map<string, Interfaces>();
let nestedText: string | undefined;

/**
 * The interfaces for the nested objects of one module, from the one file that has those of all. Only the module's own
 * namespace is parsed, cut out where it begins and ends at the left edge: the file has six megabytes.
 */
function nestedObjects(module: string): Interfaces {
    const known = nested.get(module);
    if (known !== undefined) {
        return known;
    }
    const file = join(PACKAGE, "types", "input.d.ts");
    nestedText ??= readFileSync(file, "utf8");
    const begin =
        module === "" ? 0 : nestedText.indexOf(`\nexport declare namespace ${module} {`) + 1;
    const end =
        module === ""
            ? nestedText.indexOf("\nexport declare namespace ")
            : nestedText.indexOf("\n}", begin) + 2;
    const text = nestedText.slice(begin, end);
    const { statements } = parsed(text, `${file} (${module})`);
    const [first] = statements;
    const body = module === "" || first === undefined ? undefined : bodyOf(first);
    const interfaces = interfacesOf(body ?? statements, text);
    nested.set(module, interfaces);
    return interfaces;
}

function bodyOf(statement: ts.Statement): Iterable<ts.Statement> | undefined {
    return ts.isModuleDeclaration(statement) &&
        statement.body !== undefined &&
        ts.isModuleBlock(statement.body)
        ? statement.body.statements
        : undefined;
}

function parsed(text: string, name: string): ts.SourceFile {
    return ts.createSourceFile(name, text, {
        languageVersion: ts.ScriptTarget.ESNext,
        // The descriptions are read from the text where they are wanted; parsing them takes longer than all else.
        jsDocParsingMode: ts.JSDocParsingMode.ParseNone,
    });
}
