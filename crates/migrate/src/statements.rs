//! Splits a migration file into statements: quotes, comments and trigger bodies
//! are looked through, sections of other engines are left out.

use backstay_sql::ddl::full_text::is_part;

/// What a remark begins with that silences a lint, after its dashes.
const ALLOWS: &str = "backstay:allow";

/// A statement and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Located {
    /// Line of its first character, from 1.
    pub(crate) line: usize,
    /// Its text, without remarks.
    pub(crate) text: String,
    /// What remarks before or within it allow, with their lines: `BM103 reason`.
    pub(crate) allows: Vec<(usize, String)>,
}

/// The statements of `text` for the engine `engine`.
///
/// A line `-- @sqlite` (or names of engines with commas between them) begins a section for those
/// alone; `-- @all` ends it.
#[must_use]
pub(crate) fn split(text: &str, engine: &str) -> Vec<String> {
    located(text, engine).into_iter().map(|statement| statement.text).collect()
}

/// The same with their places. A last one without text holds the remarks that no statement follows.
#[must_use]
fn located_all(text: &str, engine: &str) -> Vec<Located> {
    let mut reading = Reading::default();
    let mut sections = Sections { active: true, engine };
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        if sections.holds(line, reading.state) {
            reading.line = number;
            reading.scan(line);
        }
    }
    reading.end();
    reading.statements
}

/// The statements with their places.
#[must_use]
pub(crate) fn located(text: &str, engine: &str) -> Vec<Located> {
    let mut all = located_all(text, engine);
    all.retain(|statement| !statement.text.is_empty());
    all
}

/// Remarks that allow something and that no statement follows.
#[must_use]
pub(crate) fn stray_allows(text: &str, engine: &str) -> Vec<(usize, String)> {
    let all = located_all(text, engine).into_iter();
    all.filter(|statement| statement.text.is_empty()).flat_map(|statement| statement.allows).collect()
}

/// The lines of `text` for the engine `engine`, remarks among them.
pub(crate) fn lines<'t>(text: &'t str, engine: &'t str) -> impl Iterator<Item = &'t str> {
    let mut sections = Sections { active: true, engine };
    let mut reading = Reading::default();
    text.split_inclusive('\n').filter(move |line| {
        let holds = sections.holds(line, reading.state);
        if holds {
            reading.scan(line);
        }
        holds
    })
}

/// Which lines are the engine's.
struct Sections<'e> {
    active: bool,
    engine: &'e str,
}

impl Sections<'_> {
    fn holds(&mut self, line: &str, state: State) -> bool {
        if state == State::Plain
            && let Some(section) = line.trim().strip_prefix("-- @")
        {
            self.active = section == "all" || section.split(',').any(|name| name.trim() == self.engine);
            return false;
        }
        self.active
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Plain,
    Quoted(char),
    Block,
}

/// A file that is being read.
#[derive(Debug, Default)]
struct Reading {
    state: State,
    line: usize,
    /// The statement so far, and where it began.
    at: String,
    began: usize,
    allows: Vec<(usize, String)>,
    statements: Vec<Located>,
}

impl Reading {
    fn scan(&mut self, line: &str) {
        let mut chars = line.chars().peekable();
        while let Some(c) = chars.next() {
            match self.state {
                State::Quoted(quote) => {
                    self.at.push(c);
                    if c == quote {
                        self.state = State::Plain;
                    }
                }
                State::Block => {
                    if c == '*' && chars.next_if_eq(&'/').is_some() {
                        self.state = State::Plain;
                    }
                }
                State::Plain => match c {
                    '-' if chars.peek() == Some(&'-') => {
                        self.remark(&chars.skip(1).collect::<String>());
                        self.at.push('\n');
                        return;
                    }
                    '/' if chars.peek() == Some(&'*') && !is_executed(chars.clone()) => {
                        chars.next();
                        self.state = State::Block;
                    }
                    ';' if !inside_trigger(&self.at) => self.push(),
                    _ => self.add(c),
                },
            }
        }
    }

    fn add(&mut self, c: char) {
        if self.at.trim_start().is_empty() && !c.is_whitespace() {
            self.began = self.line;
        }
        if matches!(c, '\'' | '"' | '`') {
            self.state = State::Quoted(c);
        }
        self.at.push(c);
    }

    fn remark(&mut self, text: &str) {
        if let Some(what) = text.trim().strip_prefix(ALLOWS) {
            self.allows.push((self.line, what.trim().to_owned()));
        }
    }

    fn push(&mut self) {
        let text = self.at.trim();
        if !text.is_empty() {
            let allows = std::mem::take(&mut self.allows);
            self.statements.push(Located { line: self.began, text: text.to_owned(), allows });
        }
        self.at.clear();
    }

    fn end(&mut self) {
        self.push();
        let allows = std::mem::take(&mut self.allows);
        if !allows.is_empty() {
            self.statements.push(Located { line: self.line, text: String::new(), allows });
        }
    }
}

/// What stands in `/*! … */` and `/*M! … */` is a part of the statement for one database and none for
/// another.
fn is_executed(after_slash: impl Iterator<Item = char>) -> bool {
    let mut ahead = after_slash.skip(1);
    let first = ahead.next();
    first == Some('!') || (first == Some('M') && ahead.next() == Some('!'))
}

