//! [`Cursor`]: a place in one parameter value. What it cannot read it reports as
//! [`Wrong`], which becomes PGRST100 with line and column in PostgREST's words.

use backstay_base::code;
use backstay_base::fault::Fault;

/// A reading position in a text.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

/// Why a text does not parse.
#[derive(Debug)]
pub(crate) enum Wrong {
    /// Something else was expected at this byte.
    Syntax {
        /// Byte where parsing stopped.
        at: usize,
        /// Byte of the character that was not expected.
        unexpected: usize,
        /// What could have stood there.
        expecting: &'static str,
    },
    /// A fault of its own (limits, features that are not available).
    Fault(Box<Fault>),
}

impl From<Fault> for Wrong {
    fn from(fault: Fault) -> Self {
        Self::Fault(Box::new(fault))
    }
}

/// The result of reading a piece.
pub(crate) type Read<T> = Result<T, Wrong>;

impl<'a> Cursor<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(crate) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(crate) fn done(&self) -> bool {
        self.at >= self.text.len()
    }

    pub(crate) fn bump(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// Takes the prefix if it stands here.
    pub(crate) fn eat(&mut self, prefix: &str) -> bool {
        let here = self.rest().starts_with(prefix);
        if here {
            self.at += prefix.len();
        }
        here
    }

    pub(crate) fn expect(&mut self, prefix: &str, expecting: &'static str) -> Read<()> {
        if self.eat(prefix) { Ok(()) } else { Err(self.wrong(expecting)) }
    }

    pub(crate) fn spaces(&mut self) {
        while self.eat(" ") {}
    }

    pub(crate) fn take_while(&mut self, keep: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !keep(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    /// The bytes from here on that `keep` takes; it takes ASCII only.
    pub(crate) fn take_ascii_while(&mut self, keep: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.bytes().position(|byte| !(byte.is_ascii() && keep(byte))).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    pub(crate) fn take_rest(&mut self) -> &'a str {
        let rest = self.rest();
        self.at = self.text.len();
        rest
    }

    /// Text between double quotes, with `\` before a quote or backslash taken away.
    pub(crate) fn quoted(&mut self) -> Read<String> {
        self.expect("\"", "\"")?;
        let mut text = String::new();
        loop {
            match self.bump() {
                Some('"') => return Ok(text),
                Some('\\') => text.extend(self.bump()),
                Some(other) => text.push(other),
                None => return Err(self.wrong("any non reserved character different from: \\\" or \"")),
            }
        }
    }

    /// The end of the text must stand here.
    pub(crate) fn end(&self, expecting: &'static str) -> Read<()> {
        if self.done() { Ok(()) } else { Err(self.wrong(expecting)) }
    }

    pub(crate) const fn wrong(&self, expecting: &'static str) -> Wrong {
        Wrong::Syntax { at: self.at, unexpected: self.at, expecting }
    }
}

/// Reads a whole parameter value; what is wrong becomes PGRST100 with the place.
pub(crate) fn read_whole<'a, T>(
    what: &'static str,
    text: &'a str,
    read: impl FnOnce(&mut Cursor<'a>) -> Read<T>,
) -> Result<T, Fault> {
    let mut cursor = Cursor::new(text);
    read(&mut cursor).map_err(|wrong| match wrong {
        Wrong::Fault(fault) => *fault,
        Wrong::Syntax { at, unexpected, expecting } => {
            let column = text.get(..at).map_or(0, |before| before.chars().count()) + 1;
            let found = text.get(unexpected..).and_then(|rest| rest.chars().next()).map_or_else(
                || "unexpected end of input".to_owned(),
                |c| format!("unexpected {:?}", c.to_string()),
            );
            Fault::new(
                code::PARSE_QUERY,
                format!("\"failed to parse {what} ({text})\" (line 1, column {column})"),
            )
            .with_details(format!("{found} expecting {expecting}"))
        }
    })
}
