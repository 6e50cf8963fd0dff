//! [`Template`]: the words of a letter, with names in `{{ }}` that are filled in once: a value
//! is never read as a template again.

use serde::Deserialize;

/// Names that may stand in a template.
const NAMES: &[&str] =
    &["ConfirmationURL", "Token", "TokenHash", "Email", "NewEmail", "SiteURL", "RedirectTo"];

/// Subject and text of a letter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Template {
    /// One line.
    pub subject: Option<String>,
    /// Plain text.
    pub text: Option<String>,
}

/// What stands for the names.
#[derive(Clone, Copy, Default)]
pub struct Values<'v> {
    /// The link.
    pub confirmation_url: &'v str,
    /// The six digits.
    pub token: &'v str,
    /// What the link carries.
    pub token_hash: &'v str,
    /// The account's address.
    pub email: &'v str,
    /// The address that it wants instead, of a letter about that.
    pub new_email: &'v str,
    /// Where the application stands.
    pub site_url: &'v str,
    /// Where the link leads in the end.
    pub redirect_to: &'v str,
}

/// A template that cannot be filled in.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A name that there is not.
    #[error("{{{{ .{0} }}}} stands for nothing; names are {names}", names = NAMES.join(", "))]
    Unknown(String),
    /// `{{` without its end.
    #[error("`{{{{` without `}}}}`")]
    Open,
    /// A subject is one line.
    #[error("a subject is one line")]
    Lines,
}

/// Checks the words of a letter before any is sent.
///
/// # Errors
/// Every [`Error`].
pub fn check(template: &Template) -> Result<(), Error> {
    let subject = template.subject.as_deref().unwrap_or_default();
    if subject.chars().any(char::is_control) {
        return Err(Error::Lines);
    }
    for text in [subject, template.text.as_deref().unwrap_or_default()] {
        filled(
            text,
            |name| {
                if NAMES.contains(&name) { Ok("") } else { Err(Error::Unknown(name.to_owned())) }
            },
        )?;
    }
    Ok(())
}

/// Fills a text in. Names that there are not stay empty; [`check`] refuses them before.
#[must_use]
pub fn fill(text: &str, values: &Values<'_>) -> String {
    let value = |name: &str| match name {
        "ConfirmationURL" => values.confirmation_url,
        "Token" => values.token,
        "TokenHash" => values.token_hash,
        "Email" => values.email,
        "NewEmail" => values.new_email,
        "SiteURL" => values.site_url,
        "RedirectTo" => values.redirect_to,
        // refused by `check`
        _ => "",
    };
    filled(text, |name| Ok(value(name))).unwrap_or_else(|_| text.to_owned())
}

fn filled<'v>(text: &str, value: impl Fn(&str) -> Result<&'v str, Error>) -> Result<String, Error> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").ok_or(Error::Open)?;
        out.push_str(before);
        out.push_str(value(name.trim().trim_start_matches('.'))?);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::{Error, Template, Values, check, fill};

    #[test]
    fn names_are_filled_in_once() {
        let values = Values { email: "{{ .Token }}@x.test", token: "123456", ..Values::default() };
        assert_eq!(
            fill("{{ .Email }} {{.Token}} {{Token}} }} {", &values),
            "{{ .Token }}@x.test 123456 123456 }} {"
        );
        assert_eq!(fill("plain", &values), "plain");
    }

    #[test]
    fn mistakes_are_found_before_a_letter_is_written() {
        let of = |subject: &str, text: &str| {
            check(&Template { subject: Some(subject.to_owned()), text: Some(text.to_owned()) })
        };
        assert_eq!(of("{{ .Token }}", "{{ .ConfirmationURL }}\n{{ .SiteURL }}"), Ok(()));
        assert_eq!(of("x", "{{ .Password }}"), Err(Error::Unknown("Password".to_owned())));
        assert_eq!(of("x", "{{ .Token"), Err(Error::Open));
        assert_eq!(of("x\r\nBcc: a@b.cd", "x"), Err(Error::Lines));
        assert_eq!(check(&Template::default()), Ok(()));
    }
}
