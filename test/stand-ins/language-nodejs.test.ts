// The stand-in for Pulumi's Node.js language host: programs run through its gRPC service. What is
// not shown here: the whole CLI around it (kubernetes/end-to-end.ts).

import grpc from "@grpc/grpc-js";
import type { GetRequiredPackagesResponse, RunResponse } from "@pulumi/pulumi/proto/language_pb.js";
import {
    existsSync,
    mkdirSync,
    mkdtempSync,
    readFileSync,
    rmSync,
    symlinkSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { programDirectory } from "../../sandbox/places.js";
import { secret, toStruct, type TreeObject } from "../../sandbox/pulumi/property-tree.js";
import { emptyPb, languageGrpc, languagePb } from "../../sandbox/pulumi/protocol.js";
import { nodejsLanguageHost } from "../../sandbox/pulumi/language-nodejs/host.js";
import { parseOptions, splitArguments } from "../../sandbox/pulumi/language-nodejs/options.js";
import { ProgramRunner } from "../../sandbox/pulumi/language-nodejs/program.js";
import { serve, type Serving } from "../../sandbox/pulumi/serve.js";
import { startFakeEngine, type FakeEngine } from "./fake-engine.js";

const runner = new ProgramRunner();
let serving: Serving;
let client: InstanceType<typeof languageGrpc.LanguageRuntimeClient>;
let folder: string;

beforeAll(async () => {
    serving = await serve(nodejsLanguageHost("0.0.0", runner));
    client = new languageGrpc.LanguageRuntimeClient(
        `127.0.0.1:${serving.port}`,
        grpc.credentials.createInsecure(),
    );
    folder = mkdtempSync(join(tmpdir(), "quorum-language-"));
    symlinkSync(join(programDirectory, "node_modules"), join(folder, "node_modules"));
});

afterAll(() => {
    client.close();
    serving.stop();
    rmSync(folder, { recursive: true });
});

interface Ran {
    readonly error: string;
    readonly bail: boolean;
    readonly engine: FakeEngine;
}

let programs = 0;

/** Writes a program; every one has a folder of its own below the one that has node_modules. */
function write(source: string, file = "index.ts"): string {
    const directory = join(folder, `program-${++programs}`);
    mkdirSync(directory);
    writeFileSync(join(directory, file), source);
    writeFileSync(join(directory, "package.json"), "{}");
    writeFileSync(join(directory, "tsconfig.json"), `{"compilerOptions":{"noCheck":true}}`);
    return directory;
}

async function handshake(engine: string): Promise<void> {
    const request = new languagePb.LanguageHandshakeRequest();
    request.setEngineAddress(engine);
    await new Promise<void>((resolve, reject) =>
        client.handshake(request, (error) => (error === null ? resolve() : reject(error))),
    );
}

async function run(
    directory: string,
    options: {
        readonly config?: Readonly<Record<string, string>>;
        readonly secrets?: string[];
        readonly runtime?: TreeObject;
        readonly entry?: string;
        readonly dryRun?: boolean;
    } = {},
): Promise<Ran> {
    const engine = await startFakeEngine();
    await handshake(engine.engine);
    const info = new languagePb.ProgramInfo();
    info.setProgramDirectory(directory);
    info.setRootDirectory(directory);
    info.setEntryPoint(options.entry ?? "index.ts");
    info.setOptions(toStruct(options.runtime ?? {}));
    const request = new languagePb.RunRequest();
    request.setInfo(info);
    request.setMonitorAddress(engine.monitor);
    request.setProject("p");
    request.setStack("s");
    request.setOrganization("o");
    request.setParallel(4);
    request.setDryrun(options.dryRun ?? false);
    request.setConfigsecretkeysList(options.secrets ?? []);
    for (const [key, value] of Object.entries(options.config ?? {})) {
        request.getConfigMap().set(key, value);
    }
    const response = await new Promise<RunResponse>((resolve, reject) =>
        client.run(request, (error, answer) => (error === null ? resolve(answer) : reject(error))),
    );
    engine.stop();
    return { error: response.getError(), bail: response.getBail(), engine };
}

function isAlive(pid: number): boolean {
    try {
        process.kill(pid, 0);
        return true;
    } catch {
        return false;
    }
}

describe("a program", () => {
    it("runs with the project, the stack and its configuration, and exports its outputs", async () => {
        const directory = write(`
            import * as pulumi from "@pulumi/pulumi";
            const config = new pulumi.Config();
            export const project: string = pulumi.getProject() + "/" + pulumi.getStack();
            export const organization = pulumi.getOrganization();
            export const preview = pulumi.runtime.isDryRun();
            export const level = config.requireNumber("level") + 1;
            export const password = config.requireSecret("password");
            export const other = new pulumi.Config("other").require("key");
            export const whereabouts = process.cwd();
        `);
        const ran = await run(directory, {
            config: { "p:level": "41", "p:config:password": "hunter2", "other:key": "value" },
            secrets: ["p:config:password"],
            dryRun: true,
        });
        expect(ran.engine.errors).toEqual([]);
        expect(ran).toMatchObject({ error: "", bail: false });
        expect(ran.engine.outputs()).toEqual({
            project: "p/s",
            organization: "o",
            preview: true,
            level: 42,
            password: secret("hunter2"),
            other: "value",
            whereabouts: directory,
        });
    });

    it("that throws has told the user itself, so the host only bails", async () => {
        const ran = await run(write(`throw new Error("nothing works today");`));
        expect(ran).toMatchObject({ error: "", bail: true });
        expect(ran.engine.errors.join("\n")).toContain("nothing works today");
    });

    it("that refuses with a RunError shows its sentence and no stack", async () => {
        const ran = await run(
            write(`import * as pulumi from "@pulumi/pulumi";
                   throw new pulumi.RunError("replicas must be odd");`),
        );
        expect(ran).toMatchObject({ error: "", bail: true });
        expect(ran.engine.errors).toEqual(["replicas must be odd"]);
    });

    it("that ends by itself with a code is an error that names the code", async () => {
        const ran = await run(write("process.exit(7);"));
        expect(ran).toMatchObject({
            error: "Program exited with non-zero exit code: 7.",
            bail: false,
        });
    });

    it("gets node's arguments and may be plain JavaScript", async () => {
        const directory = write(
            `exports.heap = process.execArgv; exports.compiled = process.env.PULUMI_NODEJS_TYPESCRIPT ?? "no";`,
            "index.js",
        );
        const ran = await run(directory, {
            entry: "index.js",
            runtime: { typescript: false, nodeargs: "--max-old-space-size=300 --no-warnings" },
        });
        expect(ran.engine.outputs()).toEqual({
            heap: ["--max-old-space-size=300", "--no-warnings"],
            compiled: "no",
        });
    });

    it("is compiled with the tsconfig that the project names", async () => {
        const directory = write(`export const path = process.env.PULUMI_NODEJS_TSCONFIG_PATH;`);
        writeFileSync(
            join(directory, "other.json"),
            `{"compilerOptions":{"noCheck":true,"target":"es2022"}}`,
        );
        const ran = await run(directory, { runtime: { tsconfig: "other.json" } });
        expect(ran.engine.outputs()).toEqual({ path: "other.json" });
    });

    it("is stopped by a cancel, and no process of it is left", async () => {
        const directory = write(`
            require("node:fs").writeFileSync("pid", String(process.pid));
            setInterval(() => undefined, 1000);
        `);
        const file = join(directory, "pid");
        const running = run(directory);
        while (!existsSync(file) || readFileSync(file, "utf8") === "") {
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
        const pid = Number(readFileSync(file, "utf8"));
        expect(isAlive(pid)).toBe(true);
        await new Promise((resolve) => client.cancel(new emptyPb.Empty(), resolve));
        const ran = await running;
        expect(ran.bail).toBe(false);
        expect(ran.error).toMatch(/^Program exited/);
        expect(isAlive(pid)).toBe(false);
    });

    it("without the SDK is told to install it", async () => {
        const elsewhere = mkdtempSync(join(tmpdir(), "quorum-no-sdk-"));
        writeFileSync(join(elsewhere, "index.ts"), "");
        await expect(run(elsewhere)).rejects.toThrow(/@pulumi\/pulumi was not found from/);
        rmSync(elsewhere, { recursive: true });
    });
});

describe("what the CLI asks before", () => {
    it("the plugins of the packages in node_modules, with their versions", async () => {
        const directory = write("");
        const packages: Record<string, unknown> = {
            "@pulumi/one": { pulumi: { resource: true }, name: "@pulumi/one", version: "1.2.3" },
            plain: { name: "plain", version: "9.9.9" },
            "plain/node_modules/@acme/two": {
                pulumi: { resource: true, name: "two", version: "v4.5.6", server: "there" },
                name: "@acme/two",
                version: "0.0.1",
            },
        };
        for (const [path, content] of Object.entries(packages)) {
            const place = join(directory, "node_modules", path);
            mkdirSync(place, { recursive: true });
            writeFileSync(join(place, "package.json"), JSON.stringify(content));
        }
        const info = new languagePb.ProgramInfo();
        info.setProgramDirectory(directory);
        const request = new languagePb.GetRequiredPackagesRequest();
        request.setInfo(info);
        const response = await new Promise<GetRequiredPackagesResponse>((resolve, reject) =>
            client.getRequiredPackages(request, (error, answer) =>
                error === null ? resolve(answer) : reject(error),
            ),
        );
        const found = response
            .getPackagesList()
            .map((item) => [item.getKind(), item.getName(), item.getVersion(), item.getServer()]);
        expect(found.sort()).toEqual([
            ["resource", "one", "v1.2.3", ""],
            ["resource", "two", "v4.5.6", "there"],
        ]);
    });

    it("options of the wrong type are refused by name", () => {
        expect(() => parseOptions({ typescript: "yes" })).toThrow(
            `The runtime option "typescript" in Pulumi.yaml must be a boolean.`,
        );
        expect(parseOptions({})).toEqual({
            typescript: true,
            tsconfig: undefined,
            nodeArguments: [],
        });
    });

    it("node's arguments are split as a shell splits them", () => {
        expect(splitArguments(`--a "b c" --d='e f'  g`)).toEqual(["--a", "b c", "--d=e f", "g"]);
    });
});
