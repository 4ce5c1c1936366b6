// Zones and regions that the sandbox has.

import { regionOf } from "../../cloud/paths.js";
import { Refusal } from "./refusal.js";

export function unknownZone(zone: string, known: readonly string[]): Refusal {
    return new Refusal(
        400,
        `Invalid value for field 'zone': '${zone}'. Unknown zone; the sandbox has ${known.join(", ")}`,
        "invalid",
    );
}

/** The zones of a location: a zone itself, or all of a region. */
export function zonesIn(location: string, known: readonly string[]): string[] {
    return known.filter((zone) => zone === location || regionOf(zone) === location);
}
