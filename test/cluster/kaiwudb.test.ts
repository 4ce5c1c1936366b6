// KaiwuDB's orchestration keeps Quorum's promises, on its simulator. It proves nothing about the database itself.
import { conformance } from "./conformance.js";
import { kaiwudb } from "./subjects.js";

conformance(kaiwudb);
