//! [`ByKey`]: a statement that changes so many rows at a time in the order of a key, in its parts, so that a batch
//! begins behind the last row of the one before instead of looking from the beginning again. Enters: the text of a
//! statement. Whatever is not certainly of this form is none: asked again as it is written, it does the same.

use backstay_base::code;
use backstay_base::fault::Fault;

/// An `UPDATE` or `DELETE` that ends with `WHERE … ORDER BY key LIMIT n`, or with `IN (SELECT key FROM … WHERE …
/// ORDER BY key LIMIT n)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByKey<'s> {
    /// What stands before `WHERE`, or before the bracket.
    pub head: &'s str,
    /// The table that is looked through.
    pub table: &'s str,
    /// Which of its rows.
    pub condition: &'s str,
    /// The columns of the key, as they are written.
    pub key: Vec<&'s str>,
    /// Most rows of a batch.
    pub limit: u64,
    /// Whether the rows are named within brackets.
    pub within: bool,
}

impl<'s> ByKey<'s> {
    /// Takes a statement apart; `escapes` says that a backslash in a text takes the next character with it.
    #[must_use]
    pub fn read(statement: &'s str, escapes: bool) -> Option<Self> {
        let statement = statement.trim_end();
        let outer = Words::of(statement, escapes)?;
        let Some(open) = outer.last_bracket.filter(|_| statement.ends_with(')')) else {
            let begins = if outer.is_first("UPDATE") { ("UPDATE", "SET") } else { ("FROM", "WHERE") };
            let table = outer.between(begins.0, begins.1)?;
            let head = statement.get(..outer.find("WHERE")?.0)?;
            return outer.tail(Self::new(head, table, false));
        };
        let head = statement.get(..open)?;
        let inner = statement.get(open + 1..statement.len() - 1)?;
        let inner = Words::of(inner, escapes)?;
        let table = inner.between("FROM", "WHERE")?;
        let found = inner.tail(Self::new(head, table, true))?;
        let chosen = inner.between("SELECT", "FROM")?;
        let names = head.trim_end().to_ascii_uppercase().ends_with(" IN");
        (names && inner.is_first("SELECT") && key(chosen)? == found.key).then_some(found)
    }

    const fn new(head: &'s str, table: &'s str, within: bool) -> Self {
        Self { head, table, condition: "", key: Vec::new(), limit: 0, within }
    }
}

/// Counts a batch of a statement; `left` are those that may still come.
///
/// # Errors
/// 25001 after so many that its condition can only be one that it does not end itself.
pub fn take(left: &mut u64, number: usize) -> Result<(), Fault> {
    *left = left.saturating_sub(1);
    if *left > 0 {
        return Ok(());
    }
    let message = format!("statement {number} of the migration changes the same rows again and again");
    Err(Fault::new(code::TRANSACTION_STATE, message))
}

/// The columns of a key: names alone.
fn key(text: &str) -> Option<Vec<&str>> {
    let is_name = |name: &&str| {
        let quoted = ['"', '`'].iter().find_map(|quote| name.strip_prefix(*quote)?.strip_suffix(*quote));
        let plain = quoted.unwrap_or(name);
        !plain.is_empty() && plain.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    let names: Vec<&str> = text.split(',').map(str::trim).collect();
    names.iter().all(is_name).then_some(names)
}

/// The words of a text that stand in no brackets and no quotes.
struct Words<'s> {
    text: &'s str,
    /// Where each begins and ends.
    words: Vec<(usize, usize)>,
    /// Where the last bracket opens that stands in no other.
    last_bracket: Option<usize>,
}

impl<'s> Words<'s> {
    /// None where comments, or quotes of another kind, may hide something.
    fn of(text: &'s str, escapes: bool) -> Option<Self> {
        let (mut words, mut last_bracket) = (Vec::new(), None);
        let (mut depth, mut quote, mut begun) = (0_usize, None, None);
        let mut chars = text.char_indices().peekable();
        while let Some((at, char)) = chars.next() {
            if let Some(open) = quote {
                if char == '\\' && escapes && open != '`' {
                    chars.next();
                } else if char == open {
                    quote = None;
                }
                continue;
            }
            let is_word = char.is_alphanumeric() || char == '_' || char == '@';
            if is_word && begun.is_none() {
                begun = Some(at);
            }
            if !is_word && let Some(start) = begun.take() {
                words.extend((depth == 0).then_some((start, at)));
            }
            let next = chars.peek().map(|(_, next)| *next);
            match char {
                // backslashes may take quotes with them there
                '\'' if !escapes && text.get(..at).is_some_and(|before| before.ends_with(['e', 'E'])) => {
                    return None;
                }
                '\'' | '"' | '`' => quote = Some(char),
                '(' => {
                    last_bracket = if depth == 0 { Some(at) } else { last_bracket };
                    depth += 1;
                }
                ')' => depth = depth.checked_sub(1)?,
                '$' | '#' | ';' => return None,
                '-' if next == Some('-') => return None,
                '/' if next == Some('*') => return None,
                _ => {}
            }
        }
        words.extend(begun.filter(|_| depth == 0).map(|start| (start, text.len())));
        (depth == 0 && quote.is_none()).then_some(Self { text, words, last_bracket })
    }

    fn is(&self, &(start, end): &(usize, usize), word: &str) -> bool {
        self.text.get(start..end).is_some_and(|found| found.eq_ignore_ascii_case(word))
    }

