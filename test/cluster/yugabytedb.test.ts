// YugabyteDB's orchestration keeps Quorum's promises, on a simulator: it shows the order of steps, the commands and the
// refusals on real Kubernetes, and nothing about YugabyteDB itself.
import { conformance } from "./conformance.js";
import { yugabytedb } from "./subjects.js";

conformance(yugabytedb);
