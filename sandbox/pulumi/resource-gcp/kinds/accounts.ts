// Service accounts, and the roles that members have in a project.

import { createHash } from "node:crypto";
import type { TreeObject } from "../../property-tree.js";
import { isUnknown } from "../../property-tree.js";
import type { Google, Kind, Problem } from "../kind.js";
import { ACCOUNT_ID, nameProblems } from "../names.js";
import { Refusal } from "../refusal.js";
import { textAt } from "../values.js";

const ACCOUNT = "projects/{project}/serviceAccounts/{email}";

function emailOf(inputs: TreeObject): string {
    return `${textAt(inputs, "accountId")}@${textAt(inputs, "project")}.iam.gserviceaccount.com`;
}

const account: Kind = {
    type: "gcp:serviceaccount/account:Account",
    title: "service account",
    id: ACCOUNT,
    variables: (properties) => ({ email: emailOf(properties) }),
    naming: { property: "accountId", longest: 30 },
    minutes: 5,
    problems: (inputs) => nameProblems(inputs, "accountId", ACCOUNT_ID),
    takesExisting: (inputs) => inputs["createIgnoreAlreadyExists"] === true,
    create: (inputs) => ({ ...inputs, email: emailOf(inputs) }),
    outputs: (properties, id) => {
        const email = textAt(properties, "email");
        const digest = createHash("sha256").update(email).digest();
        return {
            member: `serviceAccount:${email}`,
            name: id,
            // 21 digits, as Google's.
            uniqueId: `1${(digest.readBigUInt64BE() % 10n ** 20n).toString().padStart(20, "0")}`,
        };
    },
};

/** validateIAMMember: what a role can be given to. */
const MEMBER =
    /^(allUsers|allAuthenticatedUsers|(user|group|domain|serviceAccount|principal|principalSet|deleted:[a-z]+):.+)$/i;

function memberProblems(inputs: TreeObject): Problem[] {
    const member = inputs["member"];
    if (typeof member !== "string" || isUnknown(member) || MEMBER.test(member)) return [];
    return [
        {
            property: "member",
            reason: `"${member}" is no member of a policy, such as serviceAccount:NAME@PROJECT.iam.gserviceaccount.com.`,
        },
    ];
}

/** An account of this project must exist before it is given a role. */
function refuseUnknownAccount(inputs: TreeObject, google: Google): void {
    const [, email] = /^serviceAccount:([^[\]]+)$/.exec(textAt(inputs, "member")) ?? [];
    const [, project] = /@(.+)\.iam\.gserviceaccount\.com$/.exec(email ?? "") ?? [];
    if (email === undefined || project !== textAt(inputs, "project")) return;
    if (google.cloud.read(`projects/${project}/serviceAccounts/${email}`) === undefined) {
        throw new Refusal(400, `Service account ${email} does not exist.`, "badRequest");
    }
}

const member: Kind = {
    type: "gcp:projects/iAMMember:IAMMember",
    title: "IAM member",
    id: "{project}/{role}/{member}",
    path: "projects/{project}/iamMembers/{role}/{member}",
    // To import, Terraform takes spaces between them.
    parse: (id) => ({
        .../^(?<project>[^/ ]+)[/ ](?<role>.+)[/ ](?<member>[^/ ]+)$/.exec(id)?.groups,
    }),
    minutes: 20,
    deleteBeforeReplace: true,
    // One more in a list: giving a role twice is giving it once.
    takesExisting: () => true,
    problems: memberProblems,
    create: (inputs, google) => {
        refuseUnknownAccount(inputs, google);
        return { ...inputs };
    },
    outputs: (_properties, id) => ({
        etag: createHash("sha256").update(id).digest("base64").slice(0, 12),
    }),
};

export const ACCOUNTS: readonly Kind[] = [account, member];
