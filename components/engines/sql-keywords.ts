// Words of SQL that cannot stand for the name of a database or a user unless they are quoted, in PostgreSQL and in those
// that speak its language. A name that every client would have to quote is refused, even where Quorum's own scripts quote it.

import type { ReservedNames } from "./engine";

/** https://www.postgresql.org/docs/18/sql-keywords-appendix.html: "reserved", also "(can be function or type)". */
const KEYWORDS =
    "all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation " +
    "column concurrently constraint create cross current_catalog current_date current_role current_schema current_time " +
    "current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign freeze " +
    "from full grant group having ilike in initially inner intersect into is isnull join lateral leading left like limit " +
    "localtime localtimestamp natural not notnull null offset on only or order outer overlaps placing primary references " +
    "returning right select session_user similar some symmetric system_user table tablesample then to trailing true " +
    "union unique user using variadic verbose when where window with";

/** The keywords of PostgreSQL's grammar, and more of an engine's own. */
export const sqlKeywords = (...more: readonly string[]): ReservedNames => ({
    names: [...KEYWORDS.split(" "), ...more],
    reason: "is a word of SQL, which every statement would have to quote",
});
