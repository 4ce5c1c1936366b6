// What a stack tells about its cluster.

import { script, type Engine, type JobFacts } from "./engines/engine";
import type { Member } from "./topology";

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

export function memberOutput(facts: JobFacts, member: Member, disk: string): MemberOutput {
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

export function endpointsOf(engine: Engine, facts: JobFacts): Record<string, string> {
    return Object.fromEntries(
        engine.services.map(({ suffix, ports }) => [
            suffix === "" ? "write" : suffix.slice(1),
            `${facts.service(suffix)}:${ports[0]!.port}`,
        ]),
    );
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
