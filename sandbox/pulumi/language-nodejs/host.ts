// The LanguageRuntime service: what the CLI asks of a language before, while and after it runs a
// program. The program itself is run by the SDK (program.ts).

import grpc from "@grpc/grpc-js";
import type {
    AboutRequest,
    GetProgramDependenciesRequest,
    GetRequiredPackagesRequest,
    GetRequiredPluginsRequest,
    LanguageHandshakeRequest,
    ProgramInfo,
    RunRequest,
} from "@pulumi/pulumi/proto/language_pb.js";
import { handler, PluginError, unsupported } from "../grpc-handler.js";
import { fromStruct, type TreeObject } from "../property-tree.js";
import { emptyPb, languageGrpc, languagePb, pluginPb } from "../protocol.js";
import type { Service } from "../serve.js";
import { parseOptions } from "./options.js";
import { programDependencies, requiredPlugins } from "./packages.js";
import type { ProgramRunner } from "./program.js";

export const NAMED_STAND_IN =
    "This is the sandbox's stand-in for Pulumi's Node.js language host (sandbox/pulumi/README.md), not the real one.";

function optionsOf(info: ProgramInfo | undefined): TreeObject {
    return fromStruct(info?.getOptions());
}

function requiredPackages(request: GetRequiredPackagesRequest) {
    const response = new languagePb.GetRequiredPackagesResponse();
    const directory = request.getInfo()?.getProgramDirectory() ?? ".";
    for (const plugin of requiredPlugins(directory)) {
        const dependency = new pluginPb.PackageDependency();
        dependency.setKind("resource");
        dependency.setName(plugin.name);
        dependency.setVersion(plugin.version);
        dependency.setServer(plugin.server);
        response.addPackages(dependency);
    }
    return response;
}

/** The same question as older CLIs ask it. */
function requiredPluginsOf(request: GetRequiredPluginsRequest) {
    const response = new languagePb.GetRequiredPluginsResponse();
    const directory = request.getInfo()?.getProgramDirectory() ?? request.getPwd();
    for (const plugin of requiredPlugins(directory)) {
        const dependency = new pluginPb.PluginDependency();
        dependency.setKind("resource");
        dependency.setName(plugin.name);
        dependency.setVersion(plugin.version);
        dependency.setServer(plugin.server);
        response.addPlugins(dependency);
    }
    return response;
}

function about(request: AboutRequest) {
    parseOptions(optionsOf(request.getInfo()));
    const response = new languagePb.AboutResponse();
    response.setExecutable(process.execPath);
    response.setVersion(process.version);
    response.getMetadataMap().set("languageHost", NAMED_STAND_IN);
    return response;
}

function dependencies(request: GetProgramDependenciesRequest) {
    const response = new languagePb.GetProgramDependenciesResponse();
    const directory = request.getInfo()?.getProgramDirectory() ?? request.getPwd();
    for (const { name, version } of programDependencies(directory)) {
        const dependency = new languagePb.DependencyInfo();
        dependency.setName(name);
        dependency.setVersion(version);
        response.addDependencies(dependency);
    }
    return response;
}

async function run(runner: ProgramRunner, engine: string, request: RunRequest) {
    const info = request.getInfo();
    if (info === undefined) throw new PluginError("The CLI did not say which program to run.");
    const end = await runner.run({
        programDirectory: info.getProgramDirectory(),
        rootDirectory: info.getRootDirectory(),
        entryPoint: info.getEntryPoint(),
        monitor: request.getMonitorAddress(),
        engine,
        organization: request.getOrganization(),
        project: request.getProject(),
        stack: request.getStack(),
        parallel: request.getParallel(),
        dryRun: request.getDryrun(),
        config: Object.fromEntries(request.getConfigMap().toArray()),
        configSecretKeys: request.getConfigsecretkeysList(),
        arguments: request.getArgsList(),
        options: parseOptions(optionsOf(info)),
    });
    const response = new languagePb.RunResponse();
    response.setError(end.error);
    response.setBail(end.bail);
    return response;
}

export function nodejsLanguageHost(
    version: string,
    runner: ProgramRunner,
    engineAddress = "",
): Service {
    let engine = engineAddress;
    const noCode = "The sandbox's stand-in for the Node.js language host generates no code.";
    const implementation: grpc.UntypedServiceImplementation = {
        handshake: handler((request: LanguageHandshakeRequest) => {
            engine = request.getEngineAddress() === "" ? engine : request.getEngineAddress();
            return new languagePb.LanguageHandshakeResponse();
        }),
        getRequiredPackages: handler(requiredPackages),
        getRequiredPlugins: handler(requiredPluginsOf),
        getPluginInfo: handler(() => {
            const info = new pluginPb.PluginInfo();
            info.setVersion(version);
            return info;
        }),
        installDependencies: (call: grpc.ServerWritableStream<unknown, unknown>) => call.end(),
        about: handler(about),
        getProgramDependencies: handler(dependencies),
        runtimeOptionsPrompts: handler(() => new languagePb.RuntimeOptionsResponse()),
        template: handler(() => new languagePb.TemplateResponse()),
        run: handler((request: RunRequest) => run(runner, engine, request)),
        cancel: handler(() => {
            runner.cancel();
            return new emptyPb.Empty();
        }),
        runPlugin: unsupported(
            "The sandbox's stand-in for the Node.js language host runs programs, no plugins.",
        ),
        generateProgram: unsupported(noCode),
        generateProject: unsupported(noCode),
        generatePackage: unsupported(noCode),
        pack: unsupported(noCode),
        link: unsupported(noCode),
    };
    return { definition: languageGrpc.LanguageRuntimeService, implementation };
}
