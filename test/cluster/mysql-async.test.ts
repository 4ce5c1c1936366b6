// MySQL with one primary and asynchronous replicas keeps Quorum's promises.
import { conformance, LOCAL_STORAGE } from "./conformance.js";
import { mysqlClient } from "./mysql-client.js";

conformance({
    title: "MySQL, asynchronous replication",
    cluster: "shop",
    config: {
        engine: "mysql",
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
    leader: async (namespace) => {
        const record = await namespace.get<{ metadata: { annotations: Record<string, string> } }>(
            "endpointslice",
            "shop-write",
        );
        return record.metadata.annotations["quorum.dev/primary"]!;
    },
});
