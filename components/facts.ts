// What a specification means for an engine: its members, who of them begins and leads, and the names of its objects.

import type { Engine, Facts } from "./engines/engine";
import { objectNames, serviceAddress } from "./names";
import type { CompleteSpec } from "./spec";
import { chainOf, planMembers, primaryOf, seedsOf } from "./topology";

/** Works out what an engine's plans are made from. */
export function factsOf(spec: CompleteSpec, engine: Engine): Facts {
    const members = planMembers(spec, engine.roles);
    return {
        spec,
        image: spec.image,
        members,
        primary: primaryOf(spec, members),
        first: chainOf(spec, members, engine.roles)[0]!,
        seeds: seedsOf(spec),
        membersOf: (role) => members.filter((member) => member.role === role),
        address: (member) => serviceAddress(spec, member.name),
        service: (suffix) => serviceAddress(spec, `${spec.name}${suffix}`),
        record: objectNames(spec).record,
    };
}
