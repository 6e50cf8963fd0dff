//! [`Writer`]: the only maker of SQL text. What it takes is text that stands in
//! the program, names that the catalog resolved, and binds; nothing that a
//! client sent can become text.

use crate::dialect::definition::Escaped;
use crate::dialect::{Dialect, Placeholder, digits_and_scale};
use crate::statement::{Bind, Statement};
use backstay_query::plan::SourceId;
use backstay_schema::catalog::{Column, Table};
use backstay_schema::value::Value;

/// The template of a bind that needs nothing around its placeholder.
const BARE: &str = "$1";

/// Collects the text and the binds of one statement.
#[derive(Debug)]
pub struct Writer {
    dialect: &'static Dialect,
    text: String,
    binds: Vec<Bind>,
}

/// Text that was written and waits for its place in the same statement. Its placeholders
/// are numbered already, so that only a dialect with numbered ones may move text that binds.
#[derive(Debug, Clone, Default)]
pub struct Fragment(String);

impl Writer {
    /// An empty statement.
    #[must_use]
    pub fn new(dialect: &'static Dialect) -> Self {
        Self { dialect, text: String::with_capacity(512), binds: Vec::with_capacity(8) }
    }

    /// Text of the program.
    pub fn push(&mut self, text: &'static str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Name of a table.
    pub fn table(&mut self, table: &Table) -> &mut Self {
        self.name(&table.name)
    }

    /// Name of a column.
    pub fn column(&mut self, column: &Column) -> &mut Self {
        self.name(&column.name)
    }

    /// Alias of a source: `s3`.
    pub fn alias(&mut self, source: SourceId) -> &mut Self {
        self.text.push('s');
        self.number(u64::from(source.0))
    }

    /// Alias of the lists that a source becomes: `a3`.
    pub fn list_alias(&mut self, source: SourceId) -> &mut Self {
        self.text.push('a');
        self.number(u64::from(source.0))
    }

    /// Takes away what was written so far.
    pub fn detach(&mut self) -> Fragment {
        Fragment(std::mem::take(&mut self.text))
    }

    /// Puts a fragment of this statement here.
    pub fn attach(&mut self, fragment: Fragment) -> &mut Self {
        if self.text.is_empty() {
            self.text = fragment.0;
        } else {
            self.text.push_str(&fragment.0);
        }
        self
    }

    /// A number that comes from the schema or the shape, never from a value.
    pub fn number(&mut self, number: u64) -> &mut Self {
        if let Ok(digit @ 0..=9) = u8::try_from(number) {
            self.text.push(char::from(b'0' + digit));
            return self;
        }
        let mut digits = [0_u8; 20];
        let mut at = digits.len();
        let mut left = number;
        loop {
            at -= 1;
            if let Some(digit) = digits.get_mut(at) {
                *digit = b'0' + u8::try_from(left % 10).unwrap_or(0);
            }
            left /= 10;
            if left == 0 || at == 0 {
                break;
            }
        }
        let text = digits.get(at..).and_then(|digits| std::str::from_utf8(digits).ok());
        self.text.push_str(text.unwrap_or_default());
        self
    }

    /// A template of the dialect: `$$` is a dollar sign, another mark after `$` is written by `argument`.
    pub(crate) fn template(
        &mut self,
        template: &'static str,
        argument: &mut dyn FnMut(&mut Self, char),
    ) -> &mut Self {
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('$') {
            self.push(before);
            let mut chars = after.chars();
            match chars.next() {
                Some('$') => {
                    self.push("$");
                }
                Some(mark) => argument(self, mark),
                None => {}
            }
            rest = chars.as_str();
        }
        self.push(rest)
    }

    /// A placeholder and what it holds.
    pub fn bind(&mut self, bind: Bind) -> &mut Self {
        let ty = match &bind {
            Bind::Value(_, ty) | Bind::Slot(_, ty) => *ty,
            Bind::Count(_) | Bind::List(..) | Bind::Rows(_) | Bind::Path(_) => return self.placeholder(bind),
        };
        let template = (self.dialect.bind)(ty);
        if template == BARE {
            return self.placeholder(bind);
        }
        let (digits, scale) = digits_and_scale(ty);
        let mut bind = Some(bind);
        self.template(template, &mut |writer, mark| match (mark, bind.take()) {
            ('d', kept) => {
                bind = kept;
                writer.number(u64::from(digits));
            }
            ('s', kept) => {
                bind = kept;
                writer.number(u64::from(scale));
            }
            (_, Some(bind)) => {
                writer.placeholder(bind);
            }
            (_, None) => {}
        })
    }

    fn placeholder(&mut self, bind: Bind) -> &mut Self {
        self.binds.push(bind);
        match self.dialect.placeholder {
            Placeholder::Question => self.text.push('?'),
            Placeholder::Dollar => {
                self.text.push('$');
                self.number(self.binds.len() as u64);
            }
        }
        self
    }

    /// A name of the catalog, quoted.
    pub(crate) fn name(&mut self, name: &str) -> &mut Self {
        let quote = self.dialect.quote;
        self.text.reserve(name.len() + 2);
        self.text.push(quote);
        if name.bytes().any(|byte| char::from(byte) == quote) {
            for char in name.chars() {
                self.text.push(char);
                if char == quote {
                    self.text.push(char);
                }
            }
        } else {
            self.text.push_str(name);
        }
        self.text.push(quote);
        self
    }

    /// A value of the schema file as a literal: only DDL cannot bind.
    pub(crate) fn schema_literal(&mut self, value: &Value, scale: u8) -> &mut Self {
        match value {
            Value::Null => self.text.push_str("NULL"),
            Value::Bool(truth) => self.text.push_str(if *truth {
                self.dialect.definition.truth
            } else {
                self.dialect.definition.falsehood
            }),
            Value::Int(number) | Value::Duration(number) => self.text.push_str(&number.to_string()),
            Value::Float(number) => self.text.push_str(&float_literal(*number)),
            Value::Decimal(decimal) => {
                let text = (self.dialect.decimal_literal)(*decimal, scale);
                self.text.push_str(&text);
            }
            Value::Text(text) | Value::Json(text) => self.quoted(text),
            Value::List(values) => {
                let text = (self.dialect.list_literal)(values, scale);
                self.quoted(&text);
            }
            Value::Uuid(_) | Value::Timestamp(_) | Value::Date(_) | Value::Time(_) | Value::Bytes(_) => {
                let text = (self.dialect.literal)(value);
                self.text.push_str(&text);
            }
        }
        self
    }

    /// A text on one line: line breaks and backslashes are escaped.
    pub(crate) fn escaped(&mut self, opens: &'static str, text: &str) -> &mut Self {
        self.text.push_str(opens);
        for char in text.chars() {
            match char {
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                '\'' | '\\' => self.text.extend([char, char]),
                other => self.text.push(other),
            }
        }
        self.text.push('\'');
        self
    }

    /// The inside of a class of characters, within a text: as they are, or as their numbers.
    pub(crate) fn class(&mut self, ranges: &[(char, char)], escaped: Escaped) -> &mut Self {
        for (first, last) in ranges {
            for (index, c) in [first, last].into_iter().enumerate() {
                self.text.push_str(if index > 0 { "-" } else { "" });
                match escaped {
                    Escaped::Never => self.text.push(*c),
                    Escaped::Braces => self.text.push_str(&format!("\\\\x{{{:x}}}", u32::from(*c))),
                    Escaped::Digits => self.text.push_str(&format!("\\U{:08x}", u32::from(*c))),
                }
            }
        }
        self
    }

    /// Every character of some ranges, within a text. None of them is a quote.
    pub(crate) fn listed(&mut self, ranges: &[(char, char)]) -> &mut Self {
        self.text.extend(ranges.iter().flat_map(|(first, last)| *first..=*last));
        self
    }

    /// A letter as a literal.
    pub(crate) fn letter(&mut self, letter: char) -> &mut Self {
        self.letters(letter.encode_utf8(&mut [0; 4]))
    }

    /// Letters as a literal.
    pub(crate) fn letters(&mut self, letters: &str) -> &mut Self {
        self.quoted(letters);
        self
    }

    fn quoted(&mut self, text: &str) {
        self.text.push('\'');
        for char in text.chars() {
            if char == '\'' || (char == '\\' && self.dialect.definition.backslash_escapes) {
                self.text.push(char);
            }
            self.text.push(char);
        }
        self.text.push('\'');
    }

    /// How many bytes of text there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether nothing was written.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The statement.
    #[must_use]
    pub fn finish(self) -> Statement {
        Statement { text: self.text, binds: self.binds }
    }
}

/// A float that reads back as a float, never as an integer.
fn float_literal(number: f64) -> String {
    let text = format!("{number:?}");
    if text.contains(['.', 'e', 'n', 'i']) { text } else { text + ".0" }
}
