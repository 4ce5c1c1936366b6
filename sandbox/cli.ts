// The command line of the sandbox; `make` is a thin cover over it.

import { Command } from "commander";
import { dirname } from "node:path";
import { removeSandbox, sandboxAnswers, sandboxStatus, stopSandbox } from "./cluster/cluster.js";
import { runningForm, startedSandboxes } from "./cluster/marks.js";
import {
    FIRST,
    kubeconfigOf,
    ON_CLOUD,
    ONE_ZONE_EACH,
    THREE_ON_CLOUD,
    THREE_ZONES,
    type Form,
} from "./cluster/plan.js";
import { zoneDown, zoneNames, zoneUp } from "./cluster/power.js";
import { readyNodes, sandboxKubectl } from "./cluster/readiness.js";
import { SandboxError } from "./failure.js";
import { apiServerOnKine, KINE_API_PORT, kineOutput, stopKineApiServer } from "./kine.js";
import { isSimulator, RECIPES, toolsFor } from "./images/index.js";
import { ensureImages } from "./images.js";
import { ensurePackages, requireRoot } from "./packages.js";
import { cacheDirectory } from "./places.js";
import { recipesFor, sandboxSteps } from "./prepare.js";
import { runSteps, type ProgressStep } from "./progress.js";
import {
    bringUp,
    configuredAddons,
    configuredEngine,
    configuredImage,
    configuredPlatform,
    hasStack,
    openStack,
    openToolbox,
    PLATFORMS,
    runCommandLine,
    runPulumi,
    stackOutputs,
    type Platform,
    type Target,
    type Toolbox,
    type Wishes,
} from "./stack.js";
import { ALL_TOOLS, binary, ensureTools } from "./tools.js";

const program = new Command("sandbox")
    .description("A local Kubernetes for trying Quorum, and Quorum on it")
    .option("--kubeconfig <file>", "a cluster of your own, in place of the sandbox")
    // Options after `pulumi` are Pulumi's.
    .enablePositionalOptions();

/** The user's own cluster, if one was named, else the sandbox. */
function target(): Target {
    const { kubeconfig } = program.opts<{ kubeconfig?: string }>();
    const own = kubeconfig ?? process.env["QUORUM_KUBECONFIG"];
    return own === undefined || own === ""
        ? { kubeconfig: kubeconfigOf(FIRST), isSandbox: true }
        : { kubeconfig: own, isSandbox: false };
}

/** Make hands over an option that was not given as empty text. */
function given(value: string | undefined): string | undefined {
    return value === "" ? undefined : value;
}

function platformNamed(name: string | undefined): Platform | undefined {
    const platform = PLATFORMS.find((one) => one === given(name));
    if (platform === undefined && given(name) !== undefined) {
        throw new SandboxError(
            `There is no platform "${name ?? ""}"; the platforms are ${PLATFORMS.join(", ")}.`,
        );
    }
    return platform;
}

/** What starts, as asked for on the command line; see formsFor. */
interface FormWishes {
    readonly platform?: string;
    readonly clusters?: string;
}

/**
 * On Google's platform the program makes its machines; elsewhere the sandbox has them from the start. Of several
 * Kubernetes side by side each has one zone.
 */
function formsFor(platform: Platform, clusters: number): readonly Form[] {
    if (clusters === 1) return [platform === "gke" ? ON_CLOUD : THREE_ZONES];
    return (platform === "gke" ? THREE_ON_CLOUD : ONE_ZONE_EACH).slice(0, clusters);
}

function clustersAsked(text: string | undefined): number | undefined {
    if (given(text) === undefined) return undefined;
    const clusters = Number(text);
    if (![1, 2, 3].includes(clusters)) {
        throw new SandboxError(`CLUSTERS is 1, 2 or 3, not "${text ?? ""}".`);
    }
    return clusters;
}

/** The forms of what runs now. */
function present(): Form[] {
    return startedSandboxes().map((sandbox) => runningForm(sandbox)!);
}

async function requireStack(): Promise<{ target: Target; tools: Toolbox }> {
    const where = target();
    if (!hasStack(where)) {
        throw new SandboxError('There is no stack yet; "make up" creates it.');
    }
    if (where.isSandbox && !(await sandboxAnswers())) {
        throw new SandboxError('The sandbox is not running; "make up" starts it.');
    }
    return { target: where, tools: await openToolbox(where) };
}

function zoneNamed(name: string): string {
    const zones = zoneNames();
    if (zones.length === 0) {
        throw new SandboxError('The sandbox is not running; "make sandbox" starts it.');
    }
    if (!zones.includes(name)) {
        throw new SandboxError(`There is no zone "${name}"; the zones are ${zones.join(", ")}.`);
    }
    return name;
}

