// Loaded into the program before anything else: errors are shown without colours.
//
// The SDK shows what a program throws through util.inspect with colours. Node 20 then marks the module's name
// in each stack line, and never finds the end of `node_modules/@pulumi/resource.ts`, to which the SDK's source
// maps lead: it fills memory for 15 to 25 s before it gives up. Without colours it does not look for the name.

import util from "node:util";

const { inspect } = util;
const withoutColours = (value, options, ...rest) =>
    typeof options === "object"
        ? inspect(value, { ...options, colors: false })
        : inspect(value, options, ...rest);
util.inspect = Object.assign(withoutColours, inspect);
