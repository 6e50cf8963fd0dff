//! Pages: `limit` and `offset`, the `Range` header, and `Content-Range`.

use backstay_base::code;
use backstay_base::fault::Fault;

/// Which rows of all that match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Page {
    pub(crate) offset: u64,
    pub(crate) limit: Option<u64>,
}

impl Page {
    /// The rows that lie in both.
    pub(crate) fn within(self, outer: Self) -> Self {
        let end = |page: Self| page.limit.map(|limit| page.offset.saturating_add(limit));
        let offset = self.offset.max(outer.offset);
        let end = match (end(self), end(outer)) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (one, other) => one.or(other),
        };
        Self { offset, limit: end.map(|end| end.saturating_sub(offset)) }
    }
}

/// Reads a `limit` or `offset`.
pub(crate) fn number(what: &'static str, text: &str) -> Result<u64, Fault> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let numeric = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if !numeric {
        return Err(Fault::new(
            code::PARSE_QUERY,
            format!("\"failed to parse {what} ({text})\" (line 1, column 1)"),
        )
        .with_details("expecting a whole number"));
    }
    if text.starts_with('-') && digits.bytes().any(|b| b != b'0') {
        let title = if what == "limit" { "Limit" } else { "Offset" };
        return Err(unsatisfiable(format!("{title} should be greater than or equal to zero.")));
    }
    Ok(digits.parse::<u64>().unwrap_or(u64::MAX).min(i64::MAX.unsigned_abs()))
}

/// Reads a `Range` header of rows: `0-9`, `10-`. Another form asks for no range.
pub(crate) fn range(header: &str) -> Result<Page, Fault> {
    let text = header.trim();
    let Some((low, high)) = text.strip_prefix("items=").unwrap_or(text).split_once('-') else {
        return Ok(Page::default());
    };
    let Ok(offset) = low.parse::<u64>() else { return Ok(Page::default()) };
    if high.is_empty() {
        return Ok(Page { offset, limit: None });
    }
    let Ok(last) = high.parse::<u64>() else { return Ok(Page::default()) };
    if last < offset {
        return Err(unsatisfiable(
            "The lower boundary must be lower than or equal to the upper boundary in the Range header.",
        ));
    }
    Ok(Page { offset, limit: Some((last - offset).saturating_add(1)) })
}

/// 416 with these details.
pub(crate) fn unsatisfiable(details: impl Into<String>) -> Fault {
    Fault::new(code::RANGE_INVALID, "Requested range not satisfiable").with_details(details)
}

/// `0-9/42`; a star where nothing is answered or counted.
pub(crate) fn content_range(first: u64, rows: u64, total: Option<u64>) -> String {
    match (rows, total) {
        (0, None) => "*/*".to_owned(),
        (0, Some(total)) => format!("*/{total}"),
        (rows, None) => [&first.to_string(), "-", &(first + rows - 1).to_string(), "/*"].concat(),
        (rows, Some(total)) => format!("{first}-{}/{total}", first + rows - 1),
    }
}
