//! Which form the answer takes (`Accept`), and which the body has (`Content-Type`).

use crate::request::Request;
use backstay_base::code;
use backstay_base::fault::Fault;

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Media {
    /// One object instead of a list.
    pub(crate) singular: bool,
    /// A header and a line per row instead of JSON.
    pub(crate) csv: bool,
    /// Members that are null are left out.
    pub(crate) strip_nulls: bool,
    /// `Content-Type` of the answer.
    pub(crate) content_type: &'static str,
}

/// `Content-Type` of plain JSON.
pub(crate) const JSON: &str = "application/json; charset=utf-8";

const PLAIN: Media = Media { singular: false, csv: false, strip_nulls: false, content_type: JSON };

const CSV: Media =
    Media { singular: false, csv: true, strip_nulls: false, content_type: "text/csv; charset=utf-8" };

/// The best of the accepted media types that can be made.
pub(crate) fn media(request: &Request<'_>) -> Result<Media, Fault> {
    let mut accepted: Vec<(u16, &str)> = request
        .all_headers("accept")
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .map(|text| (quality(text), text))
        .filter(|(quality, _)| *quality > 0)
        .collect();
    if accepted.is_empty() {
        return Ok(PLAIN);
    }
    accepted.sort_by_key(|(quality, _)| std::cmp::Reverse(*quality));
    accepted.iter().find_map(|(_, text)| one(text)).ok_or_else(|| {
        let names: Vec<&str> = accepted.iter().map(|(_, text)| *text).collect();
        Fault::new(code::MEDIA_TYPE, format!("None of these media types are available: {}", names.join(", ")))
    })
}

/// `q` in thousandths.
fn quality(text: &str) -> u16 {
    let stated = text.split(';').skip(1).find_map(|part| part.trim().strip_prefix("q="));
    let Some(stated) = stated else { return 1000 };
    let number: f64 = stated.trim().parse().unwrap_or(1.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=1000")]
    let thousandths = (number.clamp(0.0, 1.0) * 1000.0) as u16;
    thousandths
}

fn one(text: &str) -> Option<Media> {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next()?.to_ascii_lowercase();
    let strip_nulls = parts.any(|part| part.eq_ignore_ascii_case("nulls=stripped"));
    let (singular, content_type) = match (name.as_str(), strip_nulls) {
        ("*/*" | "application/*" | "application/json", _) => return Some(PLAIN),
        ("text/csv", _) => return Some(CSV),
        ("application/vnd.pgrst.array+json" | "application/vnd.pgrst.array", false) => return Some(PLAIN),
        ("application/vnd.pgrst.object+json" | "application/vnd.pgrst.object", false) => {
            (true, "application/vnd.pgrst.object+json; charset=utf-8")
        }
        ("application/vnd.pgrst.object+json" | "application/vnd.pgrst.object", true) => {
            (true, "application/vnd.pgrst.object+json;nulls=stripped; charset=utf-8")
        }
        ("application/vnd.pgrst.array+json" | "application/vnd.pgrst.array", true) => {
            (false, "application/vnd.pgrst.array+json;nulls=stripped; charset=utf-8")
        }
        _ => return None,
    };
    Some(Media { singular, csv: false, strip_nulls, content_type })
}

/// The form of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyForm {
    Json,
    Csv,
    /// `name=value` pairs of one row.
    Urlencoded,
}

/// The form that a body claims to have; JSON where it claims none.
pub(crate) fn body_form(request: &Request<'_>) -> Result<BodyForm, Fault> {
    let Some(stated) = request.header("content-type") else { return Ok(BodyForm::Json) };
    // as most say it
    if stated == "application/json" {
        return Ok(BodyForm::Json);
    }
    let name = stated.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match name.as_str() {
        ""
        | "application/json"
        | "application/vnd.pgrst.object+json"
        | "application/vnd.pgrst.array+json" => Ok(BodyForm::Json),
        "text/csv" => Ok(BodyForm::Csv),
        "application/x-www-form-urlencoded" => Ok(BodyForm::Urlencoded),
        _ => Err(Fault::new(code::BODY_INVALID, format!("Content-Type not acceptable: {name}"))
            .with_hint("send the body as application/json")),
    }
}
