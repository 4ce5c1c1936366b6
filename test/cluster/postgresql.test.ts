// PostgreSQL with Patroni keeps Quorum's promises.
import { conformance } from "./conformance.js";
import { postgresql } from "./subjects.js";

conformance(postgresql);
