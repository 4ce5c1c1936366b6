// CockroachDB's orchestration keeps Quorum's promises, on its simulator. It proves nothing about the database itself.
import { conformance } from "./conformance.js";
import { LOCAL_STORAGE } from "./stack.js";
import { simulatorSqlClient } from "./simulator-client.js";

conformance({
    title: "CockroachDB (simulator)",
    simulator: true,
    cluster: "roach",
    config: {
        engine: "cockroachdb",
        version: "26.2.2",
        image: "localhost/cockroachdb-simulator:26.2.2",
        storage: LOCAL_STORAGE,
        resources: { cpu: "50m", memory: "512Mi" },
    },
    images: ["cockroachdb"],
    upgradeImage: "localhost/cockroachdb-simulator:26.2.2-r1",
    client: (password) => simulatorSqlClient(26257, password),
    container: "cockroach",
    passwordKey: "app-password",
    failsOver: true,
    scale: { out: 4, back: 3, again: 5 },
});
