// The cloud's private DNS zones, as the sandboxes' name servers answer them.

import type { Sandbox } from "../cluster/plan.js";
import { recordLines, writeZones, type RecordSet } from "../cluster/zone-files.js";
import { log, type Controller } from "../controllers/controller.js";
import { EVERY_MANAGED_ZONE } from "./paths.js";
import type { Cloud } from "./store.js";

export class NameController implements Controller {
    readonly name = "private DNS zones";

    constructor(
        private readonly cloud: Cloud,
        private readonly sandboxes: readonly Sandbox[],
        readonly sources: Controller["sources"],
    ) {}

    reconcile(): Promise<void> {
        const zones = new Map<string, string[]>();
        for (const { path, resource } of this.cloud.find(EVERY_MANAGED_ZONE)) {
            const { dnsName, visibility } = resource.properties;
            if (visibility !== "private" || typeof dnsName !== "string") continue;
            const records = this.cloud.find(`${path}/recordSets/*`);
            zones.set(
                dnsName,
                recordLines(
                    records.map(({ resource }) => resource.properties as unknown as RecordSet),
                ),
            );
        }
        const changed = new Set(this.sandboxes.flatMap((sandbox) => writeZones(sandbox, zones)));
        for (const domain of changed) {
            log(this.name, `${domain} has ${zones.get(domain)?.length ?? 0} records`);
        }
        return Promise.resolve();
    }
}
