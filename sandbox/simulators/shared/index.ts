// What all simulated databases share. A simulator answers the real database's commands by the real rules, so that the
// orchestration of Quorum runs on real Kubernetes; it is not the database, and says so in every log and version.
//
// An engine's simulator is a folder beside this one, with a main.ts:
//
//     import { run } from "../shared/index.js";
//     await run(async ([command, ...args]) => { ... });      // see command.ts: "ERROR: message" and exit code 1
//
// and an image (sandbox/images/<engine>.ts, made by `simulatorImage`, registered in sandbox/images/index.ts), whose
// `commands` are the paths of the real programs, each with the first arguments of main.ts. SIMULATED_VERSION in the
// environment is the version that the image's tag names.
//
// A server keeps everything that the real one replicates in a `Store` (store.ts): a real etcd on the member's disk.
//
//     if (Store.exists(options)) store = await Store.open(options);          // started again: its etcd knows the group
//     else                       wait for the real database's way in:
//       form it:                 store = await Store.form(options, clusterId);
//       join it:                 const grant = await ask<Grant>(member, "/join", { name, host, port }); // over there:
//                                store = await Store.join(options, grant);                            // store.admit()
//     await store.settle((id) => ask(member, "/promote", { id }));                                    // store.promote()
//
// admit() makes a learner, which has no vote; settle() returns when it votes. expel() removes a member for good.
// Requests without a quorum end with NoQuorumError; a removed member's etcd ends, and `ended` is called.
// Who leads is in status().leader, for databases with one primary; moveLeader() hands over.
//
// What belongs to this member alone (its identity) is JSON on its disk (identity.ts). The ports of the real database
// speak HTTP with JSON (server.ts), with TLS when certificates are given; that of its peers lets the store's traffic in too
// (peer-port.ts). rows.ts has the few SQL statements of tests.

export { CommandError, commandLine, log, run, standardInput, type CommandLine } from "./command.js";
export { atomicJson, readJson } from "./identity.js";
export { http, listen, otherwise, toStore } from "./peer-port.js";
export { done, rowsOf, runStatement, type Table } from "./rows.js";
export {
    ask,
    Refusal,
    serve,
    serverOf,
    UnreachableError,
    type Call,
    type Certificates,
    type Destination,
    type Routes,
} from "./server.js";
export {
    NoQuorumError,
    Store,
    StoreError,
    type Entry,
    type Grant,
    type StoreMember,
    type StoreOptions,
} from "./store.js";
