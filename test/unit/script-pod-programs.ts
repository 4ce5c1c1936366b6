// The programs that a job's scripts call, answered from one object. What they print was printed by the real ones: psql
// 15.18 against PostgreSQL 15.18; MySQL's error 1064 is ER_PARSE_ERROR of its error reference, "... near '%s' at line %d";
// Patroni's answers have the fields of its REST API's documents (GET /cluster, GET /patroni).

/** What a member's Patroni says. */
export interface PatroniMember {
    readonly role: "leader" | "replica";
    readonly state: string;
    readonly lag?: number | string;
    readonly identity: string;
}

/** What the programs answer from, and what they note. */
export interface World {
    /** The cluster record. */
    annotations: Record<string, string>;
    address?: string;
    version?: number;
    /** By name; `null` when nobody answers there. */
    members?: Record<string, PatroniMember | null>;
    /** Roles and databases that are there: "role app", "database app". */
    names?: readonly string[];
    /** How many times a question for these is refused before one is let in. */
    refusedConnections?: number;
    /** A statement with this text is a syntax error from there on. */
    syntaxErrorAt?: string;
    readonly statements: string[];
    readonly requests: { method: string; url: URL; config: string }[];
}

interface Answer {
    readonly code: number;
    readonly out?: string;
    readonly error?: string;
}

export function answer(
    world: World,
    program: string,
    args: readonly string[],
    input: string,
    config: string,
): Answer {
    switch (program) {
        case "curl":
            return curl(world, args, input, config);
        case "getent":
            return { code: 0, out: `${args.at(-1)!.split(".")[0]!} STREAM\n` };
        default:
            return sql(world, program, args, input);
    }
}

/** As with `--write-out '\n%{http_code}'`: the status ends what is printed. */
function curl(world: World, args: readonly string[], input: string, config: string): Answer {
    const option = (name: string): string | undefined =>
        args.includes(name) ? args[args.indexOf(name) + 1] : undefined;
    const url = new URL(args.at(-1)!);
    const method = option("--request")!;
    world.requests.push({ method, url, config });
    if (url.pathname.includes("/endpointslices/")) {
        return record(world, option("--data-binary") === "@-" ? input : undefined);
    }
    if (url.port === "8008") {
        return patroni(world, url.hostname.split(".")[0]!, url.pathname, option("--data"));
    }
    return httpError(404);
}

const http = (status: number, body: string): Answer => ({ code: 0, out: `${body}\n${status}` });
const httpError = (code: number): Answer => http(code, `{"kind":"Status","code":${code}}`);

interface RecordPatch {
    readonly metadata: {
        readonly resourceVersion: string;
        readonly annotations: Record<string, string | null>;
    };
    readonly endpoints?: readonly { readonly addresses: readonly string[] }[];
}

/** The API server keeps the record, and refuses a change of an older version. */
function record(world: World, body?: string): Answer {
    world.version ??= 1;
    if (body !== undefined) {
        const { metadata, endpoints } = JSON.parse(body) as RecordPatch;
        if (metadata.resourceVersion !== `${world.version}`) return httpError(409);
        const merged = Object.entries({ ...world.annotations, ...metadata.annotations });
        world.annotations = Object.fromEntries(
            merged.filter((entry): entry is [string, string] => entry[1] !== null),
        );
        if (endpoints) world.address = endpoints[0]?.addresses[0] ?? "";
        world.version += 1;
    }
    const { annotations, address } = world;
    const endpoints = address ? [{ addresses: [address] }] : [];
    const metadata = { resourceVersion: `${world.version}`, annotations };
    return http(200, JSON.stringify({ metadata, endpoints }));
}

function patroni(world: World, name: string, path: string, body?: string): Answer {
    const members = world.members ?? {};
    const self = members[name];
    if (!self) {
        const error = `curl: (7) Failed to connect to ${name} port 8008: Connection refused\n`;
        return { code: 7, error };
    }
    const json = (value: object): Answer => http(200, JSON.stringify(value));
    switch (path) {
        case "/cluster":
            return json({
                members: Object.entries(members).flatMap(([each, said]) =>
                    said
                        ? [
                              {
                                  name: `${each}-0`,
                                  role: said.role,
                                  state: said.state,
                                  ...(said.role === "replica" && { lag: said.lag ?? 0 }),
                              },
                          ]
                        : [],
                ),
            });
        case "/patroni":
            return json({ database_system_identifier: self.identity });
        case "/switchover": {
            const { leader, candidate } = JSON.parse(body!) as Record<string, string>;
            const { identity } = self;
            const member = (pod: string): string => pod.replace(/-0$/, "");
            members[member(leader!)] = { role: "replica", state: "streaming", identity };
            members[member(candidate!)] = { role: "leader", state: "running", identity };
            // The new leader's lead.sh puts its address there.
            world.address = member(candidate!);
            return http(200, "Successfully switched over");
        }
        default:
            return json({});
    }
}

function sql(world: World, program: string, args: readonly string[], text: string): Answer {
    const asked = [...text.matchAll(/(rol|dat)name = '(\w+)'/g)].map(
        ([, kind, name]) => `${kind === "rol" ? "role" : "database"} ${name!}`,
    );
    if (asked.length > 0 && (world.refusedConnections ?? 0) > 0) {
        world.refusedConnections! -= 1;
        return {
            code: 2,
            error:
                'psql: error: connection to server at "orders" (10.0.0.1), port 5432 failed: FATAL:  ' +
                "remaining connection slots are reserved for non-replication superuser connections\n",
        };
    }
    world.statements.push(text);
    const at = world.syntaxErrorAt === undefined ? -1 : text.indexOf(world.syntaxErrorAt);
    if (at >= 0) return syntaxError(program, args, text, at);
    if (asked.length > 0) {
        return {
            code: 0,
            out: `${asked.map((name) => (world.names?.includes(name) ? 1 : 0)).join(" ")}\n`,
        };
    }
    return { code: 0, out: text.startsWith("SELECT 1") ? "1\n" : "0\n" };
}

function syntaxError(program: string, args: readonly string[], text: string, at: number): Answer {
    if (program === "mysql") {
        const error =
            "ERROR 1064 (42000) at line 3: You have an error in your SQL syntax; check the manual that corresponds to " +
            `your MySQL server version for the right syntax to use near '${text.slice(at, at + 80)}' at line 1\n`;
        return { code: 1, error };
    }
    const [token] = /^\S+/.exec(text.slice(at))!;
    const line = text.slice(text.lastIndexOf("\n", at) + 1).split("\n")[0]!;
    const error = `ERROR:  syntax error at or near "${token}"`;
    return {
        code: 3,
        error: args.includes("--set=VERBOSITY=terse")
            ? `${error} at character ${at + 1}\n`
            : `${error}\nLINE 1: ${line}\n        ^\n`,
    };
}