/// A trigger's body has semicolons of its own, until END.
fn inside_trigger(text: &str) -> bool {
    let upper = text.trim_start().to_ascii_uppercase();
    let is_trigger = upper.starts_with("CREATE TRIGGER") || upper.starts_with("CREATE TEMP TRIGGER");
    is_trigger && upper.split_whitespace().any(|word| word == "BEGIN") && !upper.trim_end().ends_with("END")
}

/// What `ALTER TABLE … DROP` drops without losing a value.
const KEEPING: &[&str] = &["CONSTRAINT", "PRIMARY", "FOREIGN", "INDEX", "KEY", "CHECK"];

/// What a hand-written or generated statement may lose. A table that is rebuilt
/// (dropped, and another takes its name) loses nothing by that.
#[must_use]
pub(crate) fn losses(statements: &[String]) -> Vec<String> {
    let words = |statement: &str| -> Vec<String> {
        statement.split_whitespace().map(|word| word.trim_matches(['"', '`']).to_ascii_uppercase()).collect()
    };
    let all: Vec<Vec<String>> = statements.iter().map(|statement| words(statement)).collect();
    let taken_again = |name: &String, after: usize| {
        all.iter().skip(after).any(|other| {
            other.first().is_some_and(|word| word == "ALTER")
                && other.get(3..5).is_some_and(|to| to == ["RENAME", "TO"])
                && other.get(5) == Some(name)
        })
    };
    let column_taken_again = |table: Option<&String>, name: &String, after: usize| {
        all.iter().skip(after).any(|other| {
            other.get(2) == table
                && other.get(3..5).is_some_and(|renames| renames == ["RENAME", "COLUMN"])
                && other.last() == Some(name)
        })
    };
    // what the database computes it computes again
    let column_computed_again = |table: Option<&String>, name: &String, after: usize| {
        all.iter().skip(after).any(|other| {
            other.get(2) == table
                && other.get(3..5).is_some_and(|adds| adds == ["ADD", "COLUMN"])
                && other.get(5) == Some(name)
                && other.iter().any(|word| word == "GENERATED")
        })
    };
    let mut found = Vec::new();
    for (index, (text, words)) in statements.iter().zip(&all).enumerate() {
        let starts =
            |prefix: &[&str]| prefix.iter().zip(words).all(|(a, b)| a == b) && words.len() >= prefix.len();
        let dropped_table =
            starts(&["DROP", "TABLE"]) && words.last().is_none_or(|name| !taken_again(name, index));
        let dropped_column = starts(&["ALTER", "TABLE"])
            && words.get(3).is_some_and(|word| word == "DROP")
            && words.get(4).is_some_and(|what| !KEEPING.contains(&what.as_str()))
            && words.last().is_none_or(|name| {
                !column_taken_again(words.get(2), name, index)
                    && !column_computed_again(words.get(2), name, index)
            });
        if is_part(text) {
            continue;
        }
        if dropped_table || dropped_column || starts(&["DELETE"]) || starts(&["TRUNCATE"]) {
            found.push(text.clone());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{lines, losses, split};

    #[test]
    fn looks_through_quotes_comments_and_triggers() {
        let text = "-- first; comment\nCREATE TABLE \"a;b\" (x TEXT DEFAULT ';''');/* ; */ INSERT INTO t VALUES ('--;');\n\
                    CREATE TRIGGER g AFTER INSERT ON t BEGIN UPDATE t SET x = 1; DELETE FROM u; END;\nSELECT 1";
        assert_eq!(
            split(text, "sqlite"),
            [
                "CREATE TABLE \"a;b\" (x TEXT DEFAULT ';''')",
                "INSERT INTO t VALUES ('--;')",
                "CREATE TRIGGER g AFTER INSERT ON t BEGIN UPDATE t SET x = 1; DELETE FROM u; END",
                "SELECT 1",
            ]
        );
    }

    #[test]
    fn leaves_out_other_engines_sections() {
        let text = "A;\n-- @postgres\nB;\n-- @sqlite\nC;\n-- @all\nD;";
        assert_eq!(split(text, "sqlite"), ["A", "C", "D"]);
        assert_eq!(split(text, "postgres"), ["A", "B", "D"]);
        let shared = "-- @sqlite,postgres\nA;\n-- loses a\n-- @mysql\nB /*!80000 c*//* d */;";
        assert_eq!(split(shared, "postgres"), ["A"]);
        assert_eq!(split(shared, "mysql"), ["B /*!80000 c*/"]);
        assert_eq!(lines(shared, "sqlite").collect::<String>(), "A;\n-- loses a\n");
    }

    #[test]
    fn a_rebuilt_table_loses_nothing_a_dropped_one_does() {
        let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let rebuild = own(&["DROP TABLE \"a\"", "ALTER TABLE \"_rebuild_a\" RENAME TO \"a\""]);
        assert_eq!(losses(&rebuild), Vec::<String>::new());
        let drop = own(&["DROP TABLE \"a\"", "ALTER TABLE \"b\" DROP COLUMN \"c\"", "DELETE FROM d"]);
        assert_eq!(losses(&drop), drop);
        let kept = own(&[
            "ALTER TABLE `a` DROP FOREIGN KEY `b`",
            "ALTER TABLE `a` DROP COLUMN `c`",
            "ALTER TABLE `a` RENAME COLUMN `_new_c` TO `c`",
        ]);
        assert_eq!(losses(&kept), Vec::<String>::new());
    }

    #[test]
    fn an_open_quote_ends_with_the_file() {
        assert_eq!(split("SELECT 'a; b", "sqlite"), ["SELECT 'a; b"]);
    }
}
