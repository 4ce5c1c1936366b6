// The rules by which plans are made, each on its own: no program runs here.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { changesOf, isAnotherCluster, type ForceNewTables } from "./engine/differences.js";
import { Planner, type Decision, type PlanRules } from "./engine/planner.js";
import { contains, formatPath, parsePath, resetAt, valueAt } from "./engine/property-path.js";
import type { Registration } from "./engine/registration.js";
import { blankRegistration } from "./engine/requests.js";
import { urnOfAlias } from "./engine/urn.js";
import { sameValue, Secret, UNKNOWN, type PropertyMap } from "./engine/values.js";

const AT = { stack: "test", project: "plan" };
const PREFIX = "urn:pulumi:test::plan::";

function resource(
    type: string,
    name: string,
    inputs: PropertyMap,
    options: Partial<Registration> = {},
): Registration {
    const blank = blankRegistration(`${PREFIX}${type}::${name}`, type, name);
    return { ...blank, inputs, checkedInputs: inputs, ...options };
}

/** What a planner decides on the second of two runs, by the resource's name. */
function decide(
    before: Registration[],
    after: Registration[],
    rules: PlanRules = {},
): { decisions: Record<string, Decision>; deletions: string[] } {
    const first = new Planner(AT, new Map(), rules);
    for (const registration of before) {
        first.decide(registration);
    }
    const state = new Map(before.map((registration) => [registration.urn, registration]));
    const second = new Planner(AT, state, rules);
    const decisions = Object.fromEntries(
        after.map((registration) => [registration.name, second.decide(registration)]),
    );
    const deletions = second.deletions().map(({ registration }) => registration.name);
    return { decisions, deletions };
}

/** What a planner decides on one object whose inputs change. */
function change(type: string, before: PropertyMap, after: PropertyMap, options = {}): Decision {
    const { decisions } = decide(
        [resource(type, "it", before, options)],
        [resource(type, "it", after, options)],
    );
    return decisions["it"]!;
}

const named = (more: PropertyMap): PropertyMap => ({ metadata: { name: "it" }, ...more });

