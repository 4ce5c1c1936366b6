// Kine on MySQL's group. What it shows and does not prove: kine.ts.
import { carriesKine } from "./kine.js";
import { primaryOfRecord } from "./mysql-client.js";

carriesKine({
    title: "Kine on MySQL, group replication",
    cluster: "kinemy",
    port: 7445,
    config: {
        engine: "mysql",
        replication: "group",
        version: "9.7.4",
        image: "localhost/mysql:9.7",
        resources: { cpu: "100m", memory: "1Gi" },
    },
    images: ["mysql"],
    container: "mysql",
    leader: primaryOfRecord("kinemy"),
});
