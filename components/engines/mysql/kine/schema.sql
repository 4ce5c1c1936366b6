-- The table of Kine 0.16 (pkg/drivers/mysql), with its indexes in one statement: Kine makes it itself, but of two
-- instances that start at the same moment the second would work without the indexes that the first is still making.
CREATE TABLE IF NOT EXISTS kine (
    id BIGINT UNSIGNED AUTO_INCREMENT,
    name VARCHAR(630) CHARACTER SET ascii,
    created INTEGER,
    deleted INTEGER,
    create_revision BIGINT UNSIGNED,
    prev_revision BIGINT UNSIGNED,
    lease INTEGER,
    value MEDIUMBLOB,
    old_value MEDIUMBLOB,
    PRIMARY KEY (id),
    INDEX kine_name_index (name),
    INDEX kine_name_id_index (name, id),
    INDEX kine_id_deleted_index (id, deleted),
    INDEX kine_prev_revision_index (prev_revision),
    UNIQUE INDEX kine_name_prev_revision_uindex (name, prev_revision)
);
