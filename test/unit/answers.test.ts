// Silence is no answer. `set -e` does not see a command that fails within [[ ]]: its empty output is then compared, and
// "not 0" or "not ONLINE" counts as something that was said. So a question that can fail is asked in an assignment of its
// own (`answer=$(ask) || return 1`), or in a predicate that only an answer makes true: false means "not yet" there.
// This is by form, line by line: it does not prove that whoever asks a predicate takes false for "not yet".
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";

/** Programs and functions that look at what is at hand already. The others ask somebody. */
const AT_HAND =
    /^(<|"\$BIN\/postgres" --version|"\$TOOLS\/openssl" |(annotation|address_of|awk|cat|found_on|member_of|printf|series_of|tr|words) |data_identity\))/;

/** Lines that may stay, by file, with the reason. A line that is mended must leave this list. */
const ALLOWED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    "engines/cockroachdb/scripts/checks.sh": {
        'if [[ $(ASK_SECONDS=5 sql_at "$(address_of "$member")" 2>/dev/null <<<\'SELECT 1;\') == 1 ]]; then':
            "one after the other is asked; who does not answer is passed over",
        'if [[ $live != true && -z $(node_of "$(member_of "$address")") ]]; then':
            "open: no list of nodes counts as a member without a living node",
    },
    "engines/cockroachdb/scripts/membership.sh": {
        'if [[ $live == true ]] || is_final "$membership" "$id" || [[ -n $(node_of "$member") ]]; then continue; fi':
            "open: no list of nodes counts as a member without a living node",
        'if [[ -n $(node_of "$member") ]]; then echo "$id $member"; fi':
            "open: no list of nodes counts as a member without a living node",
    },
    "engines/kaiwudb/dialect/dialect.sh": {
        "[[ -n $(sql_at \"$host\" <<<'SHOW CLUSTER SETTING cluster.preserve_downgrade_option;') ]] ||":
            "open: a question that failed counts as a setting that is not made",
        'lives() { [[ -n $(nodes | while read -r id _ _ live _; do [[ $id != "$1" || $live != true ]] || echo "$id"; done) ]]; } # ID':
            "only a node that is listed as alive makes it true",
    },
    "engines/mongodb/scripts/hand-over.sh": {
        '[[ $(bash "${BASH_SOURCE%/*}/health.sh" role) == PRIMARY ]] || exit 0':
            "a server that does not answer cannot hand over",
    },
    "engines/mysql/scripts/async/membership.sh": {
        'if ! wait_until 30 "$old does not answer" reachable "$old" || [[ -z $(cluster_at "$old") ]]; then':
            "open: a question that failed counts as a disk without data",
        'if [[ $(value_at "$PRIMARY" "SELECT WAIT_FOR_EXECUTED_GTID_SET(\'$target\', 30)") != 0 ]]; then':
            "an answer that does not come takes the switchover back, like one that is too late",
    },
    "engines/mysql/scripts/forming.sh": {
        '[[ -z $(cluster_at "$FIRST") ]] || { adopt; return; }':
            "open: a question that failed counts as a disk without data",
        'if reachable "$member" && [[ -n $(cluster_at "$member") ]]; then':
            "open: a question that failed counts as a disk without data",
        '[[ -n $(cluster_at "$member") ]] || continue':
            "open: a question that failed counts as a disk without data",
        '[[ $(cluster_at "$member") == "$(cluster_at "$FIRST")" ]] || refuse "$FIRST and $member hold data of different clusters"':
            "open: a question that failed counts as another cluster's data",
    },
    "engines/mysql/scripts/group/membership.sh": {
        'if [[ $(state_at "$1") != ONLINE ]]; then':
            "open: a question that failed counts as a member that is not online",
    },
    "engines/yugabytedb/scripts/membership.sh": {
        "if [[ $(as_superuser <<<\"SELECT count(*) FROM pg_roles WHERE rolname = '$QUORUM_DATABASE'\") == 0 ]]; then":
            "open: a question that failed counts as a user that is there",
        "if [[ $(as_superuser <<<\"SELECT count(*) FROM pg_database WHERE datname = '$QUORUM_DATABASE'\") == 0 ]]; then":
            "open: a question that failed counts as a database that is there",
    },
};

