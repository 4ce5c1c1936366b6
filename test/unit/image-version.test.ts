// What an image's reference says about the engine in it.
import { describe, expect, test } from "vitest";
import {
    readImage,
    repositoryOf,
    versionOfImage,
    versionsAgree,
} from "../../components/engines/image-version.js";
import { engineOf } from "../../components/engines/index.js";
import { ENGINE_NAMES, type EngineName } from "../../components/spec.js";

const DIGEST = `sha256:${"0a".repeat(32)}`;

describe("an image", () => {
    test.each<[EngineName, string, string | undefined]>([
        ["mysql", "mysql:9.7.1", "9.7.1"],
        ["mysql", "mysql:9.7.1-oracle", "9.7.1"],
        ["mysql", "localhost/mysql:9.7", "9.7"],
        ["mysql", "localhost/mysql:9.7-r1", "9.7"],
        ["mysql", `registry.example:5000/mirror/mysql:8.4.10@${DIGEST}`, "8.4.10"],
        ["mysql", "mysql", undefined],
        ["mysql", "mysql:latest", undefined],
        ["mysql", "mysql:lts", undefined],
        ["mysql", "mysql:20260612", undefined],
        ["mysql", "mysql:9a3f", undefined],
        ["mysql", `mysql@${DIGEST}`, undefined],
        ["postgresql", "ghcr.io/zalando/spilo-18:4.1-p2", "18"],
        ["postgresql", "spilo-17", "17"],
        ["postgresql", "localhost/postgresql:18", "18"],
        ["postgresql", "postgres:18.1-bookworm", "18.1"],
        ["mongodb", "mongo:8.0.26-noble", "8.0.26"],
        ["mongodb", "mongo:8.3.0-rc1", "8.3.0-rc1"],
        ["mongodb", "localhost/mongodb-simulator:8.0.26-r1", "8.0.26"],
        ["cockroachdb", "cockroachdb/cockroach:v26.2.2", "26.2.2"],
        ["cockroachdb", "cockroachdb/cockroach:v26.3.0-alpha.1", "26.3.0-alpha.1"],
        ["cockroachdb", "cockroachdb/cockroach:latest-v26.2", undefined],
        ["kaiwudb", "kwdb/kwdb:3.2.2", "3.2.2"],
        ["yugabytedb", "yugabytedb/yugabyte:2026.1.0.0-b1", "2026.1.0.0-b1"],
        ["yugabytedb", "localhost/yugabytedb-simulator:2026.1.0.1-b1-r1", "2026.1.0.1-b1"],
    ])("of %s, %s, has version %s", (engine, image, version) =>
        expect(versionOfImage(engineOf(engine), image)).toBe(version),
    );

    test.each(ENGINE_NAMES)("that is %s's own has the version that it was made for", (name) => {
        const engine = engineOf(name);
        expect(versionOfImage(engine, engine.image(engine.defaultVersion))).toBe(
            engine.defaultVersion,
        );
    });

    test("is of a repository, whatever the registry, the tag and the digest", () => {
        for (const image of [
            "mysql",
            "mysql:9.7.1",
            "localhost/mysql:9.7",
            `docker.io/library/mysql@${DIGEST}`,
            "[2001:db8::1]:5000/mysql",
        ]) {
            expect(repositoryOf(image)).toBe("mysql");
        }
        expect(repositoryOf("percona/percona-server:9.7.1")).toBe("percona-server");
        expect(repositoryOf("ghcr.io/zalando/spilo-18:4.1-p2")).toBe("spilo-18");
    });

    test.each([
        "",
        "-",
        ":::",
        "$(x)",
        "'",
        "MySQL:9",
        "mysql:9;rm",
        "mysql:9@@",
        "mysql@sha256:zz",
        "mysql:",
        "mysql:9.7.1\n",
        "http://x/y",
        "../x",
        "a".repeat(3000),
    ])("is not %j", (text) => expect(readImage(text)).toBeUndefined());
});

test("two versions agree as far as both are written", () => {
    expect(versionsAgree("9.7", "9.7.4")).toBe(true);
    expect(versionsAgree("18", "18")).toBe(true);
    expect(versionsAgree("2026.1.0.1-b1", "2026.1.0.1-b2")).toBe(false);
    expect(versionsAgree("9.7.1", "9.7.4")).toBe(false);
    expect(versionsAgree("8.4", "9.7.1")).toBe(false);
    expect(versionsAgree("9.70", "9.7")).toBe(false);
});
