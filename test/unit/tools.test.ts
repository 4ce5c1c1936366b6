// The tools that a pod lays for its scripts (engines/shared/lay-tools.sh), laid here from this machine's own programs, and
// how the scripts ask with them. That another image's C library does not matter is shown on real pods in test/cluster.
import { execa } from "execa";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PATHS } from "../../components/engines/engine.js";

const ROOT = path.resolve(import.meta.dirname, "../../components");
const LAY = path.join(ROOT, "engines/shared/lay-tools.sh");
const RECORD = path.join(ROOT, "engines/shared/record.sh");

const work = mkdtempSync(path.join(tmpdir(), "quorum-tools-"));
const tools = path.join(work, "tools");
afterAll(() => rmSync(work, { recursive: true }));

/** Lays the tools of a machine whose programs are found in PATH. */
const lay = (folder: string, PATH?: string) =>
    execa("/bin/sh", [LAY], {
        env: { QUORUM_TOOLS: folder, ...(PATH !== undefined && { PATH }) },
        reject: false,
    });

/** Runs a tool as a container does whose image has nothing in PATH and brings libraries of its own. */
const tool = (name: string, ...args: string[]) =>
    execa(path.join(tools, name), args, {
        env: { PATH: "", LD_LIBRARY_PATH: "/nowhere", OPENSSL_CONF: "/nowhere" },
        extendEnv: false,
        cwd: work,
    });

