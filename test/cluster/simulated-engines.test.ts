// The beginning of the list for each engine that runs on a simulator, so that every run of the tests sees them come up. The
// whole list, and what their jobs refuse, takes an hour: `make test ARGS=simulators`.
import { conformance } from "./conformance.js";
import { cockroachdb, kaiwudb, mongodb, yugabytedb } from "./subjects.js";

for (const subject of [cockroachdb, kaiwudb, mongodb, yugabytedb]) {
    conformance(subject, "beginning");
}
