// The Go tools of the sandbox: built once from their modules into the cache, by name and version.

import { execa } from "execa";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { SandboxError } from "./failure.js";
import { withLock } from "./lock.js";
import { cacheDirectory } from "./places.js";

const KUBERNETES_VERSION = "1.34.10";
const PULUMI_VERSION = "3.259.0";

/** The oldest CLI that knows the component hooks the program uses. */
const LEAST_PULUMI: readonly [number, number] = [3, 238];

/** What the go.mod files of the tools ask for. */
const LEAST_GO: readonly [number, number] = [1, 25];

/** Kubernetes' own repository replaces these by folders, so whoever builds it must replace them too. */
const KUBERNETES_STAGING_MODULES =
    "api apiextensions-apiserver apimachinery apiserver cli-runtime client-go cloud-provider cluster-bootstrap code-generator component-base component-helpers controller-manager cri-api cri-client csi-translation-lib dynamic-resource-allocation endpointslice externaljwt kms kube-aggregator kube-controller-manager kube-proxy kube-scheduler kubectl kubelet metrics mount-utils pod-security-admission sample-apiserver sample-cli-plugin sample-controller".split(
        " ",
    );

export type ToolName = "etcd" | "kubernetes" | "pulumi" | "coredns" | "kine" | "kubeconform";

/** One build: a Go module of its own (the tools' dependencies clash) and what comes out of it. */
interface Tool {
    readonly name: ToolName;
    readonly version: string;
    /** Binary name -> main package. */
    readonly binaries: Readonly<Record<string, string>>;
    readonly requires: readonly string[];
    readonly replaces?: readonly string[];
    readonly tags?: string;
    /** Package variable -> value, set by the linker. */
    readonly variables?: Readonly<Record<string, string>>;
    /** `go install PACKAGE@VERSION`: for modules that need no go.mod of ours. */
    readonly install?: boolean;
    /** Measured cold on two cores; printed so that nobody thinks it hangs. */
    readonly usually: string;
}

/** In the order in which `make up` needs them. */
const TOOLS: readonly Tool[] = [
    {
        name: "etcd",
        version: "3.6.14",
        binaries: { etcd: "go.etcd.io/etcd/server/v3", etcdctl: "go.etcd.io/etcd/etcdctl/v3" },
        requires: ["go.etcd.io/etcd/server/v3@v3.6.14", "go.etcd.io/etcd/etcdctl/v3@v3.6.14"],
        usually: "40 s",
    },
    {
        name: "kubernetes",
        version: KUBERNETES_VERSION,
        binaries: Object.fromEntries(
            [
                "kube-apiserver",
                "kube-controller-manager",
                "kube-scheduler",
                "kubelet",
                "kube-proxy",
                "kubectl",
                "kubeadm",
            ].map((name) => [name, `k8s.io/kubernetes/cmd/${name}`]),
        ),
        requires: [`k8s.io/kubernetes@v${KUBERNETES_VERSION}`],
        replaces: KUBERNETES_STAGING_MODULES.map(
            (name) => `k8s.io/${name}=k8s.io/${name}@v0.${KUBERNETES_VERSION.slice(2)}`,
        ),
        // Without these /version reports v0.0.0 and clients cannot parse it.
        variables: Object.fromEntries(
            ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"].flatMap((name) => [
                [`${name}.gitVersion`, `v${KUBERNETES_VERSION}`],
                [`${name}.gitMajor`, "1"],
                [`${name}.gitMinor`, "34"],
            ]),
        ),
        usually: "8 min",
    },
    {
        name: "pulumi",
        version: PULUMI_VERSION,
        binaries: { pulumi: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi" },
        requires: [
            `github.com/pulumi/pulumi/pkg/v3@v${PULUMI_VERSION}`,
            `github.com/pulumi/pulumi/sdk/v3@v${PULUMI_VERSION}`,
        ],
        variables: {
            "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": `v${PULUMI_VERSION}`,
        },
        usually: "5.5 min",
    },
    {
        name: "coredns",
        version: "1.13.2",
        binaries: { coredns: "github.com/coredns/coredns" },
        requires: [],
        install: true,
        usually: "3 min",
    },
    {
        name: "kine",
        version: "0.16.4",
        binaries: { kine: "github.com/k3s-io/kine" },
        requires: [],
        install: true,
        tags: "nats",
        variables: { "github.com/k3s-io/kine/pkg/version.Version": "v0.16.4" },
        usually: "2 min",
    },
    {
        name: "kubeconform",
        version: "0.7.0",
        binaries: { kubeconform: "github.com/yannh/kubeconform/cmd/kubeconform" },
        requires: [],
        install: true,
        usually: "10 s",
    },
];

export const ALL_TOOLS: readonly ToolName[] = TOOLS.map((tool) => tool.name);

/** What `make up` needs with any engine. */
export const CLUSTER_TOOLS: readonly ToolName[] = ["etcd", "kubernetes", "coredns"];

export type Report = (line: string) => void;

function toolNamed(name: ToolName): Tool {
    return TOOLS.find((tool) => tool.name === name)!;
}

function folderOf(tool: Tool): string {
    return cacheDirectory("tools", `${tool.name}-${tool.version}`);
}

/** The version of a tool, without "v". */
export function toolVersion(name: ToolName): string {
    return toolNamed(name).version;
}

/** Where a built binary is (or will be), for example `binary("kubernetes", "kubectl")`. */
export function binary(name: ToolName, file: string = name): string {
    return join(folderOf(toolNamed(name)), file);
}