describe("the tools that are laid", () => {
    beforeAll(async () => {
        expect((await lay(tools)).stderr).toBe("");
        // A container that is started again lays them again.
        expect((await lay(tools)).exitCode).toBe(0);
    });

    test("are curl and openssl, each with its own loader and libraries", async () => {
        expect((await tool("curl", "--version")).stdout).toContain("https");
        expect((await tool("openssl", "version")).stdout).toMatch(/^OpenSSL /);
        for (const name of ["curl", "openssl"]) {
            expect(readFileSync(path.join(tools, name), "utf8")).toMatch(
                new RegExp(`exec '${tools}/lib/ld-.*' --library-path '${tools}/lib'`),
            );
        }
    });

    test("make an authority, keys and certificates, as the scripts ask for them", async () => {
        await tool(
            "openssl",
            "genpkey",
            "-algorithm",
            "EC",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-out",
            "ca.key",
        );
        await tool(
            "openssl",
            ...[
                "req",
                "-x509",
                "-new",
                "-key",
                "ca.key",
                "-days",
                "2",
                "-subj",
                "/O=quorum/CN=orders",
            ],
            ...["-addext", "keyUsage=critical,keyCertSign,cRLSign", "-out", "ca.crt"],
        );
        const { stdout } = await tool("openssl", "x509", "-in", "ca.crt", "-noout", "-text");
        expect(stdout).toContain("CA:TRUE");
        expect(stdout).toContain("Certificate Sign, CRL Sign");
        expect(
            (await tool("openssl", "x509", "-in", "ca.crt", "-noout", "-checkend", "60")).stdout,
        ).toBe("Certificate will not expire");
        await tool("openssl", "verify", "-CAfile", "ca.crt", "ca.crt");
        await tool(
            "openssl",
            ...[
                "req",
                "-x509",
                "-nodes",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
            ],
            ...["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
            ...["-keyout", "server.key", "-out", "server.crt"],
        );
    });

    test("speak TLS, and trust nobody but who is named", async () => {
        const { createServer: createTlsServer } = await import("node:https");
        const file = (name: string) => readFileSync(path.join(work, name));
        const server = createTlsServer(
            { key: file("server.key"), cert: file("server.crt") },
            (_, response) => response.end("hello"),
        );
        await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
        const { port } = server.address() as AddressInfo;
        const url = `https://127.0.0.1:${port}/`;
        try {
            expect((await tool("curl", "--silent", "--cacert", "server.crt", url)).stdout).toBe(
                "hello",
            );
            await expect(tool("curl", "--silent", "--cacert", "ca.crt", url)).rejects.toThrow();
            const said = await execa(
                path.join(tools, "openssl"),
                [
                    "s_client",
                    "-connect",
                    `127.0.0.1:${port}`,
                    "-CAfile",
                    "server.crt",
                    "-verify_return_error",
                ],
                { env: { PATH: "" }, extendEnv: false, cwd: work, input: "" },
            );
            expect(said.stdout).toContain("Verify return code: 0 (ok)");
        } finally {
            server.close();
        }
    });
});

describe("an image that lacks a program", () => {
    const programs = ["curl", "openssl", "ldd"];

    test.each(programs)("%s is refused with a sentence that names the key", async (missing) => {
        const bin = mkdtempSync(path.join(work, "bin-"));
        for (const name of programs.filter((each) => each !== missing)) {
            writeFileSync(path.join(bin, name), "#!/bin/sh\n");
            chmodSync(path.join(bin, name), 0o755);
        }
        const { exitCode, stderr } = await lay(path.join(work, "none"), bin);
        expect(exitCode).toBe(1);
        expect(stderr).toBe(
            `REFUSED: the image of quorum:toolsImage has no ${missing}. Name one that has curl, openssl and ldd.`,
        );
    });
});

describe("record.sh asks the API server", () => {
    /** Runs steps after record.sh, against a server that answers everything with one answer. */
    async function ask(status: number, answer: string, steps: string) {
        const asked: { method: string; headers: string; body: string }[] = [];
        const server = createServer((request, response) => {
            let body = "";
            request.on("data", (part: Buffer) => (body += part.toString()));
            request.on("end", () => {
                asked.push({
                    method: request.method!,
                    headers: JSON.stringify(request.headers),
                    body,
                });
                response.writeHead(status).end(answer);
            });
        });
        await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
        const { port } = server.address() as AddressInfo;
        // As old as an image's may be: it knows none of the options that came with 7.76. Says how it was called.
        const stub = mkdtempSync(path.join(work, "stub-"));
        const seen = path.join(stub, "arguments");
        writeFileSync(
            path.join(stub, "curl"),
            `#!/bin/bash\n[[ "$*" != *--fail-with-body* ]] || exit 2\necho "$*" >>${seen}\nexec curl "$@"\n`,
            { mode: 0o755 },
        );
        const script = `set -euo pipefail\nsource ${RECORD}\nurl=http://127.0.0.1:${port}/x\n${steps}`;
        const { exitCode, stdout, stderr } = await execa("bash", ["-c", script], {
            env: { QUORUM_NAMESPACE: "n", QUORUM_RECORD: "r", QUORUM_TOOLS: stub },
            reject: false,
        });
        server.close();
        return { exitCode, stdout, stderr, asked, arguments: readFileSync(seen, "utf8") };
    }

    test("an answer is printed", async () => {
        const result = await ask(200, '{"kind":"Secret"}', 'kube GET "$url"');
        expect(result).toMatchObject({ exitCode: 0, stdout: '{"kind":"Secret"}' });
        expect(result.asked).toEqual([expect.objectContaining({ method: "GET", body: "" })]);
    });

    test("a refusal fails, keeps the answer, and says the API server's own message", async () => {
        const answer = '{"kind":"Status","message":"configmaps \\"x\\" not found","code":404}';
        const result = await ask(404, answer, 'kube GET "$url"');
        expect(result).toMatchObject({ exitCode: 1, stdout: answer });
        expect(result.stderr).toMatch(/HTTP 404 from .*\/x configmaps \\"x\\" not found$/m);
    });

    test("what is written is no argument, for other processes see those", async () => {
        const result = await ask(
            200,
            "{}",
            `kube PATCH "$url" '{"data":{"ca.key":"cHJpdmF0ZQ=="}}'`,
        );
        expect(result.asked).toEqual([
            expect.objectContaining({
                method: "PATCH",
                body: '{"data":{"ca.key":"cHJpdmF0ZQ=="}}',
            }),
        ]);
        expect(result.asked[0]!.headers).toContain("application/merge-patch+json");
        expect(result.arguments).not.toContain("cHJpdmF0ZQ==");
    });
});

describe("no script needs what a vendor's image may lack", () => {
    const scripts = readdirSync(ROOT, { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(".sh") && !file.endsWith("lay-tools.sh"))
        .sort();

    test.each(scripts)(
        "%s calls curl and openssl by $TOOLS, and no option of newer ones",
        (file) => {
            const commands = readFileSync(path.join(ROOT, file), "utf8")
                .split("\n")
                .filter((line) => !/^\s*#/.test(line));
            const bare = commands.filter((line) =>
                /\b(curl|openssl|wget)\b/.test(line.replaceAll(/"\$TOOLS\/(curl|openssl)"/g, "")),
            );
            expect(bare).toEqual([]);
            expect(commands.filter((line) => line.includes("--fail-with-body"))).toEqual([]);
        },
    );

    test("the directory is the one that is mounted", () => {
        expect(readFileSync(RECORD, "utf8")).toContain(`:-${PATHS.tools}}`);
        expect(readFileSync(LAY, "utf8")).toContain(`:-${PATHS.tools}}`);
    });
});
