// Kine on PostgreSQL. What it shows and does not prove: kine.ts.
import { carriesKine } from "./kine.js";

carriesKine({
    title: "Kine on PostgreSQL",
    cluster: "kinepg",
    port: 7444,
    config: {
        engine: "postgresql",
        version: "18",
        image: "localhost/postgresql:18",
        resources: { cpu: "100m", memory: "512Mi" },
    },
    images: ["postgresql"],
    container: "postgresql",
    leader: async (namespace) => {
        const members = [...(await namespace.members())];
        const [leader] = members.filter(([, pod]) => pod.metadata.labels["role"] === "primary");
        return leader![0];
    },
});
