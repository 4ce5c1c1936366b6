// MongoDB's orchestration keeps Quorum's promises, on its contract simulator. It does not prove anything about MongoDB.
import { conformance } from "./conformance.js";
import { LOCAL_STORAGE } from "./stack.js";
import { Namespace } from "./kubernetes.js";
import { leaderOf, mongodbClient } from "./mongodb-client.js";

const CLUSTER = "mongo";
const namespace = new Namespace(CLUSTER);

conformance({
    title: "MongoDB (simulator)",
    simulator: true,
    cluster: CLUSTER,
    config: {
        engine: "mongodb",
        version: "8.0.26",
        image: "localhost/mongodb-simulator:8.0.26",
        storage: LOCAL_STORAGE,
        resources: { cpu: "50m", memory: "1Gi" },
    },
    images: ["mongodb"],
    upgradeImage: "localhost/mongodb-simulator:8.0.26-r1",
    client: mongodbClient(CLUSTER, () =>
        Promise.all([namespace.serviceIp(CLUSTER), namespace.serviceIp(`${CLUSTER}-read`)]),
    ),
    container: "mongodb",
    passwordKey: "app-password",
    failsOver: true,
    scale: { out: 5, back: 3, again: 5 },
    leader: leaderOf,
});
