// The simulated MongoDB: `mongod` and `mongosh`. It is not MongoDB, and says so.

import { isMainThread } from "node:worker_threads";
import { CommandError, run } from "../shared/index.js";
import { driverThread } from "./client-thread.js";
import { mongod } from "./mongod.js";
import { mongosh } from "./mongosh.js";

if (isMainThread) {
    await run(async ([program, ...args]) => {
        if (program === "mongod") return mongod(args);
        if (program === "mongosh") return mongosh(args);
        throw new CommandError(`there is no program ${program ?? ""} here`);
    });
} else {
    driverThread();
}
