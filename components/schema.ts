// What keys are made of: names, quantities and references as Kubernetes takes them, each with what is said when it does not.

import { z } from "zod";
import { readImage } from "./engines/image-version";
import { isQuantity, parseQuantity } from "./quantity";

export const dnsLabel = (max: number) =>
    z
        .string()
        .max(max, `must have at most ${max} characters`)
        .regex(
            /^[a-z]([-a-z0-9]*[a-z0-9])?$/,
            "must be a DNS label: lower-case letters, digits and '-', starting with a letter",
        );

/** The name of a cluster is that of its namespace, unless told otherwise. */
export const ownName = (max: number) =>
    dnsLabel(max).regex(
        /^(?!(default|kubernetes|kube-.*)$)/,
        "belongs to Kubernetes itself: Quorum makes a namespace of its own, and may delete it",
    );

/** RFC 1123, as Kubernetes asks it of most names. */
export const dnsName = (what: string, max = 253) =>
    z
        .string()
        .max(max, `must have at most ${max} characters`)
        .regex(
            /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$/,
            `must be ${what}: lower-case letters, digits, '-' and '.'`,
        );

/** RFC 1035, as Google asks it of the names of most resources. */
export const gcpName = (what: string) =>
    z
        .string()
        .max(63, "must have at most 63 characters")
        .regex(
            /^[a-z]([-a-z0-9]*[a-z0-9])?$/,
            `must be ${what}: lower-case letters, digits and '-', starting with a letter`,
        );

/** k8s.io/apimachinery, IsQualifiedName: keys of annotations, and the provisioner of a StorageClass. */
export const QUALIFIED_NAME =
    /^(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/** `pulumi config set --path quorum:resources.cpu 1` makes a number: it is taken as it was written. */
const asText = <Schema extends z.ZodType<unknown, string>>(schema: Schema) =>
    z.preprocess(
        (value: string | number | undefined) => (typeof value === "number" ? `${value}` : value),
        schema,
    );

export const quantity = (
    what: string,
    example: string,
    [least, most]: readonly [string, string],
    isOne: (text: string) => boolean = isQuantity,
) =>
    asText(
        z
            .string()
            .refine(isOne, `must be ${what}, for example ${example}`)
            .refine(
                (text) => !isOne(text) || parseQuantity(text) >= parseQuantity(least),
                `must be at least ${least}`,
            )
            .refine(
                (text) => !isOne(text) || parseQuantity(text) <= parseQuantity(most),
                `must be at most ${most}`,
            ),
    );

export const bytes = (what: string, example: string, bounds: readonly [string, string]) =>
    quantity(
        `${what} as a Kubernetes quantity`,
        example,
        bounds,
        (text) => isQuantity(text) && Number.isInteger(parseQuantity(text)),
    );

export const nonEmpty = z.string().min(1, "must not be empty");

export const imageReference = z
    .string()
    .refine(
        (text) => readImage(text) !== undefined,
        "must be an image reference, for example registry.example/mysql:9.7.1",
    );

/** More digits than thousandths, and the units of bytes, mean nothing here. */
export const isCpu = (text: string): boolean => /^(\d+m|\d+(\.\d{1,3})?)$/.test(text);