/** What the outputs of the program offer to run, one a line. */
function printCommands(outputs: Record<string, unknown>, where: Target): void {
    const commands = outputs["commands"];
    if (typeof commands !== "object" || commands === null) return;
    const folder = dirname(binary("kubernetes", "kubectl"));
    console.log(`\nTry:\n  export KUBECONFIG=${where.kubeconfig} PATH=${folder}:$PATH`);
    for (const [name, line] of Object.entries(commands)) {
        console.log(`  # ${name}\n  ${typeof line === "string" ? line : JSON.stringify(line)}`);
    }
    console.log("\nOr: make sql, make status, make pulumi ARGS=preview, make zone-down ZONE=b");
}

/** The last words of `make up`, so that nobody takes a simulator for the database. */
function printSimulator(where: Target): void {
    const image = configuredImage(where, {});
    if (!where.isSandbox || image === undefined || !isSimulator(image)) return;
    console.log(
        `\nThis is a SIMULATOR, ${image}: the pods, disks and jobs are real, the database is not. It answers\n` +
            `the vendor's commands by the vendor's rules, and keeps rows of tests only (docs/simulators.md).`,
    );
}

/** The second API server of `make up ADDON=kine`, when the stack has Kine. */
async function bringUpApiServerOnKine(
    outputs: Record<string, unknown>,
    where: Target,
): Promise<void> {
    const kine = kineOutput(outputs);
    if (kine === undefined) return;
    if (!where.isSandbox) {
        console.log(`\nKine answers at ${kine.endpoint}; docs/kine.md says how to use it.`);
        return;
    }
    const cluster = String(outputs["cluster"]);
    let kubeconfig = "";
    await runSteps([
        {
            title: "A second API server, on Kine",
            work: async () => {
                ({ kubeconfig } = await apiServerOnKine(cluster, kine, KINE_API_PORT));
            },
        },
    ]);
    console.log(
        `\nIt keeps everything in the database of ${cluster}. Try:\n` +
            `  kubectl --kubeconfig ${kubeconfig} create configmap hello --from-literal=where=kine\n` +
            `  kubectl --kubeconfig ${kubeconfig} get configmap hello -o yaml`,
    );
}

program
    .command("up")
    .description("start the sandbox and deploy the program on it")
    .option("--engine <name>", "which database")
    .option("--image <reference>", "which image of it")
    .option("--addon <name>", "an add-on beside it, for example kine")
    .option("--platform <name>", "where its Kubernetes comes from: existing or gke")
    .action(async (options: Omit<Wishes, "platform"> & Pick<FormWishes, "platform">) => {
        const where = target();
        const wishes: Wishes = {
            platform: platformNamed(options.platform),
            engine: given(options.engine),
            image: given(options.image),
            addon: given(options.addon),
        };
        if (!where.isSandbox && wishes.platform === "gke") {
            throw new SandboxError(
                "PLATFORM=gke makes a Kubernetes and QUORUM_KUBECONFIG names one that exists: give one of the two.",
            );
        }
        const steps: ProgressStep[] = [];
        if (where.isSandbox) {
            const names = [
                configuredImage(where, wishes) ?? wishes.engine ?? configuredEngine(where),
                ...configuredAddons(where, wishes),
            ];
            const platform = wishes.platform ?? configuredPlatform(where);
            const forms = formsFor(platform, Math.max(1, present().length));
            steps.push(...sandboxSteps(forms, recipesFor(names), ["pulumi"]));
        } else {
            steps.push({ title: "Pulumi", work: (report) => ensureTools(["pulumi"], report) });
        }
        let tools: Toolbox | undefined;
        steps.push({
            title: "Pulumi's plugins and the stack",
            work: async () => {
                tools = await openToolbox(where);
                await openStack(where, tools, wishes);
            },
        });
        await runSteps(steps);
        if (tools === undefined) return;
        for (const name of tools.standIns) {
            console.log(`The sandbox's own stand-in is used for ${name}.`);
        }
        await bringUp(where, tools);
        const outputs = await stackOutputs(where, tools);
        printCommands(outputs, where);
        await bringUpApiServerOnKine(outputs, where);
        printSimulator(where);
    });

program
    .command("sandbox")
    .description("start the sandbox only, or heal it")
    .argument("[images...]", "engines, add-ons or images to bring to the nodes")
    .option("--platform <name>", "existing: with nodes; gke: with a stand-in of Google Cloud")
    .option("--clusters <number>", "how many Kubernetes side by side")
    .action(async (names: string[], options: FormWishes) => {
        if (!target().isSandbox) {
            throw new SandboxError("With a cluster of your own there is no sandbox to start.");
        }
        const platform = platformNamed(options.platform);
        const clusters = clustersAsked(options.clusters);
        const isOpen = platform === undefined && clusters === undefined;
        const forms =
            isOpen && present().length > 0
                ? present()
                : formsFor(platform ?? configuredPlatform(target()), clusters ?? 1);
        await runSteps(sandboxSteps(forms, recipesFor(names)));
    });

