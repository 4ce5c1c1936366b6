// Addresses of the cloud: says which load balancers use them, for one that is in use cannot be deleted.

import { type Sandbox } from "../cluster/plan.js";
import { Listing } from "../controllers/api.js";
import type { Controller } from "../controllers/controller.js";
import type { ServiceView } from "../controllers/load-balancers.js";
import { EVERY_ADDRESS } from "./paths.js";
import type { AddressStatus } from "./status.js";
import type { Cloud } from "./store.js";
import { isDeepStrictEqual } from "node:util";
import { apiOf } from "./control-planes.js";

/** Address -> the Services that have it, as NAMESPACE/NAME. */
function usersIn(services: readonly ServiceView[]): Map<string, string[]> {
    const users = new Map<string, string[]>();
    for (const { metadata, status } of services) {
        const address = status?.loadBalancer?.ingress?.[0]?.ip;
        if (address === undefined) continue;
        const name = `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`;
        users.set(address, [...(users.get(address) ?? []), name]);
    }
    return users;
}

export class AddressController implements Controller {
    readonly name = "addresses";
    readonly sources: Controller["sources"];
    readonly #services: readonly Listing<ServiceView>[];

    constructor(
        private readonly cloud: Cloud,
        sandboxes: readonly Sandbox[],
        changes: Controller["sources"],
    ) {
        this.#services = sandboxes.map(
            (sandbox) => new Listing<ServiceView>(apiOf(sandbox), "/api/v1/services"),
        );
        this.sources = [...changes, ...this.#services];
    }

    async reconcile(): Promise<void> {
        const users = usersIn(this.#services.flatMap((listing) => listing.list()));
        for (const { path, resource } of this.cloud.find<AddressStatus>(EVERY_ADDRESS)) {
            const address = resource.properties["address"];
            const now = typeof address === "string" ? (users.get(address) ?? []) : [];
            if (isDeepStrictEqual(now, resource.status.users ?? [])) continue;
            await this.cloud.update<AddressStatus>(path, (current) => ({
                ...current,
                status: { ...current.status, users: now },
            }));
        }
    }
}
