//! E-mail addresses: one stored form per mailbox, so that nobody signs up twice.

use crate::refusal::Refusal;

/// Longest address, in bytes (RFC 5321).
const MAX_BYTES: usize = 254;
/// Longest part before the `@`, in bytes.
const MAX_LOCAL_BYTES: usize = 64;

/// The stored form: ASCII letters lower; none when it is no address that mail can be sent to.
///
/// Domains must be ASCII (`xn--…` for others): two spellings of one domain would be two accounts.
#[must_use]
pub fn normalised(text: &str) -> Option<String> {
    let text = text.trim();
    let (local, domain) = text.rsplit_once('@')?;
    let plain = |c: char| !c.is_control() && !c.is_whitespace() && !"\"(),:;<>@[\\]".contains(c);
    let dots = |part: &str| part.split('.').all(|piece| !piece.is_empty());
    let good_local =
        !local.is_empty() && local.len() <= MAX_LOCAL_BYTES && local.chars().all(plain) && dots(local);
    let label = |piece: &str| {
        piece.len() <= 63
            && !piece.starts_with('-')
            && !piece.ends_with('-')
            && piece.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let good_domain = domain.contains('.') && dots(domain) && domain.split('.').all(label);
    (text.len() <= MAX_BYTES && good_local && good_domain).then(|| text.to_ascii_lowercase())
}

/// The stored form of an address that somebody sent.
pub(crate) fn given(text: &str) -> Result<String, Refusal> {
    normalised(text).ok_or_else(|| Refusal::validation("Unable to validate email address: invalid format"))
}

#[cfg(test)]
mod tests {
    use super::normalised;

    #[test]
    fn addresses_have_one_form() {
        assert_eq!(normalised(" Ann.Lee+x@Example.COM ").as_deref(), Some("ann.lee+x@example.com"));
        assert_eq!(normalised("jö@example.com").as_deref(), Some("jö@example.com"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.com", "a".repeat(65));
        let longer = format!("a@{}.com", "b.".repeat(130));
        for text in [
            "",
            "a",
            "@",
            "a@",
            "@b.c",
            "a@b",
            "a@b..c",
            "a@.b.c",
            "a@b.c.",
            "a b@c.de",
            "a\n@c.de",
            "a@b@c.de",
            "\"a\"@b.de",
            "a@-b.de",
            "a@b-.de",
            "a@bücher.de",
            ".a@b.de",
            "a.@b.de",
            "a@b.de\r\nBcc: x@y.z",
            "a\u{200b}\u{0}@b.de",
            "<a@b.de>",
            &long,
            &longer,
        ] {
            assert_eq!(normalised(text), None, "{text:?}");
        }
    }
}
