// The configuration of a replica set, and the rules by which one may follow another. Pure. The rules and the texts are
// those of https://www.mongodb.com/docs/v8.0/reference/command/replSetReconfig/ and .../replica-configuration/.

import type { Document } from "bson";
import { CommandFailure } from "./wire.js";

/** A member in the configuration, complete. */
export interface ConfigMember {
    readonly _id: number;
    readonly host: string;
    readonly priority: number;
    readonly votes: number;
    readonly tags: Readonly<Record<string, string>>;
}

export interface SetConfig {
    readonly _id: string;
    readonly version: number;
    readonly term: number;
    readonly members: readonly ConfigMember[];
    readonly settings: { readonly replicaSetId: string };
}

const MAX_MEMBERS = 50;
const MAX_VOTERS = 7;

const invalid = (message: string) => new CommandFailure(message, 93, "InvalidReplicaSetConfig");
const incompatible = (message: string) =>
    new CommandFailure(message, 103, "NewReplicaSetConfigurationIncompatible");

/** What a client sent, with the defaults filled in. */
export function completeMembers(members: readonly Document[]): ConfigMember[] {
    return members.map(({ _id, host, priority, votes, tags }) => ({
        _id: Number(_id),
        host: String(host),
        priority: priority === undefined ? 1 : Number(priority),
        votes: votes === undefined ? 1 : Number(votes),
        tags: (tags ?? {}) as Record<string, string>,
    }));
}

/** Rules for one configuration by itself. */
export function checkMembers(members: readonly ConfigMember[]): void {
    if (members.length === 0 || members.length > MAX_MEMBERS) {
        throw invalid(
            `Replica set configuration contains ${members.length} members, but must have at least 1 and no more than ${MAX_MEMBERS}`,
        );
    }
    for (const key of ["_id", "host"] as const) {
        const values = members.map((member) => member[key]);
        const twice = values.find((value, index) => values.indexOf(value) !== index);
        if (twice !== undefined) {
            throw invalid(`Found two member configurations with same ${key} field, ${twice}`);
        }
    }
    const voters = members.filter(({ votes }) => votes > 0).length;
    if (voters === 0 || voters > MAX_VOTERS) {
        throw invalid(
            `Replica set configuration contains ${voters} voting members, but must be at least 1 and no more than ${MAX_VOTERS}`,
        );
    }
    if (members.some(({ votes }) => votes !== 0 && votes !== 1)) {
        throw invalid("votes field value must be 0 or 1");
    }
    if (members.some(({ votes, priority }) => votes === 0 && priority > 0)) {
        throw invalid("priority must be 0 when non-voting (votes:0)");
    }
    if (!members.some(({ priority }) => priority > 0)) {
        throw invalid(
            "Replica set configuration must contain at least one non-arbiter member with priority > 0",
        );
    }
}

const versionOf = ({ version, term }: SetConfig): string => `{version: ${version}, term: ${term}}`;

/** Rules for a configuration that follows another; `self` is the primary that is asked. */
export function checkChange(old: SetConfig, next: SetConfig, self: string): void {
    checkMembers(next.members);
    if (next._id !== old._id) {
        throw incompatible(
            `New and old configurations differ in replica set name; old was ${old._id}, and new is ${next._id}`,
        );
    }
    if (next.version <= old.version) {
        throw incompatible(
            `New replica set configuration version and term must be greater than old, but ${versionOf(next)} is not greater than ${versionOf(old)} for replica set ${old._id}`,
        );
    }
    const own = next.members.find(({ host }) => host === self);
    if (own === undefined || own.priority === 0) {
        throw incompatible(
            `This node, ${self}, with _id ${own?._id ?? "none"} is not electable under the new configuration`,
        );
    }
    const voters = (config: SetConfig) =>
        config.members.filter(({ votes }) => votes > 0).map(({ host }) => host);
    const [before, after] = [voters(old), voters(next)];
    const changed = [
        ...before.filter((host) => !after.includes(host)),
        ...after.filter((host) => !before.includes(host)),
    ];
    if (changed.length > 1) {
        throw incompatible(
            "Non force replica set reconfig can only add or remove at most 1 voting member.",
        );
    }
}
