// The workload's client for MongoDB: the vendor's own driver, with real replica set discovery. It finds the members by
// the names that the set's configuration has, which the cluster's DNS knows.
import { MongoClient, type Collection } from "mongodb";
import { Resolver } from "node:dns";
import type { LookupFunction } from "node:net";
import { DNS_ADDRESS } from "../../sandbox/index.js";
import { Namespace } from "./kubernetes.js";
import type { EngineClient, Session } from "./workload.js";

/** A write that takes longer than this counts as failed, in milliseconds. */
const TIMEOUT = 2000;
const PORT = 27017;

interface Row {
    readonly id: number;
}

/** Like dns.lookup, but asks a cluster's name server. */
function lookupAt(server: string): LookupFunction {
    const resolver = new Resolver({ timeout: TIMEOUT, tries: 1 });
    resolver.setServers([server]);
    return (host, options, callback) => {
        resolver.resolve4(host, (error, addresses) => {
            if (error) {
                callback(error, "", 4);
            } else if (options.all) {
                callback(
                    null,
                    addresses.map((address) => ({ address, family: 4 })),
                );
            } else {
                callback(null, addresses[0]!, 4);
            }
        });
    };
}

/** A replica set, and who knows its members' names. */
interface ReplicaSet {
    readonly replicaSet: string;
    readonly lookup: LookupFunction;
}

/** `set`: finds the primary, whichever member answers; without it: this one server. */
async function open(host: string, password: string, set?: ReplicaSet): Promise<MongoClient> {
    const client = new MongoClient(`mongodb://app:${password}@${host}:${PORT}/app`, {
        authSource: "app",
        ...(set ?? { directConnection: true }),
        serverSelectionTimeoutMS: TIMEOUT,
        connectTimeoutMS: TIMEOUT,
        socketTimeoutMS: TIMEOUT,
        heartbeatFrequencyMS: 1000,
        // A retry would hide what happened.
        retryWrites: false,
        retryReads: false,
    });
    try {
        return await client.connect();
    } catch (error) {
        await client.close();
        throw error;
    }
}

const rowsOf = (client: MongoClient): Collection<Row> => client.db("app").collection<Row>("writes");

/** Connects as the application's user: to the set through a Service, to one member by its own address. */
export function mongodbClient(cluster: string): (password: string) => EngineClient {
    const namespace = new Namespace(cluster);
    const set = { replicaSet: cluster, lookup: lookupAt(DNS_ADDRESS) };
    const services = [cluster, `${cluster}-read`];
    // Asked once a host: a client that is refused comes back at once.
    const isService = new Map<string, Promise<boolean>>();
    const asksService = (host: string): Promise<boolean> => {
        const known =
            isService.get(host) ??
            Promise.all(services.map((name) => namespace.serviceIp(name))).then((addresses) =>
                addresses.includes(host),
            );
        isService.set(host, known);
        return known;
    };
    return (password) => clientOf(password, set, asksService);
}

/** The same over several Kubernetes clusters: names are asked of this one, and members have these addresses. */
export function wideMongodbClient(
    cluster: string,
    password: string,
    dns: string,
    members: readonly string[],
): EngineClient {
    const set = { replicaSet: cluster, lookup: lookupAt(dns) };
    return clientOf(password, set, (host) => Promise.resolve(!members.includes(host)));
}

function clientOf(
    password: string,
    set: ReplicaSet,
    asksService: (host: string) => Promise<boolean>,
): EngineClient {
    return {
        connect: async (host): Promise<Session> => {
            const client = await open(host, password, (await asksService(host)) ? set : undefined);
            const rows = rowsOf(client);
            return {
                write: async (id) => {
                    await rows.insertOne({ id });
                },
                read: async () => {
                    await rows.estimatedDocumentCount();
                },
                ids: async () => (await rows.find().toArray()).map(({ id }) => id),
                close: () => client.close(),
            };
        },
        prepare: async (host) => {
            const client = await open(host, password, set);
            await rowsOf(client).estimatedDocumentCount();
            await client.close();
        },
    };
}

/** The member that a member's own client is told leads. */
export async function leaderOf(namespace: Namespace): Promise<string> {
    for (const [name, pod] of await namespace.members()) {
        if (pod.status.podIP === undefined) continue;
        const client = new MongoClient(`mongodb://${pod.status.podIP}:${PORT}`, {
            directConnection: true,
            serverSelectionTimeoutMS: TIMEOUT,
        });
        const hello = await client
            .db("admin")
            .command({ hello: 1 })
            .catch(() => undefined)
            .finally(() => client.close());
        if (hello?.["isWritablePrimary"] === true) return name;
    }
    return "nobody";
}
