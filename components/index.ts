// The library's public face.

export { readConfig, stackConfig, withPackageConfig } from "./config";
export { ChangeRefusedError, findChanges, refusals } from "./rules/changes";
export { type Finding } from "./rules/rule";
export { DatabaseCluster, type AddonOutputs, type DatabaseClusterArgs } from "./database-cluster";
export { type MemberOutput } from "./outputs";
export { type KineOutput } from "./addons/kine";
export { existingPlatform, existingPlatforms } from "./platforms/existing";
export { settingsProblems } from "./platforms/existing-settings";
export { openPlatform } from "./platforms/open";
export type { Platform } from "./platforms/platform";
export { SpecError, type Problem } from "./problems";
export type { ClusterSpec, ClusterSpecInput, CompleteSpec, EngineName } from "./spec";
export { planOf, type Member, type Plan } from "./topology";
export { acceptSpec } from "./rules/accept";