describe("a change of a Kubernetes object", () => {
    test.each([
        ["apps/v1:StatefulSet", "spec.replicas", "update"],
        ["apps/v1:StatefulSet", "spec.template.spec.containers[0].image", "update"],
        ["apps/v1:StatefulSet", "spec.updateStrategy.type", "update"],
        ["apps/v1:StatefulSet", "spec.volumeClaimTemplates", "replace"],
        ["apps/v1:StatefulSet", "spec.serviceName", "replace"],
        ["apps/v1:StatefulSet", "spec.revisionHistoryLimit", "replace"],
        ["apps/v1:StatefulSet", "spec.podManagementPolicy", "replace"],
        ["apps/v1:StatefulSet", "spec.selector.matchLabels.app", "replace"],
        ["apps/v1:Deployment", "spec.selector.matchLabels.app", "replace"],
        ["apps/v1:Deployment", "spec.template.spec.containers[0].image", "update"],
        ["batch/v1:Job", "spec.template.spec.containers[0].image", "replace"],
        ["batch/v1:Job", "spec.backoffLimit", "update"],
        ["batch/v1:CronJob", "spec.jobTemplate.spec.template", "update"],
        ["core/v1:PersistentVolumeClaim", "spec.resources.requests.storage", "update"],
        ["core/v1:PersistentVolumeClaim", "spec.storageClassName", "replace"],
        ["core/v1:PersistentVolumeClaim", "spec.volumeName", "replace"],
        ["core/v1:PersistentVolumeClaim", "spec.accessModes[0]", "replace"],
        ["core/v1:PersistentVolume", "spec.capacity.storage", "update"],
        ["core/v1:PersistentVolume", "spec.local.path", "replace"],
        ["core/v1:Pod", "spec.containers[1].image", "replace"],
        ["core/v1:Pod", "spec.activeDeadlineSeconds", "update"],
        ["core/v1:Service", "spec.clusterIP", "replace"],
        ["core/v1:Service", "spec.ports[0].port", "update"],
        ["core/v1:ConfigMap", "data.conf", "replace"],
        ["core/v1:Secret", "stringData.password", "replace"],
        ["core/v1:Secret", "type", "replace"],
        ["policy/v1:PodDisruptionBudget", "spec.maxUnavailable", "update"],
        ["rbac.authorization.k8s.io/v1:RoleBinding", "roleRef.name", "replace"],
        ["rbac.authorization.k8s.io/v1:RoleBinding", "subjects[0].name", "update"],
        ["storage.k8s.io/v1:StorageClass", "parameters.type", "replace"],
        ["storage.k8s.io/v1:StorageClass", "allowVolumeExpansion", "update"],
        ["core/v1:ServiceAccount", "metadata.labels.app", "update"],
        ["core/v1:ServiceAccount", "metadata.namespace", "replace"],
    ])("%s %s: %s", (type, path, operation) => {
        const filled = (value: string): PropertyMap => {
            const root: PropertyMap = named({});
            const elements = parsePath(path);
            let current: PropertyMap | PropertyMap[string][] = root;
            elements.forEach((element, index) => {
                const next =
                    index === elements.length - 1
                        ? value
                        : typeof elements[index + 1] === "number"
                          ? []
                          : {};
                const target = current as PropertyMap;
                target[element] ??= next;
                current = target[element] as PropertyMap;
            });
            return root;
        };
        const decision = change(`kubernetes:${type}`, filled("a"), filled("b"));
        expect(decision.operation).toBe(operation);
    });

    test("is in place for ConfigMaps and Secrets where the provider is told so", () => {
        const provider = resource("pulumi:providers:kubernetes", "cluster", {
            enableConfigMapMutable: "true",
            enableSecretMutable: "true",
        });
        const on = { provider: `${provider.urn}::id` };
        const run = (value: string): Registration[] => [
            { ...provider },
            resource("kubernetes:core/v1:ConfigMap", "plain", named({ data: { value } }), on),
            resource("kubernetes:core/v1:Secret", "secret", named({ stringData: { value } }), on),
            resource(
                "kubernetes:core/v1:ConfigMap",
                "fixed",
                named({ metadata: { name: "fixed" }, immutable: true, data: { value } }),
                on,
            ),
        ];
        const { decisions } = decide(run("a"), run("b"));
        expect(decisions["plain"]!.operation).toBe("update");
        expect(decisions["secret"]!.operation).toBe("update");
        expect(decisions["fixed"]!.operation).toBe("replace");
    });

    test("of an unnamed object keeps the generated name, and a replacement gets another", () => {
        const job = (image: string, limit: number): PropertyMap => ({
            spec: { template: { image }, backoffLimit: limit },
        });
        const type = "kubernetes:batch/v1:Job";
        const [before, patched, again] = [job("1", 1), job("1", 2), job("2", 1)].map((inputs) =>
            resource(type, "job", inputs),
        ) as [Registration, Registration, Registration];
        const nameOf = ({ checkedInputs }: Registration) => valueAt(checkedInputs, "metadata.name");
        expect(decide([before], [patched]).decisions["job"]!.operation).toBe("update");
        expect(nameOf(patched)).toBe(nameOf(before));
        const { decisions, deletions } = decide([before], [again]);
        expect(decisions["job"]).toMatchObject({
            operation: "replace",
            deleteBeforeReplace: false,
        });
        expect(nameOf(again)).not.toBe(nameOf(before));
        expect(deletions).toEqual(["job"]);
    });

    test("takes the default namespace for what it is", () => {
        const type = "kubernetes:core/v1:ServiceAccount";
        const explicit = { metadata: { name: "it", namespace: "default" } };
        expect(change(type, named({}), explicit).operation).toBe("same");
    });

    test("is no change where only an envelope came or went", () => {
        const type = "kubernetes:core/v1:Secret";
        const [plain, secret] = [
            { stringData: { a: "b" } },
            { stringData: new Secret({ a: "b" }) },
        ];
        expect(change(type, named(plain), named(secret)).operation).toBe("same");
    });

    test("obeys ignoreChanges and replaceOnChanges", () => {
        const type = "kubernetes:apps/v1:StatefulSet";
        const [before, after] = [{ spec: { replicas: 1 } }, { spec: { replicas: 2 } }].map(
            named,
        ) as [PropertyMap, PropertyMap];
        const ignoring = { ignoreChanges: ["spec.replicas"] };
        expect(change(type, before, after, ignoring).operation).toBe("same");
        const replacing = { replaceOnChanges: ["spec.*"] };
        expect(change(type, before, after, replacing)).toMatchObject({
            operation: "replace",
            deleteBeforeReplace: true,
        });
    });

    test("replaces on a trigger, without deleting first", () => {
        const type = "kubernetes:batch/v1:Job";
        const before = resource(type, "it", named({}), { replacementTrigger: "3 members" });
        const after = resource(type, "it", named({}), { replacementTrigger: "5 members" });
        expect(decide([before], [after]).decisions["it"]).toMatchObject({
            operation: "replace",
            because: "its replacement trigger changed",
            deleteBeforeReplace: false,
        });
    });
});