    fn is_first(&self, word: &str) -> bool {
        self.words.first().is_some_and(|first| self.is(first, word))
    }

    /// The one place of a word.
    fn find(&self, word: &str) -> Option<(usize, usize)> {
        let mut found = self.words.iter().filter(|at| self.is(at, word));
        found.next().copied().filter(|_| found.next().is_none())
    }

    fn between(&self, from: &str, to: &str) -> Option<&'s str> {
        Some(self.text.get(self.find(from)?.1..self.find(to)?.0)?.trim())
    }

    /// `WHERE condition ORDER BY key LIMIT n`, and nothing beside it.
    fn tail(&self, found: ByKey<'s>) -> Option<ByKey<'s>> {
        let others =
            ["GROUP", "HAVING", "UNION", "FOR", "OFFSET", "WINDOW", "EXCEPT", "INTERSECT", "RETURNING"];
        if others.iter().any(|word| self.words.iter().any(|at| self.is(at, word))) {
            return None;
        }
        let order = self.between("ORDER", "LIMIT")?;
        let by = order.get(..2).filter(|by| by.eq_ignore_ascii_case("BY"))?;
        Some(ByKey {
            condition: self.between("WHERE", "ORDER")?,
            key: key(order.get(by.len()..)?.trim())?,
            limit: self.text.get(self.find("LIMIT")?.1..)?.trim().parse().ok().filter(|limit| *limit > 0)?,
            ..found
        })
    }
}

#[cfg(test)]
mod tests {
    use super::ByKey;

    #[test]
    fn a_statement_by_key_is_taken_apart() {
        let text = "UPDATE \"note\" SET \"n\" = CASE WHEN \"o\" ~ '^(a WHERE)$' THEN 1 END WHERE (\"a\", \"b\") IN \
                    (SELECT \"a\", \"b\" FROM \"note\" WHERE \"n\" IS NULL AND (SELECT 1 LIMIT 1) = 1 \
                    ORDER BY \"a\", \"b\" LIMIT 1000)";
        let found = ByKey::read(text, false).unwrap();
        assert!(found.head.ends_with(" WHERE (\"a\", \"b\") IN "), "{}", found.head);
        assert_eq!(found.table, "\"note\"");
        assert_eq!(found.condition, "\"n\" IS NULL AND (SELECT 1 LIMIT 1) = 1");
        assert_eq!((found.key, found.limit, found.within), (vec!["\"a\"", "\"b\""], 1000, true));
        let text = "UPDATE `note` SET `n` = 'it\\'s WHERE' WHERE `n` IS NULL ORDER BY `id` LIMIT 10";
        assert_eq!(
            ByKey::read(text, true),
            Some(ByKey {
                head: "UPDATE `note` SET `n` = 'it\\'s WHERE' ",
                table: "`note`",
                condition: "`n` IS NULL",
                key: vec!["`id`"],
                limit: 10,
                within: false,
            })
        );
        let text = r#"UPDATE a SET b = "\" WHERE" WHERE b = 'e' ORDER BY c LIMIT 10"#;
        assert_eq!(ByKey::read(text, true).unwrap().condition, "b = 'e'");
        let found = ByKey::read("delete from note where a or b order by id limit 5", true).unwrap();
        assert_eq!((found.head, found.table, found.condition), ("delete from note ", "note", "a or b"));
    }

    #[test]
    fn what_is_not_certainly_by_key_is_none() {
        for text in [
            "UPDATE a SET b = 1 WHERE b IS NULL LIMIT 10",
            "UPDATE a SET b = 1 WHERE b IS NULL ORDER BY c DESC LIMIT 10",
            "UPDATE a SET b = 1 WHERE b IS NULL ORDER BY c + 1 LIMIT 10",
            "UPDATE a SET b = 1 WHERE b IS NULL ORDER BY c LIMIT 0",
            "UPDATE a SET b = 1 WHERE b IS NULL ORDER BY c LIMIT 10, 5",
            "UPDATE a SET b = 1 ORDER BY c LIMIT 10",
            "UPDATE a SET b = 1 WHERE (c) IN (SELECT d FROM a WHERE b IS NULL ORDER BY c LIMIT 10)",
            "UPDATE a SET b = 1 WHERE (c) NOT (SELECT c FROM a WHERE b IS NULL ORDER BY c LIMIT 10)",
            "UPDATE a SET b = 1 WHERE (c) IN (SELECT c FROM a WHERE b GROUP BY c ORDER BY c LIMIT 10)",
            "UPDATE a SET b = 1 WHERE (c) IN (SELECT c FROM a WHERE b ORDER BY c LIMIT 10 FOR UPDATE)",
            "UPDATE a SET b = 1 -- WHERE\n WHERE b IS NULL ORDER BY c LIMIT 10",
            "UPDATE a SET b = 1 /* x */ WHERE b IS NULL ORDER BY c LIMIT 10",
            "UPDATE a SET b = $$x$$ WHERE b IS NULL ORDER BY c LIMIT 10",
            r"UPDATE a SET b = E'\' WHERE ' WHERE b IS NULL ORDER BY c LIMIT 10",
            "UPDATE a SET b = 'x WHERE b IS NULL ORDER BY c LIMIT 10",
            "UPDATE a SET b = 1) WHERE b IS NULL ORDER BY c LIMIT 10",
            "UPDATE a SET b = 1 WHERE c IN (SELECT c FROM d)",
            "",
        ] {
            assert_eq!(ByKey::read(text, false), None, "{text}");
        }
    }
}
