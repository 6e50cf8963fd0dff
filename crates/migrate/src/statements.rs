//! Splits a migration file into statements: quotes, comments and trigger bodies
//! are looked through, sections of other engines are left out.

/// The statements of `text` for the engine `engine`.
///
/// A line `-- @sqlite` (or names of engines with commas between them) begins a section for those
/// alone; `-- @all` ends it.
#[must_use]
pub(crate) fn split(text: &str, engine: &str) -> Vec<String> {
    let mut statements = Vec::new();
    let mut at = String::new();
    let mut state = State::Plain;
    let mut sections = Sections { active: true, engine };
    for line in text.split_inclusive('\n') {
        if sections.holds(line, state) {
            scan(line, &mut state, &mut at, &mut statements);
        }
    }
    push(&mut at, &mut statements);
    statements
}

/// The lines of `text` for the engine `engine`, remarks among them.
pub(crate) fn lines<'t>(text: &'t str, engine: &'t str) -> impl Iterator<Item = &'t str> {
    let mut sections = Sections { active: true, engine };
    let mut state = State::Plain;
    let (mut at, mut statements) = (String::new(), Vec::new());
    text.split_inclusive('\n').filter(move |line| {
        let holds = sections.holds(line, state);
        if holds {
            scan(line, &mut state, &mut at, &mut statements);
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Plain,
    Quoted(char),
    Block,
}

fn scan(line: &str, state: &mut State, at: &mut String, statements: &mut Vec<String>) {
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match *state {
            State::Quoted(quote) => {
                at.push(c);
                if c == quote {
                    *state = State::Plain;
                }
            }
            State::Block => {
                if c == '*' && chars.next_if_eq(&'/').is_some() {
                    *state = State::Plain;
                }
            }
            State::Plain => match c {
                '-' if chars.peek() == Some(&'-') => {
                    at.push('\n');
                    return;
                }
                '/' if chars.peek() == Some(&'*') && !is_executed(chars.clone()) => {
                    chars.next();
                    *state = State::Block;
                }
                '\'' | '"' | '`' => {
                    at.push(c);
                    *state = State::Quoted(c);
                }
                ';' if !inside_trigger(at) => push(at, statements),
                _ => at.push(c),
            },
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
    is_trigger && upper.contains("BEGIN") && !upper.trim_end().ends_with("END")
}

fn push(at: &mut String, statements: &mut Vec<String>) {
    let text = at.trim();
    if !text.is_empty() {
        statements.push(text.to_owned());
    }
    at.clear();
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
    let mut found = Vec::new();
    for (index, (text, words)) in statements.iter().zip(&all).enumerate() {
        let starts =
            |prefix: &[&str]| prefix.iter().zip(words).all(|(a, b)| a == b) && words.len() >= prefix.len();
        let dropped_table =
            starts(&["DROP", "TABLE"]) && words.last().is_none_or(|name| !taken_again(name, index));
        let dropped_column = starts(&["ALTER", "TABLE"])
            && words.get(3).is_some_and(|word| word == "DROP")
            && words.get(4).is_some_and(|what| !KEEPING.contains(&what.as_str()))
            && words.last().is_none_or(|name| !column_taken_again(words.get(2), name, index));
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
