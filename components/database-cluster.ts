// The component: one database cluster, from an accepted specification to its resources and outputs.

import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { createHash } from "crypto";
import { readdirSync, readFileSync } from "fs";
import * as path from "path";
import { Access } from "./access";
import { ADDONS } from "./addons";
import type { KineOutput } from "./addons/kine";
import { Certificates } from "./certificates";
import { guardChanges } from "./rules/changes";
import type { Engine, JobFacts } from "./engines/engine";
import { factsOf } from "./facts";
import { MemberResource } from "./member";
import { Membership, membershipHash } from "./membership";
import { clusterLabels, objectNames } from "./names";
import type { ClusterSpecInput, CompleteSpec, PodSpec } from "./spec";
import { STORAGE_DRIVERS } from "./storage";
import type { Member } from "./topology";
import { podsHash, podsOf } from "./upgrade-check";
import { acceptSpec } from "./rules/accept";

/**
 * Arguments of a {@link DatabaseCluster}: plain values, because they decide which resources there are, and
 * `pulumi preview` must know that before anything runs.
 */
export type DatabaseClusterArgs = ClusterSpecInput & {
    /**
     * What tells this Kubernetes from every other one: the UID of its namespace `kube-system`. With another value an update
     * is refused: the same names there are other people's objects. Default: it is not looked at.
     */
    readonly kubernetes?: pulumi.Input<string>;
};

/** A member as the outputs show it. */
export interface MemberOutput {
    name: string;
    /** What it is in engines with several kinds of processes; `member` holds the data. */
    role: string;
    zone: string;
    claim: string;
    address: string;
    /** Where clients outside of Kubernetes reach it; only where `expose` gives it an address. */
    external?: string;
    disk: string;
}

/** Outputs of the add-ons. */
export interface AddonOutputs {
    kine?: KineOutput;
}

/**
 * A replicated database on Kubernetes: one StatefulSet, claim and Service per member, spread over zones.
 *
 * Changing the arguments changes a running cluster, member by member, and `pulumi preview` says what that does to
 * the data or refuses it. What each argument does to running data stands beside it in {@link ClusterSpecInput}.
 *
 * @throws SpecError when the arguments are refused; the message lists every problem.
 * @example
 * new DatabaseCluster("orders", { name: "orders", engine: "mysql", zones: ["a", "b", "c"] }, { provider });
 */
export class DatabaseCluster extends pulumi.ComponentResource {
    /** The complete specification. */
    public readonly spec: CompleteSpec;
    public readonly namespace: pulumi.Output<string>;
    public readonly members: pulumi.Output<MemberOutput[]>;
    /** `write` reaches the primary, `read` any member that is caught up; host and port. */
    public readonly endpoints: pulumi.Output<Record<string, string>>;
    /** Name of the Secret with the passwords. */
    public readonly credentials: pulumi.Output<string>;
    /** Connection string of the application's user; a secret. */
    public readonly connection: pulumi.Output<string>;
    /** Command lines for a client, the members' state and a port-forward. */
    public readonly commands: pulumi.Output<Record<string, string>>;
    /** What the add-ons offer, by name; nothing of an add-on that is not there. */
    public readonly addons: AddonOutputs;

