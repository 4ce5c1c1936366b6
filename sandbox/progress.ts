// Progress for the person at the keyboard: one line a step, with the time it took.

import { Listr, PRESET_TIMER } from "listr2";

/** One step; `report` shows what it is busy with. */
export interface ProgressStep {
    readonly title: string;
    readonly work: (report: (line: string) => void) => Promise<void>;
}

/** Runs the steps one after another; the first that throws ends it. */
export async function runSteps(steps: readonly ProgressStep[]): Promise<void> {
    const list = new Listr(
        steps.map(({ title, work }) => ({
            title,
            task: async (_: unknown, task: { output: string }) => {
                await work((line) => {
                    task.output = line;
                });
            },
        })),
        {
            renderer: "default",
            registerSignalListeners: false,
            // Where lines cannot be overwritten, each is printed once.
            fallbackRenderer: "verbose",
            rendererOptions: {
                timer: PRESET_TIMER,
                collapseErrors: false,
                // The command line prints the error, once and as a sentence.
                showErrorMessage: false,
            },
            fallbackRendererOptions: { timer: PRESET_TIMER, logTitleChange: false },
        },
    );
    process.on("SIGINT", interrupted);
    try {
        await list.run();
    } finally {
        process.off("SIGINT", interrupted);
    }
}

/** What a shell reports for a program that ended by Ctrl-C. */
const INTERRUPTED = 130;
const SHOW_CURSOR = "\u001B[?25h";

/** Every step is safe to cut off: what is half done is found and finished, or begun again. */
function interrupted(): void {
    if (process.stdout.isTTY) process.stdout.write(SHOW_CURSOR);
    console.error("Interrupted; the same command again goes on from here.");
    process.exit(INTERRUPTED);
}
