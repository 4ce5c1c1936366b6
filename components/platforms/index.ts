// The registry of platforms. Nothing here loads a cloud's package.

import type { ClusterSpec } from "../spec";
import { inputProblems, planProblems } from "./gke/problems";
import type { PlatformRules } from "./platform";

/** Label and taint of the nodes of one database's members; the value is its name. Pods and pools meet by it. */
export const MEMBERS_LABEL = "quorum.dev/members";

/** What holds for the platform of each name in a specification. */
export const PLATFORMS: Readonly<Record<ClusterSpec["platform"], PlatformRules>> = {
    existing: {
        keys: [],
        problems: () => [],
        planProblems: () => [],
        memberPlacement: () => ({}),
        outlivesStack: true,
    },
    gke: {
        keys: ["gke", "machines"],
        problems: inputProblems,
        planProblems,
        memberPlacement: ({ name }) => ({
            nodeSelector: { [MEMBERS_LABEL]: name },
            tolerations: [
                { key: MEMBERS_LABEL, operator: "Equal", value: name, effect: "NoSchedule" },
            ],
        }),
        outlivesStack: false,
    },
};
