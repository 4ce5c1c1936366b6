// What a stack's configuration says of Kubernetes clusters that are there: the keys `kubeconfig`, `context` and `clusters`, which
// are the program's and no part of a specification.

import { z } from "zod";
import { at } from "../input";
import { toProblems, type Problem } from "../problems";

/** The values as Pulumi hands them over: text. */
export interface ExistingSettings {
    readonly kubeconfig?: string;
    readonly context?: string;
    /** JSON: zone -> {@link ZoneSettings}. */
    readonly clusters?: string;
}

const zoneSchema = z.strictObject({
    /** Path or content of a kubeconfig. Default: KUBECONFIG, else ~/.kube/config. */
    kubeconfig: z.string().min(1, "must not be empty").optional(),
    /** Context in it. Default: its current one. */
    context: z.string().min(1, "must not be empty").optional(),
    /** URL by which pods of the other clusters reach its API server. */
    server: z
        .string("the URL by which pods of the other clusters reach its API server is required")
        .regex(
            /^https:\/\/[^\s/?#]+$/,
            "must be the URL of an API server without a path, for example https://10.0.0.2:6443",
        ),
});
export type ZoneSettings = z.output<typeof zoneSchema>;

const clustersSchema = z.object({ clusters: z.record(z.string(), zoneSchema) });

/** What is wrong with the settings, given the specification's input, as far as that can be read. */
export function settingsProblems(input: unknown, settings: ExistingSettings): Problem[] {
    const isPerZone =
        at(input, ["layout"]) === "cluster-per-zone" &&
        (at(input, ["platform"]) ?? "existing") === "existing";
    if (!isPerZone) {
        return settings.clusters === undefined
            ? []
            : [
                  {
                      path: "clusters",
                      value: "...",
                      reason: "belongs to layout cluster-per-zone on platform existing",
                  },
              ];
    }
    const alone = (["kubeconfig", "context"] as const)
        .filter((key) => settings[key] !== undefined)
        .map((path): Problem => {
            const reason = `is that of one Kubernetes cluster: with layout cluster-per-zone write quorum:clusters.<zone>.${path}`;
            return { path, value: "...", reason };
        });
    return [...alone, ...clustersProblems(at(input, ["zones"]), settings.clusters)];
}

function clustersProblems(zones: unknown, text: string | undefined): Problem[] {
    if (text === undefined) {
        const reason =
            "layout cluster-per-zone needs the Kubernetes cluster of each zone: pulumi config set --path quorum:clusters.<zone>.context, .kubeconfig and .server";
        return [{ path: "clusters", value: undefined, reason }];
    }
    const given = { clusters: fromJson(text) };
    const { error, data } = clustersSchema.safeParse(given);
    if (error) {
        return error.issues
            .flatMap((issue) => toProblems(clustersSchema, issue, given))
            .map(hideSecrets);
    }
    if (!Array.isArray(zones)) {
        return [];
    }
    const named = zones.filter((zone): zone is string => typeof zone === "string");
    return [
        ...named
            .filter((zone) => !Object.hasOwn(data.clusters, zone))
            .map((zone): Problem => {
                const reason = `zone ${zone} needs its Kubernetes cluster: server, and a kubeconfig or context`;
                return { path: `clusters.${zone}`, value: undefined, reason };
            }),
        ...Object.keys(data.clusters)
            .filter((zone) => !named.includes(zone))
            .map((zone): Problem => {
                const reason = `is no zone of quorum:zones (${named.join(", ")})`;
                return { path: `clusters.${zone}`, value: "...", reason };
            }),
    ];
}

/** A kubeconfig holds keys: its content is not shown. */
const hideSecrets = (problem: Problem): Problem =>
    problem.value === undefined || problem.path.endsWith(".server")
        ? problem
        : { ...problem, value: "..." };

/** The clusters of settings that have no problems. */
export const clustersOf = ({ clusters }: ExistingSettings): Record<string, ZoneSettings> =>
    clustersSchema.parse({ clusters: fromJson(clusters ?? "{}") }).clusters;

function fromJson(text: string): unknown {
    try {
        return JSON.parse(text);
    } catch {
        return text;
    }
}
