// Raw Patroni: a StatefulSet of three pods that run it, with ConfigMaps as its store and a Service that selects the pod
// which Patroni labels as primary, as Patroni's own documents describe it. The clock, the durability, pg_rewind, slots,
// failsafe mode and TLS are those of Quorum's members, so that the difference is what stands around Patroni.
import { randomBytes } from "node:crypto";
import { kubectl } from "../sandbox/index.js";
import { eventually, isReady, Namespace } from "../test/cluster/kubernetes.js";
import { postgresqlClient } from "../test/cluster/postgresql-client.js";
import { MEMBERS } from "./cluster.js";
import type { Contender } from "./gaps.js";
import { apply, deleteRawPod, inPod, killRawPod, LABELS, RAW, rawObjects, rawPods } from "./raw.js";

const IMAGE = "localhost/postgresql:18";
/** How Patroni finds its pods: the label that holds its scope. */
const SCOPE = { "cluster-name": RAW };
const WRITE = `${RAW}-write`;
const READ = `${RAW}-read`;
const PRIVATE = "/run/bench";

function configuration(password: string): string {
    const tls = { certfile: `${PRIVATE}/tls.crt`, keyfile: `${PRIVATE}/tls.key` };
    const account = (username: string) => ({ username, password });
    return JSON.stringify({
        scope: RAW,
        kubernetes: { namespace: RAW, labels: LABELS, scope_label: "cluster-name" },
        restapi: { listen: "0.0.0.0:8008" },
        bootstrap: {
            dcs: {
                ttl: 20,
                loop_wait: 3,
                retry_timeout: 8,
                primary_start_timeout: 30,
                failsafe_mode: true,
                synchronous_mode: "quorum",
                synchronous_node_count: 1,
                postgresql: { use_pg_rewind: true, use_slots: true },
            },
            initdb: ["data-checksums", { encoding: "UTF8" }, { locale: "C.UTF-8" }],
        },
        postgresql: {
            listen: "0.0.0.0:5432",
            data_dir: "/data/pgdata",
            pgpass: `${PRIVATE}/pgpass`,
            bin_dir: "/usr/lib/postgresql/18/bin",
            authentication: {
                superuser: account("postgres"),
                replication: account("replication"),
                rewind: account("rewind"),
            },
            pg_hba: [
                "local all all trust",
                "hostssl replication replication all scram-sha-256",
                "hostssl all all all scram-sha-256",
            ],
            parameters: {
                unix_socket_directories: "/tmp",
                ssl: "on",
                ssl_cert_file: tls.certfile,
                ssl_key_file: tls.keyfile,
                wal_sender_timeout: "20s",
                wal_receiver_timeout: "20s",
            },
        },
    });
}

const RUN = `
umask 077
openssl req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 3650 -subj "/CN=$POD" \\
  -keyout ${PRIVATE}/tls.key -out ${PRIVATE}/tls.crt 2>/dev/null
export PATRONI_NAME=$POD PATRONI_KUBERNETES_POD_IP=$POD_IP
export PATRONI_RESTAPI_CONNECT_ADDRESS=$POD_IP:8008 PATRONI_POSTGRESQL_CONNECT_ADDRESS=$POD_IP:5432
exec patroni /bench/patroni.yml
`;

const CONFIG_MAP_VERBS = ["create", "get", "list", "patch", "update", "watch", "delete"];

function access(): object[] {
    const metadata = { name: RAW, namespace: RAW };
    const group = "rbac.authorization.k8s.io";
    return [
        { apiVersion: "v1", kind: "ServiceAccount", metadata },
        {
            apiVersion: `${group}/v1`,
            kind: "Role",
            metadata,
            rules: [
                { apiGroups: [""], resources: ["configmaps"], verbs: CONFIG_MAP_VERBS },
                {
                    apiGroups: [""],
                    resources: ["pods"],
                    verbs: ["get", "list", "patch", "update", "watch"],
                },
            ],
        },
        {
            apiVersion: `${group}/v1`,
            kind: "RoleBinding",
            metadata,
            roleRef: { apiGroup: group, kind: "Role", name: RAW },
            subjects: [{ kind: "ServiceAccount", name: RAW, namespace: RAW }],
        },
    ];
}

const service = (name: string, selector: object): object => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: RAW },
    spec: { selector: { ...LABELS, ...selector }, ports: [{ port: 5432 }] },
});

/** Starts it; resolves when the replicas stream. */
export async function rawPatroni(): Promise<Contender> {
    const password = randomBytes(16).toString("hex");
    const objects = rawObjects({
        image: IMAGE,
        labels: SCOPE,
        serviceAccount: RAW,
        files: { "patroni.yml": configuration(password) },
        run: RUN,
        readiness: { httpGet: { path: "/readiness", port: 8008 }, periodSeconds: 2 },
        scratch: [PRIVATE, "/tmp"],
    });
    const [namespace, ...rest] = objects;
    await apply([
        namespace!,
        ...access(),
        service(WRITE, { role: "primary" }),
        service(READ, {}),
        ...rest,
    ]);
    const healthy = (): Promise<void> => eventually("raw Patroni to stream", 300, isHealthy);
    await healthy();
    const client = postgresqlClient(password, "postgres", "postgres");
    const services = new Namespace(RAW);
    const hosts = {
        write: await services.serviceIp(WRITE),
        read: await services.serviceIp(READ),
    };
    await client.prepare(hosts.write);
    return {
        name: "raw Patroni",
        client: () => Promise.resolve(client),
        hosts: () => Promise.resolve(hosts),
        leadersNode: async () => (await leader()).spec.nodeName,
        moveLeadership,
        deleteLeadersPod: async () => deleteRawPod((await leader()).metadata.name),
        killLeader: async () => killRawPod((await leader()).metadata.name),
        healthy,
    };
}

async function leader() {
    const [pod] = await rawPods(`app=${RAW},role=primary`);
    return pod!;
}

async function moveLeadership(): Promise<void> {
    const primary = (await leader()).metadata.name;
    const candidate = (await rawPods()).find(({ metadata }) => metadata.name !== primary)!;
    const request = JSON.stringify({ leader: primary, candidate: candidate.metadata.name });
    const answer = await inPod(
        primary,
        `curl --silent --request POST --data '${request}' http://127.0.0.1:8008/switchover`,
    );
    if (!answer.includes("Successfully switched over")) {
        throw new Error(`raw Patroni: ${answer}`);
    }
}

/** As Patroni itself sees it: one leader, the others stream, and one of them is part of the quorum. */
async function isHealthy(): Promise<boolean> {
    const pods = await rawPods();
    if (pods.length !== MEMBERS || !pods.every(isReady)) {
        return false;
    }
    const view = await kubectl([
        ...["exec", "--namespace", RAW, pods[0]!.metadata.name, "--"],
        ...["curl", "--silent", "http://127.0.0.1:8008/cluster"],
    ]);
    const { members } = JSON.parse(view) as { members: { role: string; state: string }[] };
    const count = (isSo: (member: { role: string; state: string }) => boolean): number =>
        members.filter(isSo).length;
    return (
        members.length === MEMBERS &&
        count(({ role, state }) => role === "leader" && state === "running") === 1 &&
        count(({ state }) => state === "streaming") === MEMBERS - 1 &&
        count(({ role }) => role === "quorum_standby") >= 1
    );
}
