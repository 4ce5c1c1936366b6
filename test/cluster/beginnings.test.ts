// The beginning of the list for each engine and way of replication whose whole list takes too long for every run of the
// tests, so that every run sees them come up. The whole lists: `make test ARGS="engines simulators"`.
import { conformance } from "./conformance.js";
import { cockroachdb, kaiwudb, mongodb, mysqlAsync, postgresql, yugabytedb } from "./subjects.js";

for (const subject of [mysqlAsync, postgresql, cockroachdb, kaiwudb, mongodb, yugabytedb]) {
    conformance(subject, "beginning");
}
