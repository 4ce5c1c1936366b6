// The annotation pulumi.com/waitFor: jsonpath={...}[=VALUE], condition=TYPE[=STATUS], or a JSON list
// of such expressions that must all hold. It takes the place of the kind's own rule.

import { PluginError } from "../../grpc-handler.js";
import type { Tree } from "../../property-tree.js";
import { conditionOf, numberAt, textAt, type KubernetesObject } from "../kubernetes-object.js";
import { evaluate, parseJsonPath } from "./json-path.js";
import { unless, waiting, type Rule } from "./rule.js";

/** A sentence about what is missing, or false when the expression holds. */
type Expression = (live: KubernetesObject) => string | false;

function jsonPathExpression(text: string): Expression {
    const found = /^\{(.*)\}(?:=(.*))?$/s.exec(text);
    if (found === null) {
        throw new PluginError(
            `pulumi.com/waitFor: "jsonpath=${text}" must have the form jsonpath={PATH} or jsonpath={PATH}=VALUE.`,
        );
    }
    const path = parseJsonPath(found[1]!);
    const wanted = found.at(2);
    return (live) => {
        const values = evaluate(path, live);
        if (values.length === 0) return `waiting for jsonpath=${text} (nothing there yet)`;
        if (wanted === undefined) return false;
        if (values.length > 1) {
            throw new PluginError(
                `pulumi.com/waitFor: jsonpath=${text} finds more than one value.`,
            );
        }
        const [value = null] = values;
        if (typeof value === "object" && value !== null) {
            throw new PluginError(
                `pulumi.com/waitFor: jsonpath=${text} finds a list or an object, which cannot be compared with a value.`,
            );
        }
        return (
            String(value) !== wanted && `waiting for jsonpath=${text} (found "${String(value)}")`
        );
    };
}

function conditionExpression(text: string): Expression {
    const [type = "", status = "True"] = text.split("=");
    return (live) => {
        const found = conditionOf(live, type);
        if (found === undefined) return `waiting for condition ${type}=${status} (not there yet)`;
        const now = textAt(found, "status");
        const message = textAt(found, "message");
        return (
            now.toLowerCase() !== status.toLowerCase() &&
            `waiting for condition ${type}=${status} (it is ${now}${message === "" ? "" : `: ${message}`})`
        );
    };
}

function parseExpression(text: string): Expression {
    const [, prefix, rest = ""] = /^(jsonpath|condition)=(.*)$/s.exec(text) ?? [];
    if (prefix === "jsonpath") return jsonPathExpression(rest);
    if (prefix === "condition") return conditionExpression(rest);
    throw new PluginError(
        `pulumi.com/waitFor: expected a "jsonpath=" or "condition=" prefix, got "${text}".`,
    );
}

function expressionsIn(annotation: string): string[] {
    let list: Tree;
    try {
        list = JSON.parse(annotation) as Tree;
    } catch {
        return [annotation];
    }
    if (!Array.isArray(list)) return [annotation];
    if (list.length === 0) {
        throw new PluginError("pulumi.com/waitFor: at least one condition must be specified.");
    }
    return list.map(String);
}

export function waitFor(annotation: string): Rule {
    const expressions = expressionsIn(annotation).map(parseExpression);
    return {
        check: (live) => {
            const observed = numberAt(live, "status", "observedGeneration");
            if (
                observed !== undefined &&
                observed < (numberAt(live, "metadata", "generation") ?? 0)
            ) {
                return waiting("its controller has not seen the change yet");
            }
            return unless(expressions.map((expression) => expression(live)));
        },
        judgedOnRead: false,
    };
}
