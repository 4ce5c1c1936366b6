// The executable pulumi-resource-kubernetes of the sandbox.