describe("an object that is deleted before it is made anew", () => {
    const claim = (storageClassName: string): Registration =>
        resource("kubernetes:core/v1:PersistentVolumeClaim", "claim", {
            metadata: { name: "claim" },
            spec: { storageClassName },
        });
    const user = (name: string, type: string, inputs: PropertyMap, by: string, more = {}) =>
        resource(
            type,
            name,
            { metadata: { name }, ...inputs },
            {
                dependencies: [claim("").urn],
                propertyDependencies: { [by]: [claim("").urn] },
                ...more,
            },
        );

    test("takes down those that a change of it would replace, and no others", () => {
        const users = (): Registration[] => [
            user("config", "kubernetes:core/v1:ConfigMap", { data: { claim: "claim" } }, "data"),
            user("set", "kubernetes:apps/v1:StatefulSet", { spec: { serviceName: "a" } }, "spec"),
        ];
        const { decisions, deletions } = decide(
            [claim("slow"), ...users()],
            [claim("fast"), ...users()],
        );
        expect(decisions["claim"]!.deletedFirst.map(({ name }) => name)).toEqual(["config"]);
        expect(decisions["config"]).toMatchObject({
            operation: "replace",
            because: "a resource it depends on is deleted and made anew",
        });
        expect(decisions["set"]!.operation).toBe("same");
        expect(deletions).toEqual([]);
    });

    test("takes down what is deleted with it", () => {
        const with_ = { deletedWith: claim("").urn };
        const tenant = (): Registration =>
            user("tenant", "kubernetes:core/v1:Service", {}, "spec", with_);
        const { decisions } = decide([claim("slow"), tenant()], [claim("fast"), tenant()]);
        expect(decisions["claim"]!.deletedFirst.map(({ name }) => name)).toEqual(["tenant"]);
    });

    test("is refused where a protected one would go down with it", () => {
        const guarded = (): Registration =>
            user("config", "kubernetes:core/v1:ConfigMap", { data: {} }, "data", { protect: true });
        const { decisions } = decide([claim("slow"), guarded()], [claim("fast"), guarded()]);
        expect(decisions["claim"]!.refusal).toContain(`"${guarded().urn}"`);
    });
});

