// The registry of storage drivers.

import type { DriverName } from "../spec";
import type { StorageDriver } from "./driver";
import { dynamicStorage } from "./dynamic";
import { gceDiskStorage } from "./gce-disk";
import { localStorage } from "./local";

/** The driver of each name in a specification. */
export const STORAGE_DRIVERS: Readonly<Record<DriverName, StorageDriver>> = {
    dynamic: dynamicStorage,
    local: localStorage,
    "gce-disk": gceDiskStorage,
};
