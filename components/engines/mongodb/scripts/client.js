// Run by mongosh: connects `db` to the application's database. The password is in a file, never an argument.
const { QUORUM_CLUSTER, QUORUM_NAMESPACE, QUORUM_CLUSTER_DOMAIN, QUORUM_DATABASE } = process.env;
const secret = require("fs").readFileSync("/quorum/credentials/app-password", "utf8").trim();
const password = encodeURIComponent(secret);
const service = `${QUORUM_CLUSTER}.${QUORUM_NAMESPACE}.svc.${QUORUM_CLUSTER_DOMAIN}:27017`;
db = connect(
    `mongodb://${QUORUM_DATABASE}:${password}@${service}/${QUORUM_DATABASE}` +
        `?replicaSet=${QUORUM_CLUSTER}&authSource=${QUORUM_DATABASE}`,
);
