// MySQL group replication keeps Quorum's promises.
import { conformance } from "./conformance.js";
import { mysqlGroup } from "./subjects.js";

conformance(mysqlGroup);