/** What the substitutions within a line's tests run. */
function commandsIn(line: string): string[] {
    return [...line.matchAll(/\[\[ (.*?) \]\]/g)].flatMap(([, tested]) =>
        tested!
            .split("$(")
            .slice(1)
            .map((command) => command.trim()),
    );
}
const asks = (text: string): boolean => commandsIn(text).some((each) => !AT_HAND.test(each));

/** Not empty, or equal to a text that is not empty. */
const NEEDS_AN_ANSWER = /^(-n "?\$\(.*|"?\$\(.*\)"? (==|=~) (?!""$)\S.*|"?\$\w+"? == "?\$\(.*)$/;

/** The parts of a test, without a look into substitutions. */
function parts(tested: string): string[] {
    const found = [""];
    let depth = 0;
    for (const word of tested.split(/(?<= )|(?=[()])|(?<=[()])/)) {
        depth += word === "(" ? 1 : word === ")" ? -1 : 0;
        if (depth === 0 && /^(&&|\|\|) $/.test(word)) found.push("");
        else found.push(found.pop()! + word);
    }
    return found.map((part) => part.trim());
}

/** The line is a predicate, the end of one, or an act that needs one; its tests that ask need an answer to be true. */
function isPredicate(line: string): boolean {
    const body = line.replace(/ # .*$/, "").replace(/^\w+\(\) \{ (.*); \}$/, "$1");
    const plain = body.replace(/\[\[ .*? \]\]/g, "[[ ]]");
    return (
        /^([^|]* && )?\[\[ \]\]( \|\| return 1| && [^|]*)?$/.test(plain) &&
        !/^(if|until|while) |! \[\[/.test(plain) &&
        [...body.matchAll(/\[\[ (.*?) \]\]/g)]
            .flatMap(([, tested]) => parts(tested!))
            .filter((part) => asks(`[[ ${part} ]]`))
            .every((part) => NEEDS_AN_ANSWER.test(part))
    );
}

/** Lines that take silence for an answer. */
const takesSilence = (text: string): string[] =>
    text
        .split("\n")
        .map((line) => line.trim())
        .filter((line) => !line.startsWith("#") && asks(line) && !isPredicate(line));

const root = path.resolve(import.meta.dirname, "../../components");
const scripts = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".sh"),
);

describe("a question within a test", () => {
    test.each([
        'if [[ $(sql_at "$primary" <<<"SELECT count(*)") == 0 ]]; then',
        '[[ -z $(cluster_at "$FIRST") ]] || adopt',
        'if [[ $(state_at "$1") != ONLINE ]]; then',
        'is_gone() { [[ $(state_at "$1") != ONLINE ]]; }',
        'is_gone() { [[ -z $(state_at "$1") ]]; }',
        '! [[ $(leader) == "$1" ]]',
    ])("is found when silence decides: %s", (line) => {
        expect(takesSilence(line)).toEqual([line]);
    });

    test.each([
        "has_leader() { [[ -n $(leader) ]]; }",
        '  [[ $(sql_at "$1" <<<"SELECT count(*)") == 0 ]]',
        'same() { [[ $(cluster_id_at "$1") == "$record_cluster_id" ]]; }',
        '[[ $(state_at "$member") == ONLINE ]] && return 0',
        "if [[ $(annotation found) != yes ]]; then",
    ])("is let through when only an answer makes it true: %s", (line) => {
        expect(takesSilence(line)).toEqual([]);
    });
});

test.each(scripts)("%s takes no silence for an answer", (file) => {
    expect(takesSilence(readFileSync(path.join(root, file), "utf8"))).toEqual(
        Object.keys(ALLOWED[file] ?? {}),
    );
});
