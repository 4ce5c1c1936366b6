// The server's side of SCRAM-SHA-256 (RFC 7677), as drivers log in.

import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from "node:crypto";

/** What the server keeps of a password. */
export interface Credentials {
    readonly salt: string;
    readonly iterations: number;
    readonly storedKey: string;
    readonly serverKey: string;
}

/** A login after the client's first message. */
export interface Login {
    readonly user: string;
    readonly database: string;
    readonly nonce: string;
    /** Both messages so far, as the signatures cover them. */
    readonly messages: string;
    readonly credentials: Credentials;
}

/** The least that drivers accept; the real server's default is 15000, which would cost every test client 10 ms. */
const ITERATIONS = 4096;

const hmac = (key: Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
const hash = (data: Buffer): Buffer => createHash("sha256").update(data).digest();

export function credentialsOf(password: string): Credentials {
    const salt = randomBytes(28);
    const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, "sha256");
    return {
        salt: salt.toString("base64"),
        iterations: ITERATIONS,
        storedKey: hash(hmac(salted, "Client Key")).toString("base64"),
        serverKey: hmac(salted, "Server Key").toString("base64"),
    };
}

/** `n=user,r=nonce` of the client's first message. */
export function firstMessage(payload: string): { user: string; nonce: string; bare: string } {
    const bare = payload.replace(/^n,,/, "");
    const [, user = "", nonce = ""] = /^n=([^,]*),r=(.*)$/.exec(bare) ?? [];
    return { user: user.replaceAll("=2C", ",").replaceAll("=3D", "="), nonce, bare };
}

/** The server's first message, and what must be kept for the second. */
export function begin(
    payload: string,
    database: string,
    credentials: Credentials,
): { login: Login; answer: string } {
    const { user, nonce, bare } = firstMessage(payload);
    const both = nonce + randomBytes(18).toString("base64");
    const answer = `r=${both},s=${credentials.salt},i=${credentials.iterations}`;
    return {
        login: { user, database, nonce: both, messages: `${bare},${answer}`, credentials },
        answer,
    };
}

/** The server's last message; `undefined` when the password is wrong. */
export function finish(payload: string, login: Login): string | undefined {
    const [, without, nonce, proof] = /^(c=biws,r=(.*)),p=(.*)$/.exec(payload) ?? [];
    if (without === undefined || nonce !== login.nonce) return undefined;
    const message = `${login.messages},${without}`;
    const storedKey = Buffer.from(login.credentials.storedKey, "base64");
    const signature = hmac(storedKey, message);
    const given = Buffer.from(proof ?? "", "base64");
    if (given.length !== signature.length) return undefined;
    const clientKey = Buffer.from(given.map((byte, index) => byte ^ signature[index]!));
    if (!timingSafeEqual(hash(clientKey), storedKey)) return undefined;
    const serverKey = Buffer.from(login.credentials.serverKey, "base64");
    return `v=${hmac(serverKey, message).toString("base64")}`;
}
