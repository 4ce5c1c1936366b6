import tseslint from "typescript-eslint";

export default tseslint.config(
    { ignores: ["node_modules", "dist", "**/*.mjs"] },
    ...tseslint.configs.strictTypeChecked,
    {
        languageOptions: { parserOptions: { projectService: true } },
        rules: {
            // A template literal is where numbers and booleans are meant to become text.
            "@typescript-eslint/restrict-template-expressions": [
                "error",
                { allowNumber: true, allowBoolean: true },
            ],
            // Pulumi resources register themselves in their constructors.
            "no-new": "off",
            "@typescript-eslint/no-non-null-assertion": "off",
            "@typescript-eslint/no-confusing-void-expression": [
                "error",
                { ignoreArrowShorthand: true },
            ],
        },
    },
    {
        // What mongosh runs: plain scripts, with its own globals.
        files: ["**/*.js"],
        ...tseslint.configs.disableTypeChecked,
        languageOptions: { parserOptions: { projectService: false }, sourceType: "script" },
        rules: {
            ...tseslint.configs.disableTypeChecked.rules,
            "@typescript-eslint/no-require-imports": "off",
        },
    },
);
