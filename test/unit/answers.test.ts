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
        'if [[ $(ASK_SECONDS=${ASK_SECONDS:-5} hushed sql_at "$(address_of "$member")" <<<\'SELECT 1;\') == 1 ]]; then':
            "one after the other is asked; who does not answer is passed over",
    },
    "engines/cockroachdb/scripts/membership.sh": {
        "[[ -n $(nodes | while read -r _ _ _ state _ _ started; do [[ $state != live || $started == - || ! $started < $created ]] || echo before; done) ]]":
            "only a node that is listed makes it true",
        'lives() { [[ -n $(nodes | while read -r id _ _ state _; do [[ $id != "$1" || $state != live ]] || echo "$id"; done) ]]; } # ID':
            "only a node that is listed makes it true",
    },
    "engines/cockroachdb/scripts/upgrade-check.sh": {
        '[[ -n $(node_of "$member") ]] || away=$(list_add "$away" "$member")':
            "one that is not listed counts as away, and that refuses",
        'if [[ -n $(node_of "$FIRST") ]]; then is_replicated; else [[ $(lacking unavailable) == 0 ]]; fi':
            "either way another answer must follow",
    },
    "engines/kaiwudb/dialect/dialect.sh": {
        'list_has "$(annotation final)" "$1" || [[ $2 == dead && $3 == true && $(replicas_of "$1") == 0 ]]':
            "only the answer 0 makes it true",
    },
    "engines/mongodb/scripts/hand-over.sh": {
        '[[ $(bash "${BASH_SOURCE%/*}/health.sh" role) == PRIMARY ]] || exit 0':
            "a server that does not answer cannot hand over",
    },
    "engines/mysql/scripts/async/membership.sh": {
        'if ! wait_until 30 "$old does not answer" reachable "$old" || [[ $(cluster_at "$old") == - ]]; then':
            "only the answer that there is no data makes it true",
        'if [[ $(value_at "$PRIMARY" "SELECT WAIT_FOR_EXECUTED_GTID_SET(\'$target\', 30)") != 0 ]]; then':
            "an answer that does not come takes the switchover back, like one that is too late",
    },
    "engines/mysql/scripts/group/membership.sh": {
        'if [[ $(state_at "$1") == ONLINE ]]; then value_at "$1" \'STOP GROUP_REPLICATION\' >/dev/null; fi':
            "only the answer ONLINE is acted on",
        '[[ $(state_at "$member") != ONLINE ]] || return 0': "only the answer ONLINE is acted on",
    },
    "engines/mysql/scripts/seed.sh": {
        '[[ $(sql_at "$(address_of "$1")" 2>/dev/null <<<"SELECT COUNT(*) FROM performance_schema.clone_status WHERE state=\'In Progress\'") != 0 ]]':
            "open: no answer counts as a copy that goes on",
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
    const found = takesSilence(readFileSync(path.join(root, file), "utf8"));
    expect(found.sort()).toEqual(Object.keys(ALLOWED[file] ?? {}).sort());
});
