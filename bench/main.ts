// `make bench`: the figures of docs/benchmarks.md. Each is a ratio of two things measured in turn in one run.
//   make bench                                     all sections
//   make bench ARGS="preview memory --rounds 5"    some of them
//   make bench ARGS="--replication async"          with MySQL's asynchronous replication
//   make bench ARGS="gaps --engine postgresql"     write gaps of one engine
//   make bench ARGS="gaps --rounds 1 --busy"       on a machine that others use too: waits for nothing
import { readFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { preparePulumi } from "../sandbox/index.js";
import { ENGINES, REPLICATIONS, type EngineName, type Replication } from "./cluster.js";
import { forming } from "./forming.js";
import { gaps } from "./gaps.js";
import { load, type Run } from "./measure.js";
import { memory } from "./memory.js";
import { preview } from "./preview.js";
import { openSandbox } from "./sandbox.js";

/** One comparison. */
export interface Section {
    readonly name: string;
    readonly title: string;
    /** What each side of the comparison includes, one line each; printed with the figures. */
    readonly includes: readonly string[];
    /** Measures and prints. What is given to `atEnd` is done also after a failure or Ctrl-C, the last one first. */
    readonly run: (run: Run, atEnd: (undo: () => Promise<unknown>) => void) => Promise<void>;
}

/** In the order in which they run. */
const SECTIONS: readonly Section[] = [preview, forming, memory, gaps];

const DEFAULT_ROUNDS = 3;
/** How long a command may take to end after Ctrl-C. */
const SETTLE_MILLISECONDS = 60_000;

const print = (line: string): void => console.log(line);
const interruption = new AbortController();

interface Wish {
    readonly sections: readonly Section[];
    readonly rounds: number;
    readonly replication: Replication;
    readonly engines: readonly EngineName[];
    readonly busy: boolean;
}

function wanted(): Wish {
    const { positionals, values } = parseArgs({
        allowPositionals: true,
        options: {
            rounds: { type: "string", default: `${DEFAULT_ROUNDS}` },
            replication: { type: "string", default: REPLICATIONS[0] },
            engine: { type: "string" },
            busy: { type: "boolean", default: false },
        },
    });
    const unknown = positionals.filter((name) =>
        SECTIONS.every((section) => section.name !== name),
    );
    const rounds = Number(values.rounds);
    const replication = REPLICATIONS.find((name) => name === values.replication);
    const engines = ENGINES.filter((name) => name === (values.engine ?? name));
    if (
        unknown.length > 0 ||
        engines.length === 0 ||
        replication === undefined ||
        !Number.isInteger(rounds) ||
        rounds < 1
    ) {
        const names = SECTIONS.map(({ name }) => name).join(", ");
        throw new Error(
            `Not understood: ${process.argv.slice(2).join(" ")}. Sections: ${names}; ` +
                `--rounds takes a number from 1 on, --replication one of ${REPLICATIONS.join(", ")}, ` +
                `--engine one of ${ENGINES.join(", ")}.`,
        );
    }
    const isWanted = ({ name }: Section): boolean =>
        positionals.length === 0 || positionals.includes(name);
    return { sections: SECTIONS.filter(isWanted), rounds, replication, engines, busy: values.busy };
}

async function describeMachine({ replication }: Wish): Promise<void> {
    const { standIns } = await preparePulumi();
    print(
        `${new Date().toISOString().slice(0, 10)}: ${cpus().length} cores, ` +
            `${Math.round(totalmem() / 1024 ** 3)} GiB, Node ${process.versions.node}, load average ${load().toFixed(1)}`,
    );
    print(`MySQL replication: ${replication}`);
    print(`Pulumi parts replaced by the sandbox's stand-ins: ${standIns.join(", ") || "none"}`);
}

async function runSection(section: Section, wish: Wish): Promise<void> {
    print(`\n${section.title}`);
    section.includes.forEach((line) => print(`  ${line}`));
    const undo: (() => Promise<unknown>)[] = [];
    const run: Run = {
        rounds: wish.rounds,
        replication: wish.replication,
        engines: wish.engines,
        busy: wish.busy,
        print: (line) => print(`  ${line}`),
        signal: interruption.signal,
    };
    const work = section.run(run, (step) => undo.push(step));
    try {
        await Promise.race([work, interrupted()]);
    } finally {
        // A command that is still under way would bring back what is removed.
        await Promise.race([work.catch(() => undefined), pause(SETTLE_MILLISECONDS)]);
        for (const step of undo.reverse()) {
            await step().catch((error: unknown) => {
                console.error("  could not remove everything:", error);
                process.exitCode = 1;
            });
        }
    }
}

const interrupted = (): Promise<never> =>
    new Promise((_, reject) => {
        const stop = (): void => reject(new Error("interrupted"));
        interruption.signal.addEventListener("abort", stop, { once: true });
        if (interruption.signal.aborted) {
            stop();
        }
    });

const pause = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => void setTimeout(resolve, milliseconds).unref());

/** Ctrl-C reaches the commands under way by itself; other signals reach only this process. */
function interrupt(signal: NodeJS.Signals): void {
    if (interruption.signal.aborted) {
        return;
    }
    print(`\n${signal}: removing what was made`);
    interruption.abort();
    if (signal !== "SIGINT") {
        const own = readFileSync(`/proc/self/task/${process.pid}/children`, "utf8");
        for (const child of own.split(" ").filter(Boolean)) {
            try {
                process.kill(Number(child), "SIGINT");
            } catch {
                // Ended by itself.
            }
        }
    }
}

async function main(): Promise<void> {
    const wish = wanted();
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
        process.on(signal, interrupt);
    }
    // PostgreSQL is measured by one section only.
    const images = wish.sections.includes(gaps) ? wish.engines : [];
    const leave = await openSandbox([...new Set(["mysql", ...images])], print);
    try {
        await describeMachine(wish);
        for (const section of wish.sections) {
            await runSection(section, wish);
        }
    } finally {
        await leave();
    }
}

await main().catch((error: unknown) => {
    console.error(interruption.signal.aborted ? "interrupted" : error);
    process.exit(1);
});
// Sessions of databases and timers that nobody waits for must not hold the process.
process.exit();
