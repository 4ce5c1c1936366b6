// What a stack tells about its cluster.

import * as pulumi from "@pulumi/pulumi";
import type { Access } from "./access";
import { script, type Engine, type JobFacts } from "./engines/engine";
import { endpointName, externalName } from "./outside";
import type { Member } from "./topology";

/** A member as the outputs show it. */
export interface MemberOutput {
    name: string;
    /** What it is in engines with several kinds of processes; `member` holds the data. */
    role: string;
    zone: string;
    claim: string;
    address: string;
    /** Where clients outside of Kubernetes reach it, host and port; only where `access.members` lets them in. */
    external?: string;
    /** Its name in the users' DNS; only where `names.domain` is set and `access.members` lets clients in. */
    externalName?: string;
    disk: string;
}

export function memberOutput(
    facts: JobFacts,
    member: Member,
    disk: string,
    { external: places }: Pick<Access, "external">,
): pulumi.Output<MemberOutput> {
    const name = externalName(facts.spec, member);
    return pulumi.output(places.get(member)).apply((external) => ({
        name: member.name,
        role: member.role,
        zone: member.zone,
        claim: member.name,
        address: facts.address(member),
        ...(external !== undefined && {
            external,
            ...(name !== undefined && { externalName: name }),
        }),
        disk,
    }));
}

/** `write` and `read` inside of Kubernetes, `externalWrite` and `externalRead` where `access.clients` lets clients in. */
export function endpointsOf(
    engine: Engine,
    facts: JobFacts,
    { endpoints }: Pick<Access, "endpoints">,
): pulumi.Output<Record<string, string>> {
    const inside = engine.services.map((service) => [
        endpointName(service),
        `${facts.service(service.suffix)}:${service.ports[0]!.port}`,
    ]);
    const outside = Object.entries(endpoints).map(([name, place]) => [
        `external${name[0]!.toUpperCase()}${name.slice(1)}`,
        place,
    ]);
    return pulumi.output(Object.fromEntries([...inside, ...outside]) as Record<string, string>);
}

export function commandsOf(engine: Engine, facts: JobFacts): Record<string, string> {
    const { spec, primary } = facts;
    const exec = (flags: string, container: string, command: readonly string[]) =>
        `kubectl --namespace ${spec.namespace} exec ${flags}${primary.name}-0 --container ${container} -- ${command.join(" ")}`;
    const port = engine.services[0]!.ports[0]!.port;
    const forward = (wanted: number) =>
        `kubectl --namespace ${spec.namespace} port-forward pod/${primary.name}-0 ${wanted}:${wanted}`;
    const console = engine.ports(spec).find(({ scope }) => scope === "console");
    return {
        client: exec("--stdin --tty ", engine.container, script("client.sh")),
        status: exec("", engine.statusContainer ?? engine.container, script("status.sh")),
        portForward: forward(port),
        ...(console && { console: forward(console.port) }),
    };
}