    public constructor(
        name: string,
        args: DatabaseClusterArgs,
        opts: pulumi.ComponentResourceOptions = {},
    ) {
        const { kubernetes, ...input } = args;
        const { spec, engine, plan } = acceptSpec(input);
        const facts = factsOf(spec, plan);
        const files = filesOf(engine, facts);
        const { checksum } = files;
        // The complete specification is the component's input, with what the change rules compare beside it: Pulumi keeps it.
        const compared = { ...spec, kubernetes, pods: podsOf({ engine, facts, checksum }) };
        super("quorum:index:DatabaseCluster", name, compared, guardChanges(name, input, opts));
        this.spec = spec;

        const namespace = this.registerNamespace();
        const secret = this.registerCredentials(engine, namespace);
        const maps = this.registerFiles(files, namespace);
        const newest = {
            plan: membershipHash({ engine, facts }),
            pods: podsHash({ engine, facts, checksum }),
            first: plan.first.name,
        };
        const access = new Access({ engine, facts, namespace, newest }, { parent: this });
        const basis = [secret.resource, ...maps, ...access.foundation];
        const certificates = engine.certificates
            ? [
                  new Certificates({ engine, facts, foundation: basis }, engine.certificates, {
                      parent: this,
                  }),
              ]
            : [];
        const foundation = [...basis, ...certificates];
        const membership = new Membership(
            { engine, facts, foundation, checksum, record: access.record },
            { parent: this },
        );
        const storage = STORAGE_DRIVERS[spec.storage.driver].open({
            spec,
            user: engine.user,
            image: facts.image,
            namespace,
            parent: this,
        });
        const members = new Map<Member, MemberResource>();
        for (const member of plan.chain) {
            const after = plan.before(member).map((earlier) => members.get(earlier)!);
            const needs = [...foundation, ...membership.check];
            const args = { engine, facts, member, storage, checksum, foundation: needs, after };
            members.set(member, new MemberResource(args, { parent: this }));
        }

        // Outputs wait for the members and the job: a stack that printed an address has one that answers.
        const ready = pulumi.all(
            [membership.job, ...[...members.values()].map(({ set }) => set)].map(({ id }) => id),
        );
        const settled = <T>(value: T): pulumi.Output<T> => ready.apply(() => value);
        this.namespace = pulumi.output(spec.namespace);
        this.members = settled(
            plan.members.map((member) =>
                memberOutput(facts, member, members.get(member)!.disk.place),
            ),
        );
        this.endpoints = settled(endpointsOf(engine, facts));
        this.credentials = pulumi.output(objectNames(spec).credentials);
        this.connection = pulumi.secret(
            secret.values.apply((values) => engine.connection(facts, values)),
        );
        this.commands = settled(commandsOf(engine, facts));
        const database = [membership, ...members.values()];
        const context = { engine, facts, foundation, database };
        this.addons = Object.fromEntries(
            spec.addons.map((name) => [name, ADDONS[name].register(context, { parent: this })]),
        );
        this.registerOutputs({
            namespace: this.namespace,
            members: this.members,
            endpoints: this.endpoints,
            credentials: this.credentials,
            connection: this.connection,
            commands: this.commands,
            addons: this.addons,
        });
    }

    private registerNamespace(): k8s.core.v1.Namespace {
        const { spec } = this;
        return new k8s.core.v1.Namespace(
            `${spec.name}-namespace`,
            {
                metadata: {
                    name: spec.namespace,
                    labels: {
                        ...clusterLabels(spec),
                        "pod-security.kubernetes.io/enforce": spec.privileged
                            ? "privileged"
                            : "restricted",
                    },
                },
            },
            { parent: this, retainOnDelete: spec.storage.onDelete === "keep" },
        );
    }

    /**
     * Passwords are made once and kept. What counts is what the Secret holds: nothing writes into one that exists, so a
     * password that is made anew cannot lock the members out. With `adopt` the Secret that an earlier stack left is imported
     * as it is; from then on it is this one, with or without `adopt`. An engine that gets one more password later needs
     * another Secret for it.
     */
    private registerCredentials(
        engine: Engine,
        namespace: k8s.core.v1.Namespace,
    ): { resource: pulumi.Resource; values: pulumi.Output<Record<string, string>> } {
        const { spec } = this;
        const name = objectNames(spec).credentials;
        const passwords = engine.credentials.map(({ key, length }) => {
            // Letters and digits only: the passwords stand in option files, URLs and SQL.
            const password = new random.RandomPassword(
                `${spec.name}-${key}`,
                { length, special: false },
                { parent: this },
            );
            return [key, password.result] as const;
        });
        const resource = new k8s.core.v1.Secret(
            name,
            {
                metadata: { name, namespace: spec.namespace, labels: clusterLabels(spec) },
                type: "Opaque",
                stringData: Object.fromEntries(passwords),
            },
            {
                parent: this,
                dependsOn: [namespace],
                retainOnDelete: spec.storage.onDelete === "keep",
                // The provider keeps both as `data`.
                ignoreChanges: ["data", "stringData"],
                ...(spec.adopt && { import: `${spec.namespace}/${name}` }),
            },
        );
        const values = resource.data.apply((data) =>
            Object.fromEntries(
                Object.entries(data).map(([key, value]) => [
                    key,
                    Buffer.from(value, "base64").toString(),
                ]),
            ),
        );
        return { resource, values: pulumi.secret(values) };
    }

