// YugabyteDB's orchestration keeps Quorum's promises, on a simulator: it shows the order of steps, the commands and the
// refusals on real Kubernetes, and nothing about YugabyteDB itself.
import { conformance } from "./conformance.js";
import { LOCAL_STORAGE } from "./stack.js";
import { yugabytedbClient } from "./yugabytedb-client.js";

conformance({
    title: "YugabyteDB (simulator)",
    cluster: "yuga",
    config: {
        engine: "yugabytedb",
        image: "localhost/yugabytedb-simulator:2026.1.0.1-b1",
        storage: LOCAL_STORAGE,
        resources: { cpu: "50m", memory: "1Gi" },
    },
    images: ["yugabytedb"],
    upgradeImage: "localhost/yugabytedb-simulator:2026.1.0.1-b1-r1",
    client: yugabytedbClient("yuga"),
    container: "yugabytedb",
    passwordKey: "app-password",
    failsOver: true,
    scale: { out: 5, back: 3, again: 5 },
});
