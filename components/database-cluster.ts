// The component: one database cluster, from an accepted specification to its resources and outputs.

import * as pulumi from "@pulumi/pulumi";
import { Access } from "./access";
import { ADDONS } from "./addons";
import type { KineOutput } from "./addons/kine";
import { Certificates } from "./certificates";
import { factsOf } from "./facts";
import { filesOf } from "./files";
import { registerCredentials, registerFiles, registerNamespace } from "./foundation";
import { MemberResource } from "./member";
import { Membership, membershipHash } from "./membership";
import { objectNames } from "./names";
import { surroundingsOf } from "./outside";
import type { Platform } from "./platforms/platform";
import { registerRecord } from "./record";
import { registerRemoteClusters, type Place } from "./remote";
import { commandsOf, endpointsOf, memberOutput, type MemberOutput } from "./outputs";
import { acceptSpec } from "./rules/accept";
import { guardChanges } from "./rules/changes";
import { keptBy, type Site } from "./site";
import type { ClusterSpecInput, CompleteSpec } from "./spec";
import { STORAGE_DRIVERS } from "./storage";
import type { Member } from "./topology";
import { podsHash, podsOf } from "./upgrade-check";

/**
 * Arguments of a {@link DatabaseCluster}: plain values, because they decide which resources there are, and
 * `pulumi preview` must know that before anything runs.
 */
export type DatabaseClusterArgs = ClusterSpecInput & {
    /**
     * The Kubernetes that it stands on, from {@link openPlatform} or {@link existingPlatform}. With another one than it was
     * made on an update is refused: the same names there are other people's objects. Default: the provider that the
     * options name, which is not looked at.
     */
    readonly kubernetes?: Platform;
};

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
    /**
     * `write` reaches the primary, `read` any member that is caught up; host and port. `externalWrite` and `externalRead`
     * are the same from outside of Kubernetes, where `access.clients` lets clients in.
     */
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
        const compared = {
            ...spec,
            kubernetes: kubernetes?.identity,
            pods: podsOf({ engine, facts, checksum }),
        };
        super("quorum:index:DatabaseCluster", name, compared, guardChanges(name, input, opts));
        this.spec = spec;

        // The one Kubernetes cluster, or the first of several: it has the cluster record, the jobs and the passwords.
        const site: Site = {
            parent: this,
            named: (plain) => plain,
            kept: keptBy(kubernetes?.keeper),
            has: (member) => !facts.isRemote(member),
        };
        const namespace = registerNamespace(spec, site);
        const secret = registerCredentials(spec, engine, namespace, this, kubernetes?.vault);
        const maps = registerFiles(spec, files, namespace, site);
        const newest = {
            plan: membershipHash({ engine, facts }),
            pods: podsHash({ engine, facts, checksum }),
            first: plan.first.name,
        };
        const surroundings = kubernetes?.surroundings ?? surroundingsOf(spec);
        const access = new Access(
            { engine, facts, surroundings, site, namespace },
            { parent: this },
        );
        const record = registerRecord({ engine, facts, namespace, parent: access }, newest);
        const remotes = registerRemoteClusters(
            { engine, facts, files, surroundings, credentials: secret.values },
            kubernetes,
            { parent: this, dependsOn: [namespace] },
        );
        const basis = [
            secret.resource,
            ...maps,
            ...access.foundation,
            record,
            ...remotes.foundation,
        ];
        const certificates = engine.certificates
            ? [
                  new Certificates(
                      { engine, facts, foundation: basis, surroundings },
                      engine.certificates,
                      { parent: this },
                  ),
              ]
            : [];
        const foundation = [...basis, ...certificates];
        const membership = new Membership(
            { engine, facts, foundation, checksum, record },
            { parent: this },
        );
        const places: Place[] = [{ site, access, namespace, foundation: [] }, ...remotes.clusters];
        const placeOf = (member: Member): Place => places.find((each) => each.site.has(member))!;
        const driver = STORAGE_DRIVERS[spec.storage.driver];
        const disks = { spec, user: engine.user, image: facts.image };
        const storages = new Map(
            places.map((place) => [
                place,
                driver.open({ ...disks, namespace: place.namespace, site: place.site }),
            ]),
        );
        const members = new Map<Member, MemberResource>();
        for (const member of plan.chain) {
            const place = placeOf(member);
            const storage = storages.get(place)!;
            const after = plan.before(member).map((earlier) => members.get(earlier)!);
            const machines = kubernetes?.machinesOf(member.zone) ?? [];
            const needs = [...foundation, ...membership.check, ...place.foundation, ...machines];
            const args = { engine, facts, member, storage, checksum, foundation: needs, after };
            members.set(member, new MemberResource(args, { parent: place.site.parent }));
        }

        // Outputs wait for the members and the job: a stack that printed an address has one that answers.
        const ready = pulumi.all(
            [membership.job, ...[...members.values()].map(({ set }) => set)].map(({ id }) => id),
        );
        const settled = <T>(value: pulumi.Output<T>): pulumi.Output<T> => ready.apply(() => value);
        this.namespace = pulumi.output(spec.namespace);
        this.members = settled(
            pulumi.all(
                plan.members.map((member) =>
                    memberOutput(
                        facts,
                        member,
                        members.get(member)!.disk.place,
                        placeOf(member).access,
                    ),
                ),
            ),
        );
        this.endpoints = settled(endpointsOf(engine, facts, access));
        this.credentials = pulumi.output(objectNames(spec).credentials);
        this.connection = pulumi.secret(
            secret.values.apply((values) => engine.connection(facts, values)),
        );
        this.commands = settled(pulumi.output(commandsOf(engine, facts)));
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
}
