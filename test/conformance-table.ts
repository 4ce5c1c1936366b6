// `npm run conformance:table`: writes docs/conformance.md from what the cluster tests kept.
import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { format, resolveConfig } from "prettier";
import { conformancePage } from "./cluster/conformance-page.js";
import { readRecords, recordFolder } from "./cluster/conformance-record.js";

const PAGE = path.resolve(import.meta.dirname, "../docs/conformance.md");

const records = existsSync(recordFolder()) ? readRecords() : [];
if (records.length === 0) {
    console.error(
        `No record in ${recordFolder()}. "make test ARGS=cluster" makes them; QUORUM_CONFORMANCE names another folder.`,
    );
    process.exit(1);
}
const options = { ...(await resolveConfig(PAGE)), filepath: PAGE };
writeFileSync(PAGE, await format(conformancePage(records), options));
for (const { title, date, commit } of records) {
    console.log(`${title}: ${date}, ${commit}`);
}
console.log(PAGE);
