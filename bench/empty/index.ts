// No resource and no output: what is left is what the CLI, the language host and the backend take by themselves.
export {};
