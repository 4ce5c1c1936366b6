// `cert create-ca`, `create-node` and `create-client`: the same files as the real ones, made by openssl.

import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, rmSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { CommandError, commandLine } from "../shared/index.js";

/** The image has it outside of PATH: the vendors' images have none, and no script may count on it. */
const OPENSSL = "/usr/local/lib/openssl";

const FLAGS = {
    "certs-dir": "string",
    "ca-key": "string",
    lifetime: "string",
    overwrite: "boolean",
    "allow-ca-key-reuse": "boolean",
} as const;

const openssl = (...args: string[]): void => {
    execFileSync(OPENSSL, args, { stdio: ["ignore", "ignore", "pipe"] });
};

/** Runs one of the commands below `cert`. */
export function certificate(args: readonly string[]): Promise<void> {
    const line = commandLine(args, FLAGS);
    const [verb, ...names] = line.words;
    const { "certs-dir": directory, "ca-key": caKey } = line.flags;
    if (directory === undefined) throw new CommandError("--certs-dir is needed");
    if (caKey === undefined) throw new CommandError("--ca-key is needed");
    const days = `${Math.floor(Number((line.flags["lifetime"] ?? "43824h").replace("h", "")) / 24)}`;
    const file = (name: string): string => join(directory, name);
    const refuseExisting = (...paths: string[]): void => {
        const there = paths.find((path) => existsSync(path));
        if (there !== undefined && !line.has("overwrite")) {
            throw new CommandError(`${there} exists: not overwritten`);
        }
    };
    const newKey = (path: string): void => {
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path);
        chmodSync(path, 0o600);
    };
    const issue = (name: string, common: string, extensions: readonly string[]): void => {
        const [key, crt, csr, ext] = ["key", "crt", "csr", "ext"].map((end) =>
            file(`${name}.${end}`),
        );
        refuseExisting(key!, crt!);
        newKey(key!);
        openssl("req", "-new", "-key", key!, "-subj", `/O=Cockroach/CN=${common}`, "-out", csr!);
        writeFileSync(ext!, extensions.join("\n"));
        const ca = ["-CA", file("ca.crt"), "-CAkey", caKey, "-CAcreateserial"];
        openssl("x509", "-req", "-in", csr!, ...ca, "-days", days, "-extfile", ext!, "-out", crt!);
        for (const path of [csr!, ext!]) rmSync(path);
    };
    switch (verb) {
        case "create-ca":
            refuseExisting(file("ca.crt"));
            newKey(caKey);
            openssl(
                ...["req", "-x509", "-new", "-key", caKey, "-days", days],
                ...["-subj", "/O=Cockroach/CN=Cockroach CA", "-out", file("ca.crt")],
            );
            break;
        case "create-node": {
            const alternative = names.map((name) => `${isIP(name) ? "IP" : "DNS"}:${name}`);
            issue("node", "node", [
                "extendedKeyUsage=serverAuth,clientAuth",
                `subjectAltName=${alternative.join(",")}`,
            ]);
            break;
        }
        case "create-client":
            issue(`client.${names[0] ?? ""}`, names[0] ?? "", ["extendedKeyUsage=clientAuth"]);
            break;
        default:
            throw new CommandError(`unknown command "cert ${verb ?? ""}"`);
    }
    return Promise.resolve();
}
