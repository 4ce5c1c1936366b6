// PostgreSQL with Patroni keeps Quorum's promises.
import { conformance } from "./conformance.js";
import { LOCAL_STORAGE } from "./stack.js";
import { leadsAlone, postgresqlClient, primaryByLabel } from "./postgresql-client.js";

conformance({
    title: "PostgreSQL, Patroni, quorum commit",
    cluster: "pgsql",
    config: {
        engine: "postgresql",
        image: "localhost/postgresql:18",
        storage: LOCAL_STORAGE,
        resources: { cpu: "100m", memory: "512Mi" },
    },
    images: ["postgresql"],
    upgradeImage: "localhost/postgresql:18-r1",
    client: postgresqlClient,
    container: "postgresql",
    passwordKey: "app-password",
    failsOver: true,
    scale: { out: 5, back: 3, again: 5 },
    leader: primaryByLabel,
    leadsAlone,
});