describe("other resources", () => {
    test("random values are made anew by any other input", () => {
        const type = "random:index/randomPassword:RandomPassword";
        expect(change(type, { length: 24 }, { length: 32 }).operation).toBe("replace");
    });

    test("components are updated exactly when their arguments differ", () => {
        const component = { custom: false };
        const type = "quorum:index:DatabaseCluster";
        expect(change(type, { replicas: 3 }, { replicas: 3 }, component).operation).toBe("same");
        expect(change(type, { replicas: 3 }, { replicas: 5 }, component).operation).toBe("update");
        const [plain, secret] = [{ password: "a" }, { password: new Secret("a") }];
        expect(change(type, plain, secret, component).operation).toBe("update");
    });

    test("deletions go from the outside in, disks last", () => {
        const disk = (name: string): Registration =>
            resource("kubernetes:core/v1:PersistentVolumeClaim", name, { metadata: { name } });
        const member = (name: string, uses: Registration[]): Registration =>
            resource(
                "kubernetes:apps/v1:StatefulSet",
                name,
                { metadata: { name } },
                {
                    dependencies: uses.map(({ urn }) => urn),
                },
            );
        const [d0, d1] = [disk("d0"), disk("d1")];
        const m0 = member("m0", [d0]);
        const m1 = member("m1", [d1, m0]);
        expect(decide([d0, m0, d1, m1], []).deletions).toEqual(["m1", "m0", "d1", "d0"]);
    });
});

