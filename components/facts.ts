// What a specification and its plan mean for an engine: names, addresses, and who of the members may be known where.

import type { JobFacts } from "./engines/engine";
import { objectNames, serviceAddress } from "./names";
import type { CompleteSpec } from "./spec";
import type { Plan } from "./topology";

/** Works out what an engine's pods and jobs are made from. */
export function factsOf(spec: CompleteSpec, plan: Plan): JobFacts {
    return {
        ...plan,
        spec,
        image: spec.image,
        address: (member) => serviceAddress(spec, member.name),
        service: (suffix) => serviceAddress(spec, `${spec.name}${suffix}`),
        record: objectNames(spec).record,
    };
}
