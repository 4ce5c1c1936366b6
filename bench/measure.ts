// Two things measured in turn (A B A B) and compared by their medians. These machines are noisy: a figure without its
// counterpart from the same minutes says nothing, so nothing here is ever held against a fixed time.
import { loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { EngineName, Replication } from "./cluster.js";

/** Above this load average of one minute a round is measured again, if there is time for it. */
const BUSY = 6;
/** How long a round waits for other work on the machine to end. */
const PATIENCE_MILLISECONDS = 90_000;
/** At most so many rounds more than asked for. */
const EXTRA_ROUNDS = 2;

/** One of the two things. */
export interface Side {
    readonly name: string;
    /** Does it once and resolves to its duration in milliseconds; what it cleans up is not part of that. */
    readonly measure: () => Promise<number>;
}

interface Round {
    readonly ours: number;
    readonly theirs: number;
    /** Load average over one minute when the round began. */
    readonly load: number;
}

/** What a benchmark is told. */
export interface Run {
    /** The engines of the sections that measure several. */
    readonly engines: readonly EngineName[];
    /** How the MySQL members replicate. */
    readonly replication: Replication;
    /** How often each side is measured. */
    readonly rounds: number;
    /** Takes a busy machine as it is: no round waits, and none is measured in place of a busy one. */
    readonly busy: boolean;
    readonly print: (line: string) => void;
    /** Aborted when the user wants to stop. */
    readonly signal: AbortSignal;
}

/** The middle value; of an even number of values the mean of the two in the middle. */
export function median(values: readonly number[]): number {
    const sorted = [...values].sort((left, right) => left - right);
    const middle = sorted.length / 2;
    return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle) - 1]!) / 2;
}

/** Measures both sides in turn and prints every round, the medians and their ratio. */
export async function compare(run: Run, ours: Side, theirs: Side): Promise<void> {
    const rounds: Round[] = [];
    const isEnough = (): boolean =>
        rounds.filter(({ load }) => run.busy || load <= BUSY).length >= run.rounds ||
        rounds.length >= run.rounds + EXTRA_ROUNDS;
    while (!isEnough()) {
        const load = await quiet(run);
        run.signal.throwIfAborted();
        const first = await ours.measure();
        run.signal.throwIfAborted();
        rounds.push({ ours: first, theirs: await theirs.measure(), load });
        run.print(`round ${rounds.length}: ${describe(rounds.at(-1)!, ours, theirs)}`);
    }
    const used = quietest(rounds, run.rounds);
    const [mine, other] = [
        median(used.map((each) => each.ours)),
        median(used.map((each) => each.theirs)),
    ];
    const ratios = used.map((each) => each.ours / each.theirs);
    run.print(
        `medians of the ${used.length} rounds with the lowest load: ` +
            `${ours.name} ${seconds(mine)}, ${theirs.name} ${seconds(other)}`,
    );
    run.print(
        `RATIO ${(mine / other).toFixed(2)} (single rounds: ${Math.min(...ratios).toFixed(2)} to ` +
            `${Math.max(...ratios).toFixed(2)}; load average ${loads(used)})`,
    );
}

/** Chosen by load, never by result. */
function quietest(rounds: readonly Round[], count: number): Round[] {
    return [...rounds].sort((left, right) => left.load - right.load).slice(0, count);
}

/** Waits a while for the machine to be less busy; resolves to its load. */
async function quiet({ signal, busy }: Run): Promise<number> {
    const end = Date.now() + (busy ? 0 : PATIENCE_MILLISECONDS);
    while (load() > BUSY && Date.now() < end) {
        await sleep(2000, undefined, { signal });
    }
    return load();
}

/** The load average over one minute. */
export const load = (): number => loadavg()[0]!;

/** Milliseconds as seconds; times below a second with a digit more. */
export const seconds = (milliseconds: number): string =>
    `${(milliseconds / 1000).toFixed(milliseconds < 1000 ? 2 : 1)} s`;

const describe = (round: Round, ours: Side, theirs: Side): string =>
    `${ours.name} ${seconds(round.ours)}, ${theirs.name} ${seconds(round.theirs)}, ` +
    `ratio ${(round.ours / round.theirs).toFixed(2)}, load average ${round.load.toFixed(1)}` +
    (round.load > BUSY ? " (busy)" : "");

const loads = (rounds: readonly Round[]): string => {
    const all = rounds.map((each) => each.load);
    return `${Math.min(...all).toFixed(1)} to ${Math.max(...all).toFixed(1)}`;
};