/** True when the tool needs no build. */
export function isBuilt(name: ToolName): boolean {
    return existsSync(folderOf(toolNamed(name)));
}

/** The two leading numbers of the first version in a text, or undefined. */
function versionIn(text: string): readonly [number, number] | undefined {
    const found = /(\d+)\.(\d+)/.exec(text);
    return found === null ? undefined : [Number(found[1]), Number(found[2])];
}

function isAtLeast(
    found: readonly [number, number] | undefined,
    least: readonly [number, number],
): boolean {
    if (found === undefined) return false;
    return found[0] > least[0] || (found[0] === least[0] && found[1] >= least[1]);
}

async function requireGo(): Promise<void> {
    const go = await execa("go", ["env", "GOVERSION"], {
        reject: false,
        env: { GOTOOLCHAIN: "local" },
    });
    const least = LEAST_GO.join(".");
    if (go.exitCode !== 0) {
        throw new SandboxError(
            `Building the sandbox's tools needs Go ${least} or newer, and no "go" was found on PATH.`,
        );
    }
    if (!isAtLeast(versionIn(go.stdout), LEAST_GO)) {
        throw new SandboxError(
            `Building the sandbox's tools needs Go ${least} or newer, and "go" on PATH is ${go.stdout}.`,
        );
    }
}

/** A `pulumi` on PATH that is new enough, else the place of the one that the sandbox builds. */
export async function pulumiBinary(): Promise<string> {
    const found = await execa("pulumi", ["version"], {
        reject: false,
        env: { PULUMI_SKIP_UPDATE_CHECK: "true" },
    });
    const fits = found.exitCode === 0 && isAtLeast(versionIn(found.stdout), LEAST_PULUMI);
    return fits ? "pulumi" : binary("pulumi");
}

function elapsed(since: number): string {
    const seconds = Math.round((Date.now() - since) / 1000);
    return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

async function build(tool: Tool): Promise<void> {
    const target = folderOf(tool);
    const work = cacheDirectory("build", `${tool.name}-${tool.version}`);
    const output = `${work}.out`;
    // A build that was cut off leaves these; Go's own caches keep what it had compiled.
    rmSync(work, { recursive: true, force: true });
    rmSync(output, { recursive: true, force: true });
    mkdirSync(work, { recursive: true });
    mkdirSync(output, { recursive: true });
    const go = async (args: readonly string[], env: Record<string, string> = {}) => {
        const run = await execa("go", args, {
            cwd: work,
            reject: false,
            all: true,
            env: {
                GOTOOLCHAIN: "local",
                GOFLAGS: "-mod=mod",
                GOWORK: "off",
                CGO_ENABLED: "0",
                ...env,
            },
        });
        if (run.exitCode !== 0) {
            const log = `${work}.log`;
            writeFileSync(log, run.all);
            throw new SandboxError(
                `Building ${tool.name} ${tool.version} failed at "go ${args[0]}": ` +
                    `${run.all.trim().split("\n").slice(-3).join(" | ")} (all of it is in ${log}).`,
            );
        }
    };
    const variables = Object.entries(tool.variables ?? {}).map(
        ([name, value]) => `-X ${name}=${value}`,
    );
    const flags = ["-trimpath", "-ldflags", ["-s", "-w", ...variables].join(" ")];
    if (tool.tags !== undefined) flags.push("-tags", tool.tags);
    if (tool.install === true) {
        for (const name of Object.values(tool.binaries)) {
            await go(["install", ...flags, `${name}@v${tool.version}`], { GOBIN: output });
        }
    } else {
        await go(["mod", "init", `quorum.dev/sandbox/${tool.name}`]);
        await go([
            "mod",
            "edit",
            ...tool.requires.map((module) => `-require=${module}`),
            ...(tool.replaces ?? []).map((module) => `-replace=${module}`),
        ]);
        const names = Object.entries(tool.binaries);
        const folderNamesFit = names.every(([file, name]) => name.endsWith(`/${file}`));
        if (folderNamesFit) {
            // One command for all lets Go compile what they share once and link side by side.
            await go(["build", ...flags, "-o", `${output}/`, ...names.map(([, name]) => name)]);
        } else {
            for (const [file, name] of names) {
                await go(["build", ...flags, "-o", join(output, file), name]);
            }
        }
    }
    mkdirSync(dirname(target), { recursive: true });
    renameSync(output, target);
    rmSync(work, { recursive: true, force: true });
}

/**
 * Makes sure that the tools are in the cache. Safe to interrupt at any point: a tool appears in the
 * cache whole or not at all, and the next run goes on with the first that is missing.
 */
export async function ensureTools(names: readonly ToolName[], report: Report): Promise<void> {
    const usesOtherPulumi = names.includes("pulumi") && (await pulumiBinary()) === "pulumi";
    const wanted = TOOLS.filter(
        (tool) => names.includes(tool.name) && !(tool.name === "pulumi" && usesOtherPulumi),
    );
    if (wanted.every((tool) => isBuilt(tool.name))) return;
    await requireGo();
    await withLock(
        cacheDirectory("tools.lock"),
        async () => {
            for (const tool of wanted) {
                if (isBuilt(tool.name)) continue;
                const start = Date.now();
                report(`build ${tool.name} ${tool.version} (usually ${tool.usually} when cold)`);
                await build(tool);
                report(`built ${tool.name} ${tool.version} in ${elapsed(start)}`);
            }
        },
        (pid) => report(`wait for another build of the tools (pid ${pid})`),
    );
}