describe("a change of a resource of Google's", () => {
    const pool = "gcp:container/nodePool:NodePool";
    const disk = "gcp:compute/disk:Disk";
    const role = "gcp:projects/iAMMember:IAMMember";
    /** A small part of Google's; the whole of it is the stand-in's. */
    const forceNew: ForceNewTables = {
        paths: {
            [pool]: ["name", "nodeConfig.spot", "nodeConfig.guestAccelerators[*].type"],
            [disk]: ["name", "zone", "licenses", "diskEncryptionKey.kmsKeySelfLink"],
            [role]: ["role"],
        },
        blocks: { [pool]: ["nodeConfig.sandboxConfig"] },
        when: { [disk]: { size: (old, wanted) => Number(wanted) < Number(old) } },
    };
    const plan = (
        type: string,
        before: PropertyMap,
        after: PropertyMap,
        options: Partial<Registration> = {},
    ): Decision =>
        decide([resource(type, "it", before, options)], [resource(type, "it", after, options)], {
            forceNew,
        }).decisions["it"]!;
    const replacing = ({ changes }: Decision): string[] =>
        changes.filter(({ replaces }) => replaces).map(({ path }) => path);
    const config = (nodeConfig: PropertyMap): PropertyMap => ({ name: "it", nodeConfig });

    test.each<[string, PropertyMap, PropertyMap, string[]]>([
        ["inside of a block", { spot: false }, { spot: true }, ["nodeConfig.spot"]],
        ["beside it", { spot: true, machineType: "a" }, { spot: true, machineType: "b" }, []],
        [
            "at an index of a list",
            { guestAccelerators: [{ type: "a", count: 1 }, { type: "b" }] },
            { guestAccelerators: [{ type: "a", count: 2 }, { type: "c" }] },
            ["nodeConfig.guestAccelerators[1].type"],
        ],
        [
            "in an element that comes",
            { guestAccelerators: [{ type: "a" }] },
            { guestAccelerators: [{ type: "a" }, { type: "b" }] },
            ["nodeConfig.guestAccelerators[1]"],
        ],
        [
            "of a block that comes as a whole",
            {},
            { sandboxConfig: { type: "GVISOR" } },
            ["nodeConfig.sandboxConfig"],
        ],
        [
            "in a block that stays",
            { sandboxConfig: { type: "GVISOR" } },
            { sandboxConfig: { type: "OTHER" } },
            [],
        ],
        ["to what is not known yet", { spot: false }, { spot: UNKNOWN }, ["nodeConfig.spot"]],
    ])("%s replaces where the table says so", (_where, before, after, paths) => {
        expect(replacing(plan(pool, config(before), config(after)))).toEqual(paths);
    });

    test("replaces by its value where the table asks for it", () => {
        const sized = (size: PropertyMap[string]): PropertyMap => ({ name: "it", size });
        expect(plan(disk, sized(10), sized(20)).operation).toBe("update");
        expect(plan(disk, sized(20), sized(10)).operation).toBe("replace");
        expect(plan(disk, sized(10), sized(UNKNOWN)).operation).toBe("replace");
    });

    test("deletes first where the program gave the name, also when it gives another one", () => {
        const [here, there] = [
            { name: "it", zone: "b" },
            { name: "it", zone: "c" },
        ];
        expect(plan(disk, here, there)).toMatchObject({
            operation: "replace",
            deleteBeforeReplace: true,
        });
        expect(plan(disk, here, { ...here, name: "other" })).toMatchObject({
            operation: "replace",
            deleteBeforeReplace: true,
        });
        expect(plan(disk, here, there, { deleteBeforeReplace: false })).toMatchObject({
            operation: "replace",
            deleteBeforeReplace: false,
        });
        expect(plan(role, { role: "a" }, { role: "b" }).deleteBeforeReplace).toBe(true);
    });

    test("of one without a name keeps the generated name, and makes the new one first", () => {
        const before = resource(disk, "it", { zone: "b", size: 10 });
        const grown = resource(disk, "it", { zone: "b", size: 20 });
        const moved = resource(disk, "it", { zone: "c", size: 10 });
        expect(decide([before], [grown], { forceNew }).decisions["it"]!.operation).toBe("update");
        expect(before.checkedInputs["name"]).toMatch(/^it-[0-9a-f]{7}$/);
        expect(grown.checkedInputs["name"]).toBe(before.checkedInputs["name"]);
        const { decisions, deletions } = decide([before], [moved], { forceNew });
        expect(decisions["it"]).toMatchObject({ operation: "replace", deleteBeforeReplace: false });
        expect(moved.checkedInputs["name"]).not.toBe(before.checkedInputs["name"]);
        expect(deletions).toEqual(["it"]);
    });

    test("of a generated name that would be too long is refused", () => {
        const account = "gcp:serviceaccount/account:Account";
        const name = "a-service-account-of-orders";
        expect(() => decide([resource(account, name, {})], [], { forceNew })).toThrow(
            "plus 7 random chars is longer than maximum length 30",
        );
    });

    test("obeys ignoreChanges, at any depth and index", () => {
        const before = {
            name: "it",
            zone: "b",
            size: 20,
            licenses: ["a", "b"],
            diskEncryptionKey: { kmsKeySelfLink: "old", rawKey: "x" },
        };
        const after = {
            name: "it",
            zone: "c",
            size: 10,
            licenses: ["a", "c"],
            diskEncryptionKey: { kmsKeySelfLink: "new", rawKey: "x" },
        };
        const ignoreChanges = ["zone", "size", "licenses[1]", "diskEncryptionKey.kmsKeySelfLink"];
        expect(plan(disk, before, after, { ignoreChanges }).operation).toBe("same");
        const but = (left: string) => ignoreChanges.filter((path) => path !== left);
        for (const path of ignoreChanges) {
            const decision = plan(disk, before, after, { ignoreChanges: but(path) });
            expect(replacing(decision)).toEqual([path]);
        }
    });

    test("is not ignored where a list becomes longer", () => {
        const [one, two] = [["a"], ["a", "b"]].map((licenses) => ({ name: "it", licenses }));
        for (const ignored of ["licenses[1]", "licenses[*]"]) {
            const decision = plan(disk, one!, two!, { ignoreChanges: [ignored] });
            expect(replacing(decision)).toEqual(["licenses[1]"]);
        }
    });

    test("is not ignored with what comes beside it", () => {
        const ignoreChanges = ["nodeConfig.spot"];
        const decision = plan(pool, { name: "it" }, config({ spot: true, diskSizeGb: 50 }), {
            ignoreChanges,
        });
        expect(decision.changes).toEqual([{ path: "nodeConfig", kind: "add", replaces: false }]);
    });

    test("cannot be judged without a table", () => {
        const address = "gcp:compute/address:Address";
        expect(() => plan(address, { name: "a" }, { name: "b" })).toThrow(
            `${PREFIX}${address}::it changes: say in \`forceNew\` what replaces its type`,
        );
    });
});

