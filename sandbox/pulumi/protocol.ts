// The generated classes of Pulumi's gRPC protocol. They are CommonJS modules that fill their
// exports at run time, so an ES module can take them only as a default import.

import emptyPb from "google-protobuf/google/protobuf/empty_pb.js";
import engineGrpc from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import enginePb from "@pulumi/pulumi/proto/engine_pb.js";
import languageGrpc from "@pulumi/pulumi/proto/language_grpc_pb.js";
import languagePb from "@pulumi/pulumi/proto/language_pb.js";
import pluginPb from "@pulumi/pulumi/proto/plugin_pb.js";
import providerGrpc from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import providerPb from "@pulumi/pulumi/proto/provider_pb.js";

export {
    emptyPb,
    engineGrpc,
    enginePb,
    languageGrpc,
    languagePb,
    pluginPb,
    providerGrpc,
    providerPb,
};
