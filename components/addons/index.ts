// The registry of add-ons.

import type { AddonName } from "../spec";
import type { AddOn } from "./addon";
import { kine } from "./kine";

/** The add-on of each name in a specification. */
export const ADDONS = { kine } satisfies Readonly<Record<AddonName, AddOn>>;
