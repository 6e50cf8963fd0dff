//! JSON written once, straight from the cells of a reply, guided by its shape.

use backstay_query::reply::{Cell, Rows, Shape, ShapeKind, ShapeMember};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What of the rows is written, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Form {
    /// The first row alone, without a list around it.
    pub(crate) singular: bool,
    /// Members that are null are left out.
    pub(crate) strip_nulls: bool,
    /// Rows to pass over.
    pub(crate) skip: u64,
    /// Most rows to write.
    pub(crate) take: u64,
}

/// Writes rows as JSON.
pub(crate) fn rows(rows: &Rows, shape: &Shape<'_>, form: Form) -> Vec<u8> {
    let mut writer = Writer {
        out: Vec::with_capacity(rows.text.len() + rows.cells.len() * 24 + 2),
        cells: rows.cells.iter(),
        rows,
        strip_nulls: form.strip_nulls,
    };
    let mut sink = Vec::new();
    for _ in 0..form.skip.min(rows.count) {
        std::mem::swap(&mut writer.out, &mut sink);
        writer.object(shape);
        std::mem::swap(&mut writer.out, &mut sink);
        sink.clear();
    }
    let count = rows.count.saturating_sub(form.skip).min(form.take);
    if form.singular {
        match count {
            0 => writer.out.extend_from_slice(b"null"),
            _ => writer.object(shape),
        }
    } else {
        writer.list(shape, count);
    }
    writer.out
}

