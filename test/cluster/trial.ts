// A cluster for tests of what its jobs refuse: each refusal ends the update with a sentence, and leaves everything as it is.
import { afterAll, beforeAll, expect } from "vitest";
import { ensureSandbox, kubeconfigPath, kubectl } from "../../sandbox/index.js";
import { Namespace } from "./kubernetes.js";
import { clear, Stack, succeeded, type Config, type Result } from "./stack.js";

/** What a trial is of. */
export interface TrialSubject {
    /** Name of the cluster and of its namespace. */
    readonly cluster: string;
    /** Names of the images that the sandbox needs. */
    readonly images: readonly string[];
    /** The database's container. */
    readonly container: string;
    readonly config: Config;
}

/** One cluster, with its configuration as it was last applied. */
export class Trial {
    public readonly namespace: Namespace;
    private config: Config;
    private stack!: Stack;

    public constructor(private readonly subject: TrialSubject) {
        this.namespace = new Namespace(subject.cluster);
        this.config = { name: subject.cluster, zones: ["a", "b", "c"], ...subject.config };
    }

    public async open(): Promise<void> {
        await ensureSandbox(this.subject.images);
        this.stack = await Stack.open(`test-${this.subject.cluster}`, kubeconfigPath());
        await clear(this.stack, this.namespace);
    }

    public async close(): Promise<void> {
        // A test that failed may have left a zone without power, and nothing can be removed from it then.
        await ensureSandbox(this.subject.images);
        await clear(this.stack, this.namespace);
        await this.stack.remove();
    }

    /** `<cluster>-<zone>-<index>` */
    public member(zone: string, index = 0): string {
        return `${this.subject.cluster}-${zone}-${index}`;
    }

    /** An update that must succeed. What it changes stays changed for those after it. */
    public async up(change: Config = {}): Promise<void> {
        this.config = { ...this.config, ...change };
        succeeded(await this.stack.up(this.config));
    }

    /** The outputs of the last update, secrets readable. */
    public async outputs(): Promise<Record<string, unknown>> {
        return this.stack.outputs();
    }

    /** An update that may end in any way, and changes nothing for those after it. */
    public async attempt(change: Config): Promise<Result> {
        return this.stack.up({ ...this.config, ...change });
    }

    /** An update that is killed when it has come so far. What it had begun goes on in the cluster. */
    public async killed(change: Config, isSo: () => Promise<boolean>): Promise<void> {
        await this.stack.killedUp({ ...this.config, ...change }, isSo);
    }

    /** An update that must be refused with these words, and must leave every member, pod and claim as it is. */
    public async refused(change: Config, words: string | RegExp): Promise<void> {
        const before = await this.everything();
        const result = await this.attempt(change);
        expect(result.exitCode).not.toBe(0);
        expect(result.output).toMatch(words);
        expect(await this.everything()).toEqual(before);
    }

    /** Applies the configuration as it was before an update that was refused, with a change rule overruled for that. */
    public async takeBack(rule: string): Promise<void> {
        await this.up({ allowChanges: [rule] });
        await this.up({ allowChanges: [] });
    }

    /**
     * Loses the stack and all objects, but not what is on the disks, and makes the cluster again on them: that must be refused
     * with these words, because nobody asked for that data.
     */
    public async refusesOldDisks(words: string | RegExp): Promise<void> {
        succeeded(await this.stack.destroy());
        await this.namespace.removeObjects();
        const result = await this.attempt({ membershipTimeout: 60 });
        expect(result.exitCode).not.toBe(0);
        expect(result.output).toMatch(words);
    }

    /** Members, claims and pods: what a refusal must not touch. */
    public async everything(): Promise<readonly string[]> {
        const pods = [...(await this.namespace.members())];
        return [
            ...(await this.namespace.names("statefulsets")),
            ...(await this.namespace.names("persistentvolumeclaims")),
            ...pods.map(([name, pod]) => `${name} ${pod.metadata.uid}`).sort(),
        ];
    }

    /** Runs a command in the database's container of a member. */
    public async inside(member: string, ...command: string[]): Promise<string> {
        return kubectl([
            ...["-n", this.namespace.name, "exec", `${member}-0`],
            ...["-c", this.subject.container, "--", ...command],
        ]);
    }

    /** The log of the membership job that ran last. */
    public async jobLog(): Promise<string> {
        return this.logOf((await this.jobPods()).at(-1)!);
    }

    /** The pods of the membership jobs that there are, the newest last. */
    public async jobPods(): Promise<string[]> {
        const pods = await kubectl([
            ...["-n", this.namespace.name, "get", "pods", "-l", MEMBERSHIP],
            ...["--sort-by=.metadata.creationTimestamp", "-o", "name"],
        ]);
        return pods.trim().split("\n");
    }

    /** What a pod has said, by the name that {@link jobPods} gives it. */
    public async logOf(pod: string): Promise<string> {
        return kubectl(["-n", this.namespace.name, "logs", pod]);
    }

    /** Kills the membership job that runs now, as a node that dies would. */
    public async killJob(): Promise<void> {
        await kubectl([
            ...["-n", this.namespace.name, "delete", "pods", "-l", MEMBERSHIP],
            ...["--field-selector=status.phase=Running", "--grace-period=0", "--force"],
        ]);
    }
}

const MEMBERSHIP = "app.kubernetes.io/component=membership";

/** A trial that is opened before the tests of a file and closed after them. */
export function openTrial(subject: TrialSubject): Trial {
    const trial = new Trial(subject);
    beforeAll(() => trial.open());
    afterAll(() => trial.close());
    return trial;
}

/** Asserts that a log has these words, in this order. */
export function inOrder(log: string, words: readonly string[]): void {
    const places = words.map((each) => log.indexOf(each));
    expect(places, log).not.toContain(-1);
    expect(places, log).toEqual([...places].sort((a, b) => a - b));
}
