//! Every lint fires where it should, and is silent beside it.

use super::rule::RULES;
use super::{Finding, lint, lint_beside};
use crate::file::MigrationFile;
use backstay_schema::compile::{Owner, Settings, SourceFile, compile};
use std::collections::BTreeSet;

/// What earlier files made.
const BASE: &str =
    "CREATE TABLE a (id bigint NOT NULL PRIMARY KEY, n varchar(20), m int NOT NULL, b_id bigint);
CREATE TABLE b (id bigint NOT NULL PRIMARY KEY);
CREATE INDEX a_n_idx ON a (n);
CREATE INDEX a_b_id_idx ON a (b_id);";

fn found(engine: &'static str, text: &str) -> Vec<Finding> {
    let files = [
        MigrationFile::new(1, "0001_init.sql".into(), BASE.into()),
        MigrationFile::new(2, "0002_change.sql".into(), text.into()),
    ];
    lint(&files, 1, engine)
}

fn codes(engine: &'static str, text: &str) -> Vec<&'static str> {
    found(engine, text).iter().map(|finding| finding.rule.code).collect()
}

/// Lint, engine, what fires it, what does not.
const CASES: &[(&str, &str, &str, &str)] = &[
    ("BM100", "postgres", "CREATE TABEL x (a int)", "CREATE TABLE x (a int)"),
    ("BM100", "sqlite", "CREATE ((((", "PRAGMA foreign_keys = 1"),
    ("BM100", "mysql", "ALTER TABLE a COMMENT=", "ALTER TABLE a COMMENT='it''s, DROP COLUMN n'"),
    ("BM100", "mysql", "ALTER TABLE a COMMENT 'open", "alter table a comment = \"x\\\"y\" ;"),
    ("BM102", "mysql", "ALTER TABLE a COMMENT='x', DROP COLUMN n", "ALTER TABLE a COMMENT 'DROP COLUMN n'"),
    (
        "BM104",
        "mysql",
        "ALTER TABLE a MODIFY n text COMMENT 'x'",
        "ALTER TABLE a MODIFY n varchar(20) COMMENT 'x'",
    ),
    ("BM101", "postgres", "DROP TABLE a", "CREATE TABLE x (a int); DROP TABLE x"),
    ("BM101", "mysql", "TRUNCATE TABLE a", "DROP TABLE a; ALTER TABLE b RENAME TO a"),
    ("BM101", "postgres", "DROP SCHEMA s CASCADE", "DROP VIEW v"),
    ("BM101", "sqlite", "DROP TABLE unheard_of", "DROP TRIGGER g"),
    (
        "BM102",
        "sqlite",
        "ALTER TABLE a DROP COLUMN n",
        "ALTER TABLE a ADD COLUMN z int; ALTER TABLE a DROP COLUMN z",
    ),
    (
        "BM102",
        "sqlite",
        "CREATE TABLE r (id bigint NOT NULL PRIMARY KEY, n varchar(20), m int NOT NULL); DROP TABLE a; ALTER TABLE r RENAME TO a",
        "CREATE TABLE r (id bigint NOT NULL PRIMARY KEY, n varchar(20), m int NOT NULL, b_id bigint); DROP TABLE a; ALTER TABLE r RENAME TO a",
    ),
    (
        "BM103",
        "sqlite",
        "CREATE TABLE r (id bigint NOT NULL PRIMARY KEY, o varchar(20), m int NOT NULL, b_id bigint); INSERT INTO r (id, o, m, b_id) SELECT id, coalesce(\"n\", ''), m, b_id FROM a; DROP TABLE a; ALTER TABLE r RENAME TO a",
        "CREATE TABLE r (id bigint NOT NULL PRIMARY KEY, o varchar(20), m int NOT NULL, b_id bigint); INSERT INTO r (id, m, b_id) SELECT id, m, b_id FROM a; DROP TABLE a; ALTER TABLE r RENAME TO a",
    ),
    (
        "BM104",
        "sqlite",
        "CREATE TABLE r (id bigint NOT NULL PRIMARY KEY, n varchar(20), m int NOT NULL, b_id bigint); INSERT INTO r (id, n, m, b_id) SELECT id, CASE WHEN date(\"n\") = \"n\" THEN \"n\" ELSE CAST(\"n\" AS BLOB) END, m, b_id FROM a; DROP TABLE a; ALTER TABLE r RENAME TO a",
        "CREATE TABLE r (id bigint NOT NULL PRIMARY KEY, n varchar(20), m int NOT NULL, b_id bigint); INSERT INTO r (id, n, m, b_id) SELECT id, coalesce(\"n\", ''), m, b_id FROM a; DROP TABLE a; ALTER TABLE r RENAME TO a",
    ),
    ("BM102", "postgres", "ALTER TABLE a DROP \"n\"", "ALTER TABLE a DROP CONSTRAINT a_n_check"),
    (
        "BM103",
        "postgres",
        "ALTER TABLE a RENAME COLUMN n TO o",
        "CREATE TABLE x (n int); ALTER TABLE x RENAME COLUMN n TO o",
    ),
    ("BM103", "mysql", "ALTER TABLE a CHANGE n o varchar(20)", "ALTER TABLE a CHANGE n n varchar(20)"),
    ("BM103", "mysql", "RENAME TABLE a TO c", "ALTER TABLE a RENAME INDEX a_n_idx TO i"),
    (
        "BM103",
        "postgres",
        "ALTER TYPE state RENAME VALUE 'A' TO 'B'",
        "ALTER TABLE a RENAME CONSTRAINT x TO y",
    ),
    (
        "BM104",
        "postgres",
        "ALTER TABLE a ALTER COLUMN n TYPE int USING n::int",
        "ALTER TABLE a ALTER COLUMN n TYPE text",
    ),
    (
        "BM104",
        "postgres",
        "ALTER TABLE a ALTER COLUMN n TYPE varchar(10)",
        "ALTER TABLE a ALTER COLUMN n TYPE varchar(30)",
    ),
    (
        "BM104",
        "mysql",
        "ALTER TABLE a MODIFY COLUMN m bigint NOT NULL",
        "ALTER TABLE a MODIFY COLUMN n varchar(20)",
    ),
    (
        "BM104",
        "mysql",
        "ALTER TABLE a ADD COLUMN _new_n int; ALTER TABLE a DROP COLUMN n; ALTER TABLE a RENAME COLUMN _new_n TO n",
        "ALTER TABLE a ADD COLUMN _new_n int",
    ),
    (
        "BM105",
        "postgres",
        "ALTER TABLE a ADD COLUMN z int NOT NULL",
        "ALTER TABLE a ADD COLUMN z int NOT NULL DEFAULT 1",
    ),
    ("BM105", "sqlite", "ALTER TABLE a ADD COLUMN z int NOT NULL", "ALTER TABLE a ADD COLUMN z int"),
    (
        "BM106",
        "postgres",
        "ALTER TABLE a ALTER COLUMN n SET NOT NULL",
        "ALTER TABLE a ADD CONSTRAINT c CHECK (n IS NOT NULL) NOT VALID; ALTER TABLE a VALIDATE CONSTRAINT c; ALTER TABLE a ALTER COLUMN n SET NOT NULL",
    ),
    (
        "BM106",
        "postgres",
        "ALTER TABLE a ADD CONSTRAINT c CHECK (n IS NOT NULL) NOT VALID; ALTER TABLE a ALTER COLUMN n SET NOT NULL",
        "ALTER TABLE a ALTER COLUMN n DROP NOT NULL",
    ),
    ("BM106", "mysql", "ALTER TABLE a MODIFY n varchar(20) NOT NULL", "ALTER TABLE a MODIFY m int NOT NULL"),
    (
        "BM107",
        "postgres",
        "ALTER TABLE a ADD COLUMN u uuid DEFAULT gen_random_uuid()",
        "ALTER TABLE a ADD COLUMN t timestamptz DEFAULT now()",
    ),
    (
        "BM107",
        "postgres",
        "ALTER TABLE a ADD COLUMN s bigserial",
        "ALTER TABLE a ADD COLUMN s bigint DEFAULT 4",
    ),
    (
        "BM107",
        "postgres",
        "ALTER TABLE a ADD COLUMN s int GENERATED ALWAYS AS (m + 1) STORED",
        "CREATE TABLE x (id bigint, s int GENERATED ALWAYS AS (id + 1) STORED)",
    ),
    ("BM108", "sqlite", "CREATE UNIQUE INDEX i ON a (n)", "CREATE INDEX i ON a (m)"),
    (
        "BM108",
        "postgres",
        "ALTER TABLE a ADD CONSTRAINT u UNIQUE (n)",
        "ALTER TABLE a ADD CONSTRAINT u UNIQUE USING INDEX i",
    ),
    ("BM109", "postgres", "CREATE INDEX i ON a (m)", "CREATE INDEX CONCURRENTLY i ON a (m)"),
    ("BM109", "postgres", "DROP INDEX a_n_idx", "DROP INDEX CONCURRENTLY IF EXISTS a_n_idx"),
    (
        "BM109",
        "postgres",
        "DROP INDEX a_n_idx; ALTER TABLE a ADD COLUMN o int",
        "DROP INDEX a_n_idx; ALTER TABLE a DROP COLUMN n",
    ),
    (
        "BM110",
        "postgres",
        "COMMIT; CREATE TABLE x (m int); DROP INDEX CONCURRENTLY IF EXISTS a_n_idx",
        "CREATE TABLE x (m int); COMMIT; UPDATE a SET m = 1 WHERE m > 1; CREATE INDEX CONCURRENTLY i ON a (m); ALTER TABLE a DROP COLUMN n",
    ),
    (
        "BM114",
        "postgres",
        "ALTER TABLE a ADD COLUMN o int; UPDATE a SET m = 1 WHERE m > 1; COMMIT",
        "ALTER TABLE a ADD COLUMN o int; COMMIT; UPDATE a SET m = 1 WHERE m > 1",
    ),
    ("BM109", "postgres", "REINDEX TABLE a", "REINDEX TABLE CONCURRENTLY a"),
    (
        "BM109",
        "postgres",
        "CREATE INDEX i ON unheard_of (m)",
        "CREATE TABLE x (m int); CREATE INDEX i ON x (m)",
    ),
    (
        "BM110",
        "postgres",
        "CREATE TABLE x (m int); CREATE INDEX CONCURRENTLY i ON a (m)",
        "CREATE INDEX CONCURRENTLY i ON a (m); CREATE INDEX CONCURRENTLY j ON b (id, id)",
    ),
    (
        "BM111",
        "postgres",
        "ALTER TABLE a ADD CONSTRAINT f FOREIGN KEY (b_id) REFERENCES b (id)",
        "ALTER TABLE a ADD CONSTRAINT f FOREIGN KEY (b_id) REFERENCES b (id) NOT VALID; ALTER TABLE a VALIDATE CONSTRAINT f",
    ),
    (
        "BM111",
        "postgres",
        "ALTER TABLE a ADD CONSTRAINT c CHECK (m > 0)",
        "ALTER TABLE a ADD CONSTRAINT c CHECK (m > 0) NOT VALID",
    ),
    (
        "BM112",
        "postgres",
        "CREATE TABLE x (b_id bigint REFERENCES b (id))",
        "CREATE TABLE x (b_id bigint REFERENCES b (id)); CREATE INDEX i ON x (b_id, b_id)",
    ),
    (
        "BM112",
        "sqlite",
        "CREATE TABLE x (y int, b_id bigint, UNIQUE (y, b_id), FOREIGN KEY (b_id) REFERENCES b (id))",
        "CREATE TABLE x (y int, b_id bigint, UNIQUE (b_id, y), FOREIGN KEY (b_id) REFERENCES b (id))",
    ),
    (
        "BM112",
        "sqlite",
        "CREATE TABLE x (b_id bigint REFERENCES b (id)); CREATE INDEX i ON x (b_id) WHERE b_id > 3",
        "CREATE TABLE x (b_id bigint)",
    ),
    ("BM114", "sqlite", "UPDATE a SET m = 1", "UPDATE a SET m = 1 WHERE id = 3"),
    (
        "BM114",
        "postgres",
        "ALTER TABLE a ADD COLUMN z int; UPDATE a SET z = 1 WHERE z IS NULL",
        "CREATE TABLE x (z int); UPDATE x SET z = 1",
    ),
    ("BM114", "mysql", "DELETE FROM a", "DELETE FROM a WHERE m = 4"),
    (
        "BM115",
        "postgres",
        "CREATE TABLE x (id serial PRIMARY KEY)",
        "CREATE TABLE x (id bigserial PRIMARY KEY)",
    ),
    (
        "BM115",
        "mysql",
        "CREATE TABLE x (id int NOT NULL, PRIMARY KEY (id))",
        "CREATE TABLE x (id int NOT NULL, z int, PRIMARY KEY (id, z))",
    ),
    ("BM116", "postgres", "CREATE TABLE x (c char(3))", "CREATE TABLE x (c varchar(3))"),
    (
        "BM116",
        "postgres",
        "ALTER TABLE a ADD COLUMN t timestamp",
        "ALTER TABLE a ADD COLUMN t timestamp with time zone",
    ),
    ("BM117", "postgres", "ALTER TABLE a DROP CONSTRAINT a_pkey", "ALTER TABLE a DROP CONSTRAINT a_n_key"),
    (
        "BM117",
        "postgres",
        "ALTER TABLE a ADD PRIMARY KEY (m)",
        "ALTER TABLE a ADD CONSTRAINT k PRIMARY KEY USING INDEX i",
    ),
    (
        "BM118",
        "sqlite",
        "CREATE INDEX i ON a (n, m); CREATE INDEX j ON a (n, m)",
        "CREATE INDEX i ON a (m, n)",
    ),
    (
        "BM118",
        "postgres",
        "CREATE TABLE x (a int, b int, UNIQUE (a, b)); CREATE INDEX i ON x (a)",
        "CREATE TABLE x (a int, b int, UNIQUE (a, b)); CREATE INDEX i ON x (b)",
    ),
    ("BM118", "postgres", "CREATE INDEX i ON a (id, n, m, b_id)", "CREATE INDEX i ON a (id, n, m)"),
    (
        "BM118",
        "postgres",
        "CREATE INDEX i ON a (n)",
        "CREATE INDEX i ON a (lower(n)); CREATE INDEX j ON a (n) WHERE m > 0",
    ),
    (
        "BM119",
        "postgres",
        "CREATE TABLE x (long_long_long_long_long_long_long_long_long_long_long_long_long int)",
        "CREATE TABLE x (long int)",
    ),
    ("BM119", "sqlite", "CREATE TABLE \"A\" (x int)", "CREATE TABLE \"aa\" (x int)"),
    ("BM119", "mysql", "ALTER TABLE a ADD COLUMN `N` int", "ALTER TABLE a ADD COLUMN `nn` int"),
    ("BM120", "postgres", "DROP INDEX CONCURRENTLY a_n_idx", "DROP INDEX CONCURRENTLY IF EXISTS a_n_idx"),
    (
        "BM121",
        "mysql",
        "ALTER TABLE a ADD CONSTRAINT f FOREIGN KEY (b_id) REFERENCES b (id)",
        "CREATE TABLE x (b_id bigint, FOREIGN KEY (b_id) REFERENCES b (id))",
    ),
    ("BM121", "mysql", "CREATE TABLE x (b_id bigint REFERENCES b (id))", "CREATE TABLE x (b_id bigint)"),
    (
        "BM121",
        "mysql",
        "ALTER TABLE a DROP PRIMARY KEY",
        "ALTER TABLE a DROP PRIMARY KEY, ADD PRIMARY KEY (m)",
    ),
    (
        "BM122",
        "sqlite",
        "CREATE TABLE r (id bigint); DROP TABLE a; ALTER TABLE r RENAME TO a",
        "DROP TABLE a",
    ),
    ("BM123", "postgres", "CREATE TYPE s AS ENUM ('A')", "CREATE TYPE s AS (x int)"),
    ("BM123", "postgres", "ALTER TYPE s ADD VALUE 'C'", "ALTER TYPE s RENAME TO r"),
    ("BM123", "mysql", "CREATE TABLE x (s ENUM('A', 'B'))", "CREATE TABLE x (s varchar(1))"),
    (
        "BM130",
        "postgres",
        "-- backstay:allow BM101\nDROP TABLE a",
        "-- backstay:allow BM101 nobody reads it\nDROP TABLE a",
    ),
    (
        "BM130",
        "postgres",
        "-- backstay:allow BM999 a reason\nDROP TABLE a",
        "-- backstay:allow BM122 it is small\nDROP TABLE a",
    ),
    (
        "BM130",
        "postgres",
        "-- backstay:allow BM102 a reason\nDROP TABLE a",
        "DROP TABLE a -- backstay:allow BM101 said within it",
    ),
    (
        "BM130",
        "sqlite",
        "DROP TABLE a;\n-- backstay:allow BM101 too late",
        "-- a remark of a person: backstay:allow",
    ),
    // of each engine what no case above is of
    ("BM101", "mysql", "DROP DATABASE d", "DROP TRIGGER g"),
    ("BM102", "mysql", "ALTER TABLE a DROP COLUMN m", "ALTER TABLE a DROP INDEX a_n_idx"),
    ("BM103", "sqlite", "ALTER TABLE a RENAME COLUMN n TO o", "ALTER TABLE a ADD COLUMN o int"),
    (
        "BM104",
        "mysql",
        "ALTER TABLE a CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        "CREATE TABLE x (n varchar(2)); ALTER TABLE x CONVERT TO CHARACTER SET utf8mb4",
    ),
    (
        "BM104",
        "mysql",
        "ALTER TABLE a MODIFY n varchar(20) COLLATE utf8mb4_bin",
        "ALTER TABLE a MODIFY n varchar(20) NOT NULL",
    ),
    (
        "BM104",
        "postgres",
        "ALTER TABLE a ALTER COLUMN n TYPE varchar(20) COLLATE \"C\"",
        "ALTER TABLE a ADD COLUMN o text COLLATE \"C\"; ALTER TABLE a ALTER COLUMN o TYPE text COLLATE \"C\"",
    ),
    (
        "BM104",
        "sqlite",
        "CREATE TABLE r (id bigint NOT NULL PRIMARY KEY, n int, m int NOT NULL, b_id bigint); INSERT INTO r (id, n, m, b_id) SELECT id, n, m, b_id FROM a; DROP TABLE a; ALTER TABLE r RENAME TO a",
        "CREATE TABLE x (n int); INSERT INTO x (n) SELECT n FROM a",
    ),
    (
        "BM105",
        "mysql",
        "ALTER TABLE a ADD COLUMN z int NOT NULL",
        "ALTER TABLE a ADD COLUMN z int NOT NULL DEFAULT 0",
    ),
    (
        "BM106",
        "sqlite",
        "CREATE TABLE r (id bigint NOT NULL PRIMARY KEY, n varchar(20) NOT NULL, m int NOT NULL, b_id bigint); INSERT INTO r (id, n, m, b_id) SELECT id, n, m, b_id FROM a; DROP TABLE a; ALTER TABLE r RENAME TO a",
        "CREATE TABLE r (id bigint NOT NULL PRIMARY KEY, n varchar(20) NOT NULL, m int NOT NULL, b_id bigint); INSERT INTO r (id, n, m, b_id) SELECT id, coalesce(\"n\", ''), m, b_id FROM a; DROP TABLE a; ALTER TABLE r RENAME TO a",
    ),
    (
        "BM107",
        "mysql",
        "ALTER TABLE a ADD COLUMN s int GENERATED ALWAYS AS (m + 1) STORED",
        "ALTER TABLE a ADD COLUMN s int GENERATED ALWAYS AS (m + 1) VIRTUAL",
    ),
    (
        "BM107",
        "mysql",
        "ALTER TABLE a ADD COLUMN u char(36) DEFAULT (uuid())",
        "ALTER TABLE a ADD COLUMN u int DEFAULT (1)",
    ),
    ("BM108", "mysql", "ALTER TABLE a ADD UNIQUE (n)", "CREATE TABLE x (n int UNIQUE)"),
    ("BM108", "mysql", "CREATE UNIQUE INDEX i ON a (n)", "CREATE INDEX i ON a (n, m)"),
    (
        "BM109",
        "postgres",
        "ALTER TABLE a DETACH PARTITION b",
        "ALTER TABLE a DETACH PARTITION b CONCURRENTLY; ALTER TABLE a DETACH PARTITION b FINALIZE;",
    ),
    (
        "BM110",
        "postgres",
        "CREATE TABLE x (m int); ALTER TABLE a DETACH PARTITION b CONCURRENTLY",
        "ALTER TABLE a DETACH PARTITION b CONCURRENTLY",
    ),
    (
        "BM117",
        "mysql",
        "ALTER TABLE a DROP PRIMARY KEY, ADD PRIMARY KEY (m)",
        "ALTER TABLE a ADD INDEX i (m)",
    ),
    ("BM118", "mysql", "CREATE INDEX i ON a (n)", "CREATE INDEX i ON a (m, n)"),
    ("BM119", "postgres", "CREATE TABLE user (x int)", "CREATE TABLE \"user\" (x int)"),
    ("BM119", "postgres", "ALTER TABLE a ADD COLUMN limit int", "ALTER TABLE a ADD COLUMN rank int"),
    ("BM119", "mysql", "ALTER TABLE a ADD COLUMN rank int", "ALTER TABLE a ADD COLUMN `rank` int"),
    (
        "BM119",
        "mysql",
        "ALTER TABLE a RENAME COLUMN n TO groups",
        "ALTER TABLE a RENAME COLUMN `groups` TO n2",
    ),
    ("BM119", "sqlite", "ALTER TABLE a RENAME TO order", "ALTER TABLE a RENAME TO user"),
    ("BM124", "postgres", "DROP POLICY p ON a; UPDATE a SET m = 1 WHERE id = 1", "DROP POLICY p ON a"),
    (
        "BM124",
        "postgres",
        "DELETE FROM b WHERE id = 1; ALTER TABLE a DISABLE ROW LEVEL SECURITY",
        "DELETE FROM b WHERE id = 1; ALTER TABLE a ENABLE ROW LEVEL SECURITY",
    ),
    (
        "BM124",
        "postgres",
        "ALTER POLICY p ON a USING (true); UPDATE a SET m = 1 WHERE id = 1",
        "CREATE POLICY p ON a USING (m > 1); UPDATE a SET m = 1 WHERE id = 1",
    ),
    (
        "BM130",
        "mysql",
        "-- backstay:allow BM101\nDROP TABLE a",
        "-- backstay:allow BM101 nobody reads it\nDROP TABLE a",
    ),
];

/// What the schema beside [`BASE`] and a second file names, for BM125: what fires it, what does not.
const NAMED: &[(&str, &str, &str)] = &[
    ("sqlite", "ALTER TABLE a DROP COLUMN n", "ALTER TABLE a DROP COLUMN m"),
    (
        "sqlite",
        "CREATE TABLE r (id bigint NOT NULL PRIMARY KEY, m int NOT NULL, b_id bigint); DROP TABLE b; ALTER TABLE r RENAME TO c",
        "CREATE TABLE r (id bigint NOT NULL PRIMARY KEY, n varchar(20)); DROP TABLE a; ALTER TABLE r RENAME TO a",
    ),
    ("postgres", "ALTER TABLE a RENAME COLUMN n TO o", "ALTER TABLE a DROP COLUMN b_id"),
    ("postgres", "DROP TABLE b", "DROP TABLE unheard_of"),
    ("postgres", "ALTER TABLE b RENAME TO c", "ALTER TABLE b RENAME TO c; ALTER TABLE c RENAME TO b"),
    (
        "mysql",
        "ALTER TABLE a CHANGE n o varchar(20)",
        "ALTER TABLE a CHANGE n o varchar(20); ALTER TABLE a ADD COLUMN n text",
    ),
    ("mysql", "RENAME TABLE b TO c", "RENAME TABLE unheard_of TO c"),
];

#[test]
fn what_the_schema_still_names_is_not_to_go() {
    let file =
        |text: &str| SourceFile { name: "schema.graphql".into(), text: text.into(), owner: Owner::Project };
    let sdl = "type A @access(all: \"true\") { id: BigInt! n: String } type B @access(all: \"true\") { id: BigInt! }";
    let compiled = compile(&[file(sdl)], &Settings::default());
    let catalog = compiled.unwrap_or_else(|mistakes| panic!("{mistakes:?}")).catalog;
    for (engine, fires, silent) in NAMED {
        let codes = |text: &str| {
            let files = [
                MigrationFile::new(1, "0001_init.sql".into(), BASE.into()),
                MigrationFile::new(2, "0002_change.sql".into(), text.into()),
            ];
            let found = lint_beside(&files, &catalog, engine);
            found.iter().filter(|finding| finding.rule.code == "BM125").count()
        };
        assert_eq!(codes(fires), 1, "{engine}: {fires}");
        assert_eq!(codes(silent), 0, "{engine}: {silent}");
    }
}

/// What the field knows of migrations that hurt, and which lint here finds it; none where something else does.
const KNOWN: &[(&str, Option<&str>)] = &[
    ("a table or schema is dropped", Some("BM101")),
    ("a column is dropped", Some("BM102")),
    ("a table, column or member of an enum is renamed", Some("BM103")),
    ("a type becomes narrower, a charset or a collation another one", Some("BM104")),
    ("a required column without default", Some("BM105")),
    ("SET NOT NULL", Some("BM106")),
    ("a volatile default, a stored generated column", Some("BM107")),
    ("unique over rows that are there", Some("BM108")),
    ("an index or a detached partition while writers wait", Some("BM109")),
    ("CONCURRENTLY within a transaction", Some("BM110")),
    ("a foreign key or check without NOT VALID", Some("BM111")),
    ("a foreign key without an index", Some("BM112")),
    // `up` sets them for each migration, so that no file can miss them
    ("lock_timeout and statement_timeout", None),
    ("a backfill in one statement or beside definitions", Some("BM114")),
    ("a key of 32 bits", Some("BM115")),
    // `json` on PostgreSQL is what a JSON field is: documents come back as they were written, and are never compared as such
    ("char(n), timestamp without time zone", Some("BM116")),
    ("the key changes", Some("BM117")),
    ("needless and wide indexes", Some("BM118")),
    ("names: too long, a word of SQL, capitals alone", Some("BM119")),
    ("a statement outside a transaction that cannot run twice", Some("BM120")),
    ("MySQL copies the table", Some("BM121")),
    ("MySQL: an implicit default", Some("BM105")),
    ("MySQL: REFERENCES behind a column is not heard", Some("BM121")),
    ("SQLite makes a table anew", Some("BM122")),
    ("SQLite: a column that allowed null requires a value", Some("BM106")),
    ("an enum of the database", Some("BM123")),
    // rules stand in the schema; of what files hold, policies are what opens rows
    ("a rule is widened beside a change of rows", Some("BM124")),
    // rules, indexes and relations that read a field stand in the schema, which does not load without it
    ("a column goes that something still reads", Some("BM125")),
    // there is no profile for databases that are spread over nodes
    ("keys and definitions of spread databases", None),
];

#[test]
fn what_the_field_knows_is_found() {
    for (what, code) in KNOWN {
        let Some(code) = code else { continue };
        assert!(RULES.iter().any(|rule| rule.code == *code), "{what}");
    }
}

#[test]
fn every_lint_fires_and_is_silent_beside() {
    for (code, engine, fires, silent) in CASES {
        assert!(
            codes(engine, fires).contains(code),
            "{code} is silent on {engine}: {fires}\n{:?}",
            codes(engine, fires)
        );
        assert!(
            !codes(engine, silent).contains(code),
            "{code} fires on {engine}: {silent}\n{:#?}",
            found(engine, silent)
        );
    }
    let named = NAMED.iter().map(|(engine, ..)| ("BM125", *engine));
    let cases: Vec<_> = CASES.iter().map(|(code, engine, ..)| (*code, *engine)).chain(named).collect();
    for rule in RULES {
        let engines: BTreeSet<&str> =
            cases.iter().filter(|(code, _)| *code == rule.code).map(|(_, engine)| *engine).collect();
        assert_eq!(engines, rule.engines.iter().copied().collect(), "{} has a case per engine", rule.code);
    }
}

#[test]
fn a_lint_is_of_its_engines_alone() {
    let text = "CREATE INDEX i ON a (m);\n-- @postgres\nDROP TABLE a;\n-- @mysql,sqlite\nDROP TABLE b;";
    assert_eq!(codes("sqlite", text), ["BM101"]);
    assert_eq!(codes("postgres", text), ["BM109", "BM101"]);
    assert_eq!(found("mysql", text).first().map(|finding| finding.line), Some(5));
}

#[test]
fn findings_tell_line_and_reason() {
    let text = "-- drops\n\n-- backstay:allow BM102 nobody reads it, and\n-- backstay:allow BM103 everybody knows\nALTER TABLE a\n  DROP COLUMN n;\n\nALTER TABLE a RENAME COLUMN m TO o;";
    let found = found("postgres", text);
    let told: Vec<(&str, usize, &str, Option<&str>)> =
        found.iter().map(|f| (f.rule.code, f.line, f.message.as_str(), f.allowed.as_deref())).collect();
    assert_eq!(
        told,
        [
            ("BM102", 5, "a.n is dropped", Some("nobody reads it, and")),
            ("BM130", 4, "BM103 finds nothing in this statement", None),
            ("BM103", 8, "a.m is called o", None),
        ]
    );
}

#[test]
fn only_the_files_asked_for_are_told() {
    let file = |number, text: &str| MigrationFile::new(number, format!("{number}"), text.into());
    let files = [file(1, "CREATE TABLE x (id serial PRIMARY KEY)"), file(2, "DROP TABLE x"), file(3, "")];
    let codes = |first| lint(&files, first, "postgres").iter().map(|f| f.rule.code).collect::<Vec<_>>();
    assert_eq!(codes(0), ["BM115", "BM101"]);
    assert_eq!(codes(1), ["BM101"]);
    assert_eq!(codes(2), [""; 0]);
}

#[test]
fn hostile_texts_end_in_a_note() {
    let deep = ["CREATE TABLE x (a int CHECK (", &"(".repeat(5_000), "1", &")".repeat(5_000), "))"].concat();
    for text in [
        deep.as_str(),
        "\u{0}",
        "SELECT '",
        "ALTER TABLE",
        "/*",
        "CREATE TABLE \"\"\" (",
        "-- backstay:allow\n",
    ] {
        for engine in ["sqlite", "postgres", "mysql"] {
            for finding in found(engine, text) {
                assert!(["BM100", "BM130"].contains(&finding.rule.code), "{text:?}: {finding:?}");
            }
        }
    }
}

/// The page of the lints is this table.
#[test]
fn the_page_says_what_the_table_says() {
    let mut page = String::from(
        "# Lints of migration files\n\nWhat `backstay migrate lint` finds; docs/guide/migrations.md says how to use it. A code is never taken \
         again for another meaning.\n\n| code | severity | engines | finds | why | instead |\n|---|---|---|---|---|---|\n",
    );
    for rule in RULES {
        let engines = if rule.engines.len() == 3 { "all".to_owned() } else { rule.engines.join(", ") };
        let cells = [rule.code, rule.severity.word(), &engines, rule.title, rule.why, rule.recipe];
        page.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    assert_eq!(include_str!("../../../../docs/reference/lints.md"), page);
}