/// Writes members one after the other.
pub(crate) struct Writer<'a> {
    pub(crate) out: Vec<u8>,
    cells: std::slice::Iter<'a, Cell>,
    rows: &'a Rows,
    strip_nulls: bool,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(rows: &'a Rows) -> Self {
        Self { out: Vec::new(), cells: rows.cells.iter(), rows, strip_nulls: false }
    }

    /// The text of a cell.
    pub(crate) fn text_of(&self, start: u32, len: u32) -> &'a str {
        self.rows.slice(start, len)
    }

    fn list(&mut self, shape: &Shape<'_>, count: u64) {
        self.out.push(b'[');
        for row in 0..count {
            if row > 0 {
                self.out.push(b',');
            }
            self.object(shape);
        }
        self.out.push(b']');
    }

    fn object(&mut self, shape: &Shape<'_>) {
        self.out.push(b'{');
        let mut first = true;
        self.members(shape, &mut first);
        self.out.push(b'}');
    }

    fn members(&mut self, shape: &Shape<'_>, first: &mut bool) {
        for member in &shape.members {
            match &member.kind {
                ShapeKind::Spread(inner) => match self.next() {
                    Cell::Null => self.absent(inner, first),
                    _ => self.members(inner, first),
                },
                ShapeKind::SpreadMany(inner) => {
                    for (name, list) in self.lists(inner) {
                        self.name(name, first);
                        self.out.extend_from_slice(&list);
                    }
                }
                ShapeKind::Spilled => self.spilled(shape, first),
                _ => self.member(member, first),
            }
        }
    }

    /// The members of an object among those of the row that it is of: names of the row come first.
    fn spilled(&mut self, row: &Shape<'_>, first: &mut bool) {
        let (Cell::Raw { start, len } | Cell::Text { start, len }) = self.next() else { return };
        // what is no object there, somebody else wrote
        let members: BTreeMap<Cow<'_, str>, &RawValue> =
            serde_json::from_str(self.text_of(start, len)).unwrap_or_default();
        for (name, value) in members {
            let mut taken = false;
            leaves(row, &mut |known| taken |= known == name);
            if !taken {
                self.name(&name, first);
                self.out.extend_from_slice(value.get().as_bytes());
            }
        }
    }

    /// The rows of a spread to-many embed: each of its members as the list of its values.
    pub(crate) fn lists<'s>(&mut self, shape: &Shape<'s>) -> Vec<(&'s str, Vec<u8>)> {
        let mut lists = Vec::new();
        leaves(shape, &mut |name| lists.push((name, vec![b'['])));
        let Cell::List(count) = self.next() else { return lists };
        for row in 0..count {
            let mut place = 0;
            self.elements(shape, row > 0, &mut lists, &mut place);
        }
        lists.iter_mut().for_each(|(_, list)| list.push(b']'));
        lists
    }

    /// Appends the members of one row to their lists, from `place` on.
    fn elements(&mut self, shape: &Shape<'_>, later: bool, lists: &mut [(&str, Vec<u8>)], place: &mut usize) {
        for member in &shape.members {
            match &member.kind {
                ShapeKind::Spread(inner) => match self.next() {
                    Cell::Null => leaves(inner, &mut |_| {
                        element(lists, place, later, b"null");
                    }),
                    _ => self.elements(inner, later, lists, place),
                },
                ShapeKind::SpreadMany(inner) => {
                    for (_, list) in self.lists(inner) {
                        element(lists, place, later, &list);
                    }
                }
                kind => {
                    let cell = self.next();
                    let before = std::mem::take(&mut self.out);
                    self.value(kind, cell);
                    let value = std::mem::replace(&mut self.out, before);
                    element(lists, place, later, &value);
                }
            }
        }
    }

    fn member(&mut self, member: &ShapeMember<'_>, first: &mut bool) {
        let cell = self.next();
        if self.strip_nulls && cell == Cell::Null {
            return;
        }
        self.name(member.name, first);
        self.value(&member.kind, cell);
    }

    /// What a cell begins.
    pub(crate) fn value(&mut self, kind: &ShapeKind<'_>, cell: Cell) {
        match (kind, cell) {
            (ShapeKind::One(inner), Cell::Row) => self.object(inner),
            (ShapeKind::Many(inner), Cell::List(count)) => self.list(inner, u64::from(count)),
            (ShapeKind::Count(name), cell) => {
                self.out.extend_from_slice(b"[{");
                self.name(name, &mut true);
                self.scalar(cell);
                self.out.extend_from_slice(b"}]");
            }
            (_, cell) => self.scalar(cell),
        }
    }

    /// The members of a spread row that is not there.
    fn absent(&mut self, shape: &Shape<'_>, first: &mut bool) {
        if self.strip_nulls {
            return;
        }
        leaves(shape, &mut |name| {
            self.name(name, first);
            self.out.extend_from_slice(b"null");
        });
    }

    fn name(&mut self, name: &str, first: &mut bool) {
        if !*first {
            self.out.push(b',');
        }
        *first = false;
        text(&mut self.out, name);
        self.out.push(b':');
    }

    fn scalar(&mut self, cell: Cell) {
        match cell {
            Cell::Bool(true) => self.out.extend_from_slice(b"true"),
            Cell::Bool(false) => self.out.extend_from_slice(b"false"),
            Cell::Int(number) => int(&mut self.out, number),
            Cell::Float(number) => float(&mut self.out, number),
            Cell::Text { start, len } => text(&mut self.out, self.rows.slice(start, len)),
            Cell::Raw { start, len } => self.out.extend_from_slice(self.rows.slice(start, len).as_bytes()),
            Cell::Null | Cell::Row | Cell::List(_) => self.out.extend_from_slice(b"null"),
        }
    }

    /// The next cell; a reply that ends early reads as nulls.
    pub(crate) fn next(&mut self) -> Cell {
        self.cells.next().copied().unwrap_or(Cell::Null)
    }
}

/// Calls `visit` with the name of each member, those of spread embeds among them.
pub(crate) fn leaves<'s>(shape: &Shape<'s>, visit: &mut dyn FnMut(&'s str)) {
    for member in &shape.members {
        match &member.kind {
            ShapeKind::Spread(inner) | ShapeKind::SpreadMany(inner) => leaves(inner, visit),
            ShapeKind::Spilled => {}
            _ => visit(member.name),
        }
    }
}

fn element(lists: &mut [(&str, Vec<u8>)], place: &mut usize, later: bool, value: &[u8]) {
    if let Some((_, list)) = lists.get_mut(*place) {
        if later {
            list.push(b',');
        }
        list.extend_from_slice(value);
    }
    *place += 1;
}

