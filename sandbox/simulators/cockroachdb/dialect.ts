// In what the two databases of the family differ, as far as the orchestration depends on it.

/** One database of the family. The rules' sources stand in docs/simulators.md. */
export interface Dialect {
    /** `cockroach` or `kwbase`. */
    readonly program: string;
    readonly title: string;
    /** Version of the simulated binary, from the image's tag. */
    readonly version: string;
    /** `crdb_internal` or `kwdb_internal`. */
    readonly internal: string;
    /** Whether `node status` has a column membership, and decommissioning has pre-checks and `--dry-run`. */
    readonly isModern: boolean;
    /** Whether one node joins at a time, among healthy nodes only, without DDL meanwhile; and nodes are marked UPGRADING. */
    readonly joinsSerially: boolean;
    /**
     * Whether a session must ask for the internals with `allow_unsafe_internals`: `on`, the variable is off by default;
     * `off`, it is there and on; `unknown`, there is no such variable. Left out: the internals are open, without one.
     */
    readonly gate?: "on" | "off" | "unknown";
    /** What `SHOW CLUSTER SETTING version` prints, where it is not the active series. */
    readonly clusterVersion?: string;
    /** Whether there is something at `/`. */
    readonly hasConsole: boolean;
    /** How an empty text is printed. */
    readonly empty: string;
    /** Flags of `start` beside those of the family. */
    readonly startFlags: Readonly<Record<string, "string" | "boolean">>;
    readonly requiredFlags: readonly string[];
    /** Settings that exist, with their defaults. */
    readonly settings: Readonly<Record<string, string>>;
    /** Release series of a version: `26.2` of `26.2.2`. */
    readonly series: (version: string) => string;
    /** Why data of one series cannot be opened by a binary of another. */
    readonly upgradeRefusal: (from: string, to: string) => string | undefined;
}

const twoNumbers = (version: string): string => version.split(".").slice(0, 2).join(".");

/** 26.2, 25.4: regular releases, which may not be skipped; odd ones are innovations, which may. The last two are to come. */
const REGULAR = (series: string): boolean => Number(series.split(".")[1]) % 2 === 0;
const SERIES = ["24.3", "25.1", "25.2", "25.3", "25.4", "26.1", "26.2", "26.3", "26.4"];

/** The variable is new in 25.4 (release notes of v25.4.0-alpha.1), and off since 26.1. */
const gateOf = (series: string): "on" | "off" | "unknown" =>
    SERIES.indexOf(series) < SERIES.indexOf("25.4")
        ? "unknown"
        : SERIES.indexOf(series) < SERIES.indexOf("26.1")
          ? "off"
          : "on";

export const cockroach = (version: string): Dialect => ({
    program: "cockroach",
    title: "CockroachDB",
    version,
    internal: "crdb_internal",
    isModern: true,
    joinsSerially: false,
    gate: gateOf(twoNumbers(version)),
    hasConsole: true,
    empty: "",
    startFlags: { logtostderr: "string" },
    requiredFlags: [],
    settings: {
        "cluster.auto_upgrade.enabled": "true",
        "cluster.organization": "",
        "enterprise.license": "",
        "server.shutdown.initial_wait": "0s",
        "server.time_until_store_dead": "5m0s",
    },
    series: twoNumbers,
    upgradeRefusal: (from, to) => {
        const [old, wanted] = [SERIES.indexOf(from), SERIES.indexOf(to)];
        if (wanted < old) {
            return `cockroach version v${to} is incompatible with data in store: store last used with cockroach version v${from}`;
        }
        const skipped = SERIES.slice(old + 1, wanted).find(REGULAR);
        return skipped
            ? `cockroach version v${to} is too new for data of v${from}: upgrade to v${skipped} first`
            : undefined;
    },
});

export const kwbase = (version: string): Dialect => ({
    program: "kwbase",
    title: "KaiwuDB",
    version,
    internal: "kwdb_internal",
    isModern: false,
    joinsSerially: true,
    // The same in every 3.x (pkg/clusterversion).
    clusterVersion: "20.1-3",
    hasConsole: false,
    // A fork of the csv writer, which quotes an empty field (pkg/util/encoding/csv/writer.go).
    empty: '""',
    startFlags: {
        "brpc-addr": "string",
        "buffer-pool-size": "string",
        "upgrade-complete": "boolean",
    },
    requiredFlags: ["brpc-addr"],
    settings: {
        "cluster.preserve_downgrade_option": "",
        "server.shutdown.drain_wait": "0s",
        "server.time_until_store_dead": "30m0s",
        "ts.raft_log.sync_period": "10s",
    },
    series: twoNumbers,
    upgradeRefusal: (from, to) => {
        const [[oldMajor, oldMinor], [major, minor]] = [from, to].map((each) =>
            each.split(".").map(Number),
        ) as [[number, number], [number, number]];
        if (major !== oldMajor) return `kwbase ${to} cannot open a store of ${from}`;
        return minor < oldMinor
            ? `kwbase ${to} cannot open a store last used with ${from}`
            : undefined;
    },
});
