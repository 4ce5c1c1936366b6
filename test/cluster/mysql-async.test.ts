// MySQL with one primary and asynchronous replicas keeps Quorum's promises.
import { conformance } from "./conformance.js";
import { mysqlAsync } from "./subjects.js";

conformance(mysqlAsync);
