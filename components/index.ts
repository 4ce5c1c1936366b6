// The library's public face.

export { readConfig, stackConfig } from "./config";
export { ChangeRefusedError, findChanges, refusals, type Finding } from "./changes";
export {
    DatabaseCluster,
    type AddonOutputs,
    type DatabaseClusterArgs,
    type MemberOutput,
} from "./database-cluster";
export { type KineOutput } from "./addons/kine";
export { existingPlatform } from "./platforms/existing";
export {
    SpecError,
    type ClusterSpec,
    type ClusterSpecInput,
    type CompleteSpec,
    type EngineName,
    type Problem,
} from "./spec";
export { planOf, type Member, type Plan } from "./topology";
export { acceptSpec } from "./validation";
