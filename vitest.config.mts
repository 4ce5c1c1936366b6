import { defineConfig } from "vitest/config";

/** Files that share the sandbox take turns. */
const ONE_AT_A_TIME = { forks: { singleFork: true } };

/** Tests on simulators of databases whose own images are not to be had where the tests run. */
const SIMULATED = ["cockroachdb", "kaiwudb", "mongodb", "yugabytedb"].map(
    (engine) => `test/cluster/${engine}*.test.ts`,
);

/** The whole lists of real engines beside the one that every run of the tests tells whole: MySQL's group. */
const ENGINES = ["mysql-async", "postgresql", "kine-postgresql"].map(
    (name) => `test/cluster/${name}.test.ts`,
);

/** Faults that last for seconds, several times over; and machines that change under the members. */
const FAULTS = [
    "test/cluster/*-faults.test.ts",
    "test/cluster/killed-update.test.ts",
    "test/cluster/gke-machines.test.ts",
];

/** Over three Kubernetes clusters side by side, which another form of the sandbox has to make room for. */
const SIDE_BY_SIDE = ["test/sandbox/side-by-side.test.ts", "test/cluster/cluster-per-zone.test.ts"];

/** One project a kind of test, so that a quick selection can run alone. */
export default defineConfig({
    test: {
        // Vitest would leave one processor free, which of two is half. It counts for all projects together, and those whose
        // files take turns still do.
        maxWorkers: "100%",
        // A worker ends with its file, and below the least number the next file would not get another.
        minWorkers: "100%",
        projects: [
            {
                test: {
                    name: "unit",
                    include: ["test/unit/**/*.test.ts"],
                    testTimeout: 30_000,
                    // Debian's bash takes an outermost shell whose input is a socket for one of rshd's, and reads bashrc.
                    env: { SHLVL: "1" },
                },
            },
            {
                test: {
                    name: "program",
                    include: ["test/program/**/*.test.ts"],
                    testTimeout: 180_000,
                    hookTimeout: 180_000,
                },
            },
            {
                test: {
                    name: "stand-ins",
                    include: ["test/stand-ins/**/*.test.ts"],
                    testTimeout: 120_000,
                    hookTimeout: 120_000,
                },
            },
            {
                test: {
                    name: "sandbox",
                    include: ["test/sandbox/**/*.test.ts"],
                    exclude: SIDE_BY_SIDE,
                    testTimeout: 300_000,
                    hookTimeout: 600_000,
                    poolOptions: ONE_AT_A_TIME,
                },
            },
            {
                test: {
                    name: "cluster",
                    include: ["test/cluster/**/*.test.ts"],
                    exclude: [...SIMULATED, ...ENGINES, ...FAULTS, ...SIDE_BY_SIDE],
                    testTimeout: 900_000,
                    hookTimeout: 900_000,
                    poolOptions: ONE_AT_A_TIME,
                },
            },
            {
                test: {
                    name: "side-by-side",
                    include: SIDE_BY_SIDE,
                    testTimeout: 900_000,
                    hookTimeout: 900_000,
                    poolOptions: ONE_AT_A_TIME,
                },
            },
            {
                test: {
                    name: "engines",
                    include: ENGINES,
                    testTimeout: 900_000,
                    hookTimeout: 900_000,
                    poolOptions: ONE_AT_A_TIME,
                },
            },
            {
                test: {
                    name: "faults",
                    include: FAULTS,
                    testTimeout: 1_800_000,
                    hookTimeout: 900_000,
                    poolOptions: ONE_AT_A_TIME,
                },
            },
            {
                test: {
                    name: "simulators",
                    include: SIMULATED,
                    testTimeout: 900_000,
                    hookTimeout: 900_000,
                    poolOptions: ONE_AT_A_TIME,
                },
            },
        ],
    },
});
