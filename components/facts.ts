// What a specification and its plan mean for an engine: names, addresses, and who of the members may be known where.

import type { JobFacts } from "./engines/engine";
import { memberDomain, objectNames, serviceAddress } from "./names";
import type { CompleteSpec } from "./spec";
import { homeOf, type Plan } from "./topology";

/** Works out what an engine's pods and jobs are made from. */
export function factsOf(spec: CompleteSpec, plan: Plan): JobFacts {
    const home = homeOf(spec);
    const domain = memberDomain(spec);
    return {
        ...plan,
        spec,
        image: spec.image,
        memberDomain: domain,
        address: (member) => `${member.name}.${domain}`,
        isRemote: ({ zone }) => home !== undefined && zone !== home,
        remoteZones: home === undefined ? [] : spec.zones.filter((zone) => zone !== home).sort(),
        service: (suffix) => serviceAddress(spec, `${spec.name}${suffix}`),
        record: objectNames(spec).record,
    };
}
