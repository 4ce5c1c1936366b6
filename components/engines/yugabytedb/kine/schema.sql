-- The table of Kine 0.16 (pkg/drivers/pgsql) for YugabyteDB. What differs from PostgreSQL's: the first column of a key is
-- hashed unless it is ordered, and Kine reads ranges of ids and of names, so every key says ASC or DESC; the unique index
-- covers the id, so that the newest revision of a name is found in the index alone. Kine's own statements are all
-- IF NOT EXISTS and leave these as they are. The sequence gives one number at a time (ysql_sequence_cache_minval=1).
SET client_min_messages = warning;
CREATE TABLE IF NOT EXISTS kine (
    id BIGSERIAL,
    name TEXT COLLATE "C",
    created INTEGER,
    deleted INTEGER,
    create_revision BIGINT,
    prev_revision BIGINT,
    lease INTEGER,
    value BYTEA,
    old_value BYTEA,
    PRIMARY KEY (id ASC)
);
CREATE INDEX IF NOT EXISTS kine_name_index ON kine (name ASC);
CREATE INDEX IF NOT EXISTS kine_name_id_index ON kine (name ASC, id ASC);
CREATE INDEX IF NOT EXISTS kine_id_deleted_index ON kine (id ASC, deleted ASC);
CREATE INDEX IF NOT EXISTS kine_prev_revision_index ON kine (prev_revision ASC);
CREATE UNIQUE INDEX IF NOT EXISTS kine_name_prev_revision_uindex ON kine (name ASC, prev_revision ASC) INCLUDE (id);
CREATE INDEX IF NOT EXISTS kine_list_query_index ON kine (name ASC, id DESC, deleted ASC);
