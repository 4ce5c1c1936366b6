// MySQL with one primary and asynchronous replicas keeps Quorum's promises.
import { conformance } from "./conformance.js";
import { LOCAL_STORAGE } from "./stack.js";
import { mysqlClient, primaryOfRecord } from "./mysql-client.js";

conformance({
    title: "MySQL, asynchronous replication",
    cluster: "my-async",
    config: {
        engine: "mysql",
        replication: "async",
        version: "9.7.4",
        image: "localhost/mysql:9.7",
        storage: LOCAL_STORAGE,
        resources: { cpu: "100m", memory: "1Gi" },
    },
    images: ["mysql"],
    upgradeImage: "localhost/mysql:9.7-r1",
    client: mysqlClient,
    container: "mysql",
    passwordKey: "app-password",
    failsOver: false,
    scale: { out: 5, back: 3, again: 4 },
    leader: primaryOfRecord("my-async"),
});
