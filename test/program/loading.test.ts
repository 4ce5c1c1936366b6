// What the program does not use must cost it nothing: neither at a preview, nor in the memory of whoever runs it.

import { expect, test } from "vitest";
import { filesLoadedOf, runProgram } from "./engine.js";

test("on a Kubernetes that is there, nothing of Google's is loaded", async () => {
    const config = { name: "orders", engine: "mysql", zones: '["a","b","c"]' };
    const result = await runProgram({ config, preview: true, reportLoaded: true });
    expect(result.exitCode).toBe(0);
    // The list knows what is loaded.
    expect(filesLoadedOf(result, "@pulumi/kubernetes")).toContain("core/v1/service.js");
    expect(filesLoadedOf(result, "@pulumi/gcp")).toEqual([]);
});
