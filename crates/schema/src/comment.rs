//! What people read of a table or column where a database keeps such words: its documentation,
//! and a last paragraph that says that and why it is deprecated. Enters and leaves: text.

/// What the last paragraph of something deprecated begins with.
const DEPRECATED: &str = "Deprecated: ";

/// The comment; none where there is nothing to say.
#[must_use]
pub fn written(doc: Option<&str>, deprecated: Option<&str>) -> Option<String> {
    let doc = doc.map(str::trim).filter(|doc| !doc.is_empty());
    let deprecated = deprecated.map(|reason| [DEPRECATED, reason.trim()].concat());
    let text = match (doc, deprecated) {
        (None, None) => return None,
        (Some(doc), None) => doc.to_owned(),
        (None, Some(last)) => last,
        (Some(doc), Some(last)) => format!("{doc}\n\n{last}"),
    };
    // no database keeps the character NUL in a text
    Some(text.replace('\0', "\u{fffd}"))
}

/// The documentation and the reason of a deprecation that a comment says.
#[must_use]
pub fn read(comment: &str) -> (Option<&str>, Option<&str>) {
    let (doc, last) = match comment.rsplit_once("\n\n") {
        Some((doc, last)) if last.starts_with(DEPRECATED) => (doc, Some(last)),
        Some(_) | None if comment.starts_with(DEPRECATED) && !comment.contains("\n\n") => ("", Some(comment)),
        Some(_) | None => (comment, None),
    };
    let reason = last.and_then(|last| last.strip_prefix(DEPRECATED));
    (Some(doc).filter(|doc| !doc.is_empty()), reason)
}

#[cfg(test)]
mod tests {
    use super::{read, written};

    #[test]
    fn what_is_written_is_read_again() {
        for (doc, reason) in [
            (Some("What it costs."), None),
            (Some("What it costs.\n\nIn euros."), Some("say `total`")),
            (None, Some("no longer there")),
            (Some("Deprecated: no,\nnot this"), Some("but this")),
            (Some("it's 'quoted' \\ \"twice\" 😀"), Some("")),
        ] {
            let comment = written(doc, reason).unwrap();
            assert_eq!(read(&comment), (doc, reason), "{comment}");
        }
        assert_eq!(written(Some(" \n"), None), None);
        assert_eq!(written(None, None), None);
        assert_eq!(written(Some("a\0b"), None).unwrap(), "a\u{fffd}b");
        assert_eq!(read(""), (None, None));
    }
}
