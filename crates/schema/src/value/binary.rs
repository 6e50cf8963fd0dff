//! Binary data: PostgreSQL's text forms of `bytea` in, bytes out, and back as `\x…`.

use std::fmt::Write as _;

/// The bytes of `\xdeadbeef`, or of the escape form: a text whose `\\` is a backslash and
/// whose `\ooo` is a byte in octal digits.
#[must_use]
pub fn parse(text: &str) -> Option<Vec<u8>> {
    match text.strip_prefix("\\x") {
        Some(digits) => hex(digits),
        None => escaped(text),
    }
}

/// Pairs of hexadecimal digits; white space may stand between pairs.
fn hex(digits: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(digits.len() / 2);
    let mut input = digits.bytes().peekable();
    loop {
        while input.next_if(u8::is_ascii_whitespace).is_some() {}
        let Some(high) = input.next() else { return Some(out) };
        out.push(nibble(high)? << 4 | nibble(input.next()?)?);
    }
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

fn escaped(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut input = text.bytes();
    while let Some(byte) = input.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let first = input.next()?;
        if first == b'\\' {
            out.push(first);
            continue;
        }
        let octal = [first, input.next()?, input.next()?];
        let digits = std::str::from_utf8(&octal)
            .ok()
            .filter(|text| text.bytes().all(|b| (b'0'..=b'7').contains(&b)))?;
        out.push(u8::from_str_radix(digits, 8).ok()?);
    }
    Some(out)
}

/// Appends `\xdeadbeef`.
pub fn write_hex(bytes: &[u8], out: &mut String) {
    out.reserve(2 + bytes.len() * 2);
    out.push_str("\\x");
    write_digits(bytes, out);
}

/// Appends `deadbeef`.
pub fn write_digits(bytes: &[u8], out: &mut String) {
    for byte in bytes {
        let written = write!(out, "{byte:02x}");
        debug_assert!(written.is_ok(), "writing to a string does not fail");
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn reads_both_forms_of_postgresql() {
        for (text, bytes) in [
            ("", &b""[..]),
            ("\\x", b""),
            ("\\xDEad be\nef", b"\xde\xad\xbe\xef"),
            ("abc", b"abc"),
            ("a\\\\b", b"a\\b"),
            ("\\000\\377", b"\x00\xff"),
            ("\u{fc}", b"\xc3\xbc"),
        ] {
            assert_eq!(parse(text).as_deref(), Some(bytes), "{text:?}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        for text in
            ["\\x1", "\\x1 2", "\\xgg", "\\", "\\x\u{664}\u{664}", "\\40", "\\400", "\\888", "\\y", "\\+12"]
        {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
