// MongoDB's orchestration keeps Quorum's promises, on its contract simulator. It does not prove anything about MongoDB.
import { conformance } from "./conformance.js";
import { mongodb } from "./subjects.js";

conformance(mongodb);
