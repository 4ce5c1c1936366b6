// The registry of storage drivers.

import type { ClusterSpec } from "../spec";
import type { StorageDriver } from "./driver";
import { dynamicStorage } from "./dynamic";
import { localStorage } from "./local";

/** The driver of each name in a specification. */
export const STORAGE_DRIVERS: Readonly<Record<ClusterSpec["storage"]["driver"], StorageDriver>> = {
    dynamic: dynamicStorage,
    local: localStorage,
};