describe("a Kubernetes provider", () => {
    const kubeconfig = (server: string, token: string): string =>
        JSON.stringify({
            "current-context": "here",
            contexts: [{ name: "here", context: { cluster: "one", user: "me" } }],
            clusters: [{ name: "one", cluster: { server } }],
            users: [{ name: "me", user: { token } }],
        });

    test("is another cluster when the active cluster of its kubeconfig is", () => {
        const here = { kubeconfig: kubeconfig("https://a", "1") };
        expect(isAnotherCluster(here, { kubeconfig: kubeconfig("https://a", "2") })).toBe(false);
        expect(isAnotherCluster(here, { kubeconfig: kubeconfig("https://b", "1") })).toBe(true);
        expect(isAnotherCluster(here, { kubeconfig: UNKNOWN })).toBe(true);
    });

    test("is what its clusterIdentifier says, whatever the kubeconfig", () => {
        const one = { clusterIdentifier: "one", kubeconfig: kubeconfig("https://a", "1") };
        expect(isAnotherCluster(one, { ...one, kubeconfig: UNKNOWN })).toBe(false);
        expect(isAnotherCluster(one, { ...one, clusterIdentifier: "two" })).toBe(true);
    });
});

describe("aliases", () => {
    const now = { at: AT, parent: `${PREFIX}a:b:Parent::p`, type: "a:b:C", name: "now" };
    test.each([
        [{ name: "before" }, `${PREFIX}a:b:Parent$a:b:C::before`],
        [{ type: "a:b:Old" }, `${PREFIX}a:b:Parent$a:b:Old::now`],
        [{ noParent: true }, `${PREFIX}a:b:C::now`],
        [{ parent: `${PREFIX}a:b:Other::o` }, `${PREFIX}a:b:Other$a:b:C::now`],
        [{ stack: "old" }, "urn:pulumi:old::plan::a:b:Parent$a:b:C::now"],
        [{ urn: `${PREFIX}x:y:Z::z` }, `${PREFIX}x:y:Z::z`],
    ])("%j means %s", (alias, urn) => {
        expect(urnOfAlias(alias, now, () => undefined)).toBe(urn);
    });
});

describe("property paths", () => {
    test("are read and written as Pulumi does", () => {
        const path = 'metadata.annotations["a.b/c"].x[0].y';
        expect(parsePath(path)).toEqual(["metadata", "annotations", "a.b/c", "x", 0, "y"]);
        expect(formatPath(parsePath(path))).toBe(path);
        expect(contains(parsePath("spec.*"), parsePath("spec.replicas"))).toBe(true);
        expect(contains(parsePath("spec.a"), parsePath("spec"))).toBe(false);
    });

    test("are reset to what was before, or taken away where there was nothing", () => {
        const next = { spec: { replicas: 5, image: "new", list: [{ a: 1 }, { a: 2 }] } };
        const previous = { spec: { replicas: 3, list: [{ a: 7 }, { a: 8 }] } };
        expect(resetAt(next, previous, ["spec.replicas", "spec.image", "spec.list[*].a"])).toEqual({
            spec: { replicas: 3, list: [{ a: 7 }, { a: 8 }] },
        });
    });
});

const json = fc.dictionary(
    fc.string({ minLength: 1 }),
    fc.jsonValue(),
) as fc.Arbitrary<PropertyMap>;
const context = { providerInputs: {}, forceNew: { paths: {} } };

test("inputs have changes exactly when they differ", () => {
    const it = resource("a:b:C", "it", {});
    fc.assert(
        fc.property(json, json, (before, after) => {
            expect(changesOf(it, before, before, context)).toEqual([]);
            const changed = changesOf(it, before, after, context).length > 0;
            expect(changed).toBe(!sameValue(before, after));
        }),
    );
});
