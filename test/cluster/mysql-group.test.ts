// MySQL group replication keeps Quorum's promises.
import { conformance } from "./conformance.js";
import { LOCAL_STORAGE } from "./stack.js";
import { mysqlClient, primaryOfRecord } from "./mysql-client.js";

conformance({
    title: "MySQL, group replication",
    cluster: "my-group",
    config: {
        engine: "mysql",
        replication: "group",
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
    failsOver: true,
    scale: { out: 5, back: 3, again: 5 },
    leader: primaryOfRecord("my-group"),
});
