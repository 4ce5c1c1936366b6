// CockroachDB's orchestration keeps Quorum's promises, on its simulator. It proves nothing about the database itself.
import { conformance } from "./conformance.js";
import { cockroachdb } from "./subjects.js";

conformance(cockroachdb);
