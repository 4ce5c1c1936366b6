// The executable pulumi-language-nodejs of the sandbox.

import { engineAddressOf, runPlugin } from "../serve.js";
import { nodejsLanguageHost } from "./host.js";
import { ProgramRunner } from "./program.js";

/** The wrapper that starts this names the version of the SDK package that it stands beside. */
const version = process.env["QUORUM_STANDIN_VERSION"] ?? "0.0.0";
const runner = new ProgramRunner();

void runPlugin(nodejsLanguageHost(version, runner, engineAddressOf(process.argv.slice(2))), () =>
    runner.kill(),
);