    private registerFiles(files: Files, namespace: k8s.core.v1.Namespace): pulumi.Resource[] {
        const { spec } = this;
        const names = objectNames(spec);
        return (["configuration", "scripts"] as const).map(
            (kind) =>
                new k8s.core.v1.ConfigMap(
                    names[kind],
                    {
                        metadata: {
                            name: names[kind],
                            namespace: spec.namespace,
                            labels: clusterLabels(spec),
                        },
                        data: files[kind],
                    },
                    { parent: this, dependsOn: [namespace] },
                ),
        );
    }
}

/** What the pods read at their start, by file name. */
interface Files {
    readonly configuration: Record<string, string>;
    readonly scripts: Record<string, string>;
    /** Restarts the members when any of it changes. */
    readonly checksum: string;
}

function filesOf(engine: Engine, facts: JobFacts): Files {
    const configuration = { ...engine.configuration(facts) };
    const scripts = scriptsOf(engine, facts.spec);
    const checksum = createHash("sha256")
        .update(JSON.stringify([configuration, scripts]))
        .digest("hex");
    return { configuration, scripts, checksum };
}

/** The scripts of an engine by file name; later folders win. */
export function scriptsOf(engine: Engine, spec: PodSpec): Record<string, string> {
    return Object.fromEntries(
        engine.scripts(spec).flatMap((folder) =>
            readdirSync(folder)
                // In the built package a folder's own module stands beside its scripts.
                .filter((file) => /\.(sh|js)$/.test(file) && file !== "index.js")
                .sort()
                .map((file) => [file, readFileSync(path.join(folder, file), "utf8")]),
        ),
    );
}

function memberOutput(facts: JobFacts, member: Member, disk: string): MemberOutput {
    const external = facts.spec.expose?.addresses[member.name];
    return {
        name: member.name,
        role: member.role,
        zone: member.zone,
        claim: member.name,
        address: facts.address(member),
        ...(external !== undefined && { external }),
        disk,
    };
}

function endpointsOf(engine: Engine, facts: JobFacts): Record<string, string> {
    return Object.fromEntries(
        engine.services.map(({ suffix, ports }) => [
            suffix === "" ? "write" : suffix.slice(1),
            `${facts.service(suffix)}:${ports[0]!.port}`,
        ]),
    );
}

function commandsOf(engine: Engine, facts: JobFacts): Record<string, string> {
    const { spec, primary } = facts;
    const commands = engine.commands(facts);
    const exec = (flags: string, container: string, command: readonly string[]) =>
        `kubectl --namespace ${spec.namespace} exec ${flags}${primary.name}-0 --container ${container} -- ${command.join(" ")}`;
    const port = engine.services[0]!.ports[0]!.port;
    const forward = (wanted: number) =>
        `kubectl --namespace ${spec.namespace} port-forward pod/${primary.name}-0 ${wanted}:${wanted}`;
    const console = engine.ports(spec).find(({ scope }) => scope === "console");
    return {
        client: exec("--stdin --tty ", engine.container, commands.client),
        status: exec("", engine.statusContainer, commands.status),
        portForward: forward(port),
        ...(console && { console: forward(console.port) }),
    };
}
