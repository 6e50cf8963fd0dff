//! Squashing: one file in the place of many. What the files do to tables follows from the schema; what
//! somebody wrote by hand does not, and is named instead of being lost.

use crate::file::MigrationFile;
use crate::statements::located;
use backstay_sql::ddl::expand::PREFIX;
use backstay_sql::ddl::full_text::is_part;

/// What only the files know.
const BY_HAND: &[&str] = &[
    "TRIGGER",
    "VIEW",
    "FUNCTION",
    "PROCEDURE",
    "EXTENSION",
    "TYPE",
    "SEQUENCE",
    "EVENT",
    "DOMAIN",
    "POLICY",
    "ROLE",
    "SCHEMA",
    "RULE",
    "MATERIALIZED",
    "VIRTUAL",
];

/// The statements that a schema does not make again: `0003_seed.sql:4 INSERT INTO plan …`.
#[must_use]
pub fn by_hand(files: &[MigrationFile]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for file in files {
        for engine in ["sqlite", "postgres", "mysql"] {
            for statement in located(&file.text, engine).into_iter().filter(|each| is_by_hand(&each.text)) {
                let first = statement.text.lines().next().unwrap_or_default();
                let line = format!("{}:{} {first}", file.name, statement.line);
                if !found.contains(&line) {
                    found.push(line);
                }
            }
        }
    }
    found
}

pub(crate) fn is_by_hand(text: &str) -> bool {
    // what keeps two shapes of a table alike is gone when both files are applied
    if text.contains(PREFIX) || is_part(text) {
        return false;
    }
    let words: Vec<String> = text
        .split_whitespace()
        .take(6)
        .map(|word| word.trim_matches(['"', '`', '(', ';']).to_ascii_uppercase())
        .collect();
    let Some((verb, rest)) = words.split_first() else { return false };
    match verb.as_str() {
        // a table that is made anew takes its rows along
        "INSERT" | "REPLACE" => !rest.iter().any(|word| word.starts_with("_REBUILD_")),
        "CREATE" | "ALTER" => {
            let kind = rest
                .iter()
                .find(|word| !["OR", "REPLACE", "TEMP", "TEMPORARY", "UNIQUE"].contains(&word.as_str()));
            kind.is_some_and(|kind| BY_HAND.contains(&kind.as_str()) || kind.starts_with("DEFINER"))
        }
        "GRANT" | "REVOKE" | "COPY" | "CALL" | "DO" | "PRAGMA" | "SET" => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_by_hand;

    #[test]
    fn what_a_schema_makes_again_is_not_by_hand() {
        for (text, expected) in [
            ("CREATE TABLE \"a\" (b int)", false),
            ("CREATE UNIQUE INDEX CONCURRENTLY \"type\" ON a (b)", false),
            ("INSERT INTO \"_rebuild_a\" (b) SELECT b FROM a", false),
            ("INSERT INTO plan VALUES (1)", true),
            ("UPDATE a SET b = 1 WHERE b IS NULL", false),
            ("ALTER TABLE a ADD COLUMN view int", false),
            ("CREATE OR REPLACE VIEW v AS SELECT 1", true),
            ("create trigger t AFTER INSERT ON a BEGIN SELECT 1; END", true),
            ("CREATE DEFINER=root TRIGGER t", true),
            ("COMMIT", false),
            ("CREATE TRIGGER \"_backstay_search1_a_b_fts_i\" AFTER INSERT ON a BEGIN SELECT 1; END", false),
            ("INSERT INTO \"_backstay_search1_a_b_fts\" (rowid) SELECT 1", false),
            ("CREATE OR REPLACE FUNCTION _backstay_words1(t text) RETURNS tsvector", false),
            ("INSERT INTO a (b) SELECT b FROM \"_backstay_search1_a_b_fts\"", true),
            ("GRANT SELECT ON a TO b", true),
            ("COMMENT ON TABLE a IS 'b'", false),
        ] {
            assert_eq!(is_by_hand(text), expected, "{text}");
        }
    }
}
