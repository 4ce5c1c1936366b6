// The registry of platforms. Nothing here loads a cloud's package.

import { MEMBERS_LABEL } from "../names";
import type { ClusterSpec } from "../spec";
import type * as planCost from "./gke/plan-cost";
import { inputProblems, planProblems } from "./gke/problems";
import type { PlatformRules } from "./platform";

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
        keys: ["gke", "machines", "prices"],
        problems: inputProblems,
        planProblems,
        memberPlacement: ({ name }) => ({
            nodeSelector: { [MEMBERS_LABEL]: name },
            tolerations: [
                { key: MEMBERS_LABEL, operator: "Equal", value: name, effect: "NoSchedule" },
            ],
        }),
        costChange: (old, wanted) => loadCosts().costChange(old, wanted),
        outlivesStack: false,
    },
};

/** The list of prices is loaded where it is asked for. */
function loadCosts(): typeof planCost {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- an import would be loaded by every program
    return require("./gke/plan-cost") as typeof planCost;
}