/// How a byte is written inside a JSON string: 0 as it is, `u` as `\u00XX`, else after a backslash.
#[expect(clippy::indexing_slicing, reason = "evaluated at compile time, within bounds")]
const ESCAPES: [u8; 256] = {
    let mut table = [0_u8; 256];
    let mut byte = 0;
    while byte < 32 {
        table[byte] = b'u';
        byte += 1;
    }
    table[0x08] = b'b';
    table[0x09] = b't';
    table[0x0a] = b'n';
    table[0x0c] = b'f';
    table[0x0d] = b'r';
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table
};

/// Writes a JSON string, copying runs that need no escape.
pub(crate) fn text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    loop {
        let (plain, from) = rest.split_at(plain_bytes(rest));
        out.extend_from_slice(plain);
        let Some((byte, after)) = from.split_first() else { break };
        escape(out, *byte);
        rest = after;
    }
    out.push(b'"');
}

/// How many bytes come before the first that needs an escape; eight are looked at together.
fn plain_bytes(text: &[u8]) -> usize {
    let is_plain = |word: &[u8; 8]| !needs_escape(u64::from_ne_bytes(*word));
    let (words, _) = text.as_chunks();
    let plain = 8 * words.iter().take_while(|word| is_plain(word)).count();
    // the last eight overlap with those before
    if plain + 8 > text.len() && text.last_chunk().is_some_and(is_plain) {
        return text.len();
    }
    let special = |byte: &u8| ESCAPES.get(usize::from(*byte)).is_some_and(|escape| *escape != 0);
    let rest = text.get(plain..).unwrap_or_default();
    plain + rest.iter().position(special).unwrap_or(rest.len())
}

/// Whether some byte of eight is a control character, `"` or `\\`: the tests for a byte that is zero and
/// for one that is less than a number, of all bytes at once (Anderson, "Bit Twiddling Hacks").
const fn needs_escape(word: u64) -> bool {
    const EACH: u64 = u64::MAX / 255;
    const HIGH: u64 = EACH * 128;
    let control = word.wrapping_sub(EACH * 32) & !word;
    let quote = word ^ (EACH * b'"' as u64);
    let quote = quote.wrapping_sub(EACH) & !quote;
    let backslash = word ^ (EACH * b'\\' as u64);
    let backslash = backslash.wrapping_sub(EACH) & !backslash;
    (control | quote | backslash) & HIGH != 0
}

fn escape(out: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| HEX.get(usize::from(value)).copied().unwrap_or(b'0');
    match ESCAPES.get(usize::from(byte)) {
        Some(b'u') => out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]),
        Some(letter) => out.extend_from_slice(&[b'\\', *letter]),
        None => out.push(byte),
    }
}

/// Writes a whole number.
pub(crate) fn int(out: &mut Vec<u8>, number: i64) {
    let mut digits = [0_u8; 20];
    let mut left = number.unsigned_abs();
    let mut used = 0;
    for slot in digits.iter_mut().rev() {
        let digit = (left % 10) as u8;
        *slot = b'0' + digit;
        left /= 10;
        used += 1;
        if left == 0 {
            break;
        }
    }
    if number < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(digits.get(digits.len() - used..).unwrap_or_default());
}

/// Writes the shortest text that reads back as the same number, in PostgreSQL's form:
/// plain from 1e-4 up to 1e15, with an exponent beyond.
pub(crate) fn float(out: &mut Vec<u8>, number: f64) {
    if !number.is_finite() {
        out.extend_from_slice(b"null");
        return;
    }
    // zero has no sign, whatever the database keeps
    let number = number + 0.0;
    let scientific = format!("{number:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let power: i32 = exponent.parse().unwrap_or(0);
    if (-4..15).contains(&power) {
        out.extend_from_slice(number.to_string().as_bytes());
        return;
    }
    let sign = if power < 0 { '-' } else { '+' };
    out.extend_from_slice(format!("{mantissa}e{sign}{:02}", power.abs()).as_bytes());
}

#[cfg(test)]
mod tests;
