// What there is to know of one type of Google's resources, beyond the tables.

import type { Machines } from "../../cloud/status.js";
import type { Cloud, CloudResource } from "../../cloud/store.js";
import type { TreeObject } from "../property-tree.js";
import type { Configuration } from "./configuration.js";

/** Where the provider works, and on whose behalf. */
export interface Google {
    readonly cloud: Cloud;
    readonly configuration: Configuration;
    /** @throws when the sandbox was never started. */
    machines(): Machines;
}

export interface Problem {
    readonly property: string;
    readonly reason: string;
}

/** How Pulumi makes up a name (pulumi-gcp, provider/resources.go). */
export interface Naming {
    readonly property: string;
    readonly longest: number;
}

/** The longest name that Pulumi makes up where its provider says nothing else. */
export const LONGEST_NAME = 255;

/** What a delete is told. */
export interface Deletion {
    readonly google: Google;
    /** As Pulumi's state has it: what protects a resource is decided from there. */
    readonly state: TreeObject;
    readonly path: string;
    /** As it is in the cloud now. */
    readonly now: CloudResource;
}

export interface Kind {
    readonly type: string;
    /** In messages. */
    readonly title: string;
    /** Template of the id. */
    readonly id: string;
    /** Template of the path of its file; that of the id by default. */
    readonly path?: string;
    /** Variables of the templates that are no properties. */
    variables?(properties: TreeObject): TreeObject;
    /** The variables in an id, where a value of one has a slash in it. */
    parse?(id: string): TreeObject | undefined;
    /** Where it is: filled from the provider's configuration. */
    readonly place?: "zone" | "region" | "location";
    readonly naming?: Naming;
    /** The old one always goes first, named or not. */
    readonly deleteBeforeReplace?: boolean;
    /** The input that holds its labels. */
    readonly labels?: "labels" | "resourceLabels";
    /** The output that says when it was made. */
    readonly madeAt?: "creationTimestamp" | "creationTime" | "createTime";
    /** Outputs that are secret, beside labels and what comes from secret inputs. */
    readonly secrets?: readonly string[];
    /** What is refused before Google is asked; values may be unknown. */
    problems?(inputs: TreeObject): readonly Problem[];
    /**
     * Google's side of a create: checks against what there is, and fills in what was left out.
     * Nobody else changes the cloud meanwhile.
     */
    create(inputs: TreeObject, google: Google): TreeObject;
    /** What there must be beside the file of a new one. */
    created?(google: Google, path: string, properties: TreeObject): void;
    /** Status of a new one. */
    status?(properties: TreeObject, google: Google): TreeObject;
    /** Computed outputs, after a create and after every update. */
    outputs?(properties: TreeObject, id: string, google: Google): TreeObject;
    /** Outputs that follow what others write into the file. */
    live?(resource: CloudResource, google: Google): TreeObject;
    /** Google's side of an update: checks, and what else changes. `changed`: names of inputs. */
    update?(change: Update): CloudResource;
    /** The steps in which changed inputs are sent, one after another; all at once by default. */
    rounds?(changed: readonly string[]): readonly (readonly string[])[];
    /** A machine of the sandbox has to follow: what was written is waited for. */
    readonly followed?: boolean;
    /** Minutes that Terraform waits by default. */
    readonly minutes: number;
    /** Refuses a delete that Google or Terraform refuses. */
    refuseDelete?(deletion: Deletion): void;
    /** Anything but taking the file away. Nobody else changes the cloud meanwhile. */
    beforeDelete?(deletion: Deletion): void;
    /** An existing one with this id is as good as a new one. */
    takesExisting?(inputs: TreeObject): boolean;
    /** What is left in the place of a deleted one; nothing by default. */
    remains?(now: CloudResource): CloudResource;
    /** True for a file that only remembers what was. */
    isGone?(resource: CloudResource): boolean;
}

export interface Update {
    readonly google: Google;
    readonly path: string;
    readonly now: CloudResource;
    /** The properties after the update. */
    readonly properties: TreeObject;
    /** Dotted paths of what changed. */
    readonly changed: readonly string[];
}