program
    .command("status")
    .description("what runs: parts of the sandbox, nodes, pods")
    .action(async () => {
        if (!target().isSandbox) {
            const tools = await openToolbox(target());
            await runCommandLine("kubectl get nodes,pods --all-namespaces", tools);
            return;
        }
        for (const { name, state } of await sandboxStatus()) {
            console.log(`${name.padEnd(16)}${state}`);
        }
        if (!(await sandboxAnswers())) return;
        console.log(`\nReady nodes: ${(await readyNodes()).join(" ")}\n`);
        console.log(await sandboxKubectl("get", "pods", "--all-namespaces", "-o", "wide"));
    });

program
    .command("down")
    .description("destroy what `up` deployed; the sandbox stays")
    .action(async () => {
        const { target: where, tools } = await requireStack();
        await openStack(where, tools, {});
        // What has its store in the database ends before it.
        const { cluster } = await stackOutputs(where, tools);
        if (where.isSandbox && typeof cluster === "string") await stopKineApiServer(cluster);
        await runPulumi(where, tools, ["destroy", "--yes", "--skip-preview"]);
    });

program
    .command("stop")
    .description("stop the sandbox: its nodes' disks and the stack's state go with it")
    .action(async () => {
        requireRoot();
        await runSteps([{ title: "Stop the sandbox", work: stopSandbox }]);
        console.log("The sandbox is gone, with its disks and the state of the stack on it.");
    });

program
    .command("clean")
    .description("stop, and remove everything but the cache")
    .action(async () => {
        requireRoot();
        await runSteps([{ title: "Remove the sandbox", work: removeSandbox }]);
        console.log(
            `What took long to build stays in ${cacheDirectory()}; remove that folder to drop it. ` +
                `"go clean -cache -modcache" drops what Go kept of the builds.`,
        );
    });

program
    .command("kubeconfig")
    .description(
        "print the path of the kubeconfig, for KUBECONFIG; one a line where there are several",
    )
    .action(() => {
        const others = target().isSandbox ? startedSandboxes().slice(1) : [];
        for (const file of [target().kubeconfig, ...others.map(kubeconfigOf)]) console.log(file);
    });

program
    .command("pulumi")
    .description("run the Pulumi CLI on the stack")
    .argument("[arguments...]")
    .allowUnknownOption()
    .helpOption(false)
    .passThroughOptions()
    .action(async (args: string[]) => {
        const { target: where, tools } = await requireStack();
        await runPulumi(where, tools, args);
    });

program
    .command("sql")
    .description("open a client of the database, in the cluster")
    .action(async () => {
        const { target: where, tools } = await requireStack();
        const { commands } = await stackOutputs(where, tools);
        const client = (commands as Record<string, unknown> | undefined)?.["client"];
        if (typeof client !== "string") {
            throw new SandboxError(
                'The stack has no output "commands.client"; run "make up" first.',
            );
        }
        await runCommandLine(client, tools);
    });

program
    .command("zone-down")
    .description("cut the power of a zone's nodes")
    .argument("<zone>")
    .action(async (name: string) => {
        requireRoot();
        const zone = zoneNamed(name);
        await runSteps([{ title: `Zone ${zone} off`, work: (report) => zoneDown(zone, report) }]);
        console.log("Kubernetes calls its nodes NotReady in about 28 s.");
    });

program
    .command("zone-up")
    .description("switch a zone's nodes on again, with their disks")
    .argument("<zone>")
    .action(async (name: string) => {
        requireRoot();
        const zone = zoneNamed(name);
        await runSteps([{ title: `Zone ${zone} on`, work: (report) => zoneUp(zone, report) }]);
    });

program
    .command("tools")
    .description("build every tool of the sandbox into the cache")
    .action(() => ensureTools(ALL_TOOLS, (line) => console.log(line)));

program
    .command("images")
    .description("build images into the cache")
    .argument("[names...]", "engines, add-ons or images; all when none is named")
    .action(async (names: string[]) => {
        const recipes = names.length === 0 ? [...RECIPES] : recipesFor(names);
        await runSteps([
            { title: "Debian packages", work: ensurePackages },
            { title: "Tools", work: (report) => ensureTools(toolsFor(recipes), report) },
            { title: "Images", work: (report) => ensureImages(recipes, report) },
        ]);
    });

/** Ends with one sentence for what a user can do something about, with a stack for our mistakes. */
function fail(thrown: unknown): void {
    console.error(thrown instanceof SandboxError ? thrown.message : thrown);
    process.exitCode = 1;
}

// `make status | head` is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    process.exit(error.code === "EPIPE" ? 0 : 1);
});
program.parseAsync().catch(fail);
