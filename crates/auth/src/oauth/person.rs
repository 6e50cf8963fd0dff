//! [`Person`]: whom a service says that it saw, in GoTrue's words. An e-mail address counts as verified only where the
//! service says so, or the configuration says that it always is.

use super::known::{Emails, Fields, Verified};
use crate::account::Object;
use crate::email;
use serde_json::Value;

/// Longest text of a profile that is kept, in bytes.
const TEXT_BYTES: usize = 2_048;
/// Longest id, in bytes.
const SUBJECT_BYTES: usize = 255;

/// A person at a service.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Person {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) email: Option<Email>,
    /// What is said of them, as identities and user metadata have it.
    pub(crate) data: Object,
}

/// An e-mail address that a service gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Email {
    /// In its stored form.
    pub(crate) address: String,
    pub(crate) verified: bool,
}

/// Reads a profile; none where it names nobody. `listed` is the document of e-mail addresses, where there is one.
pub(crate) fn read(
    issuer: &str,
    fields: &Fields,
    profile: &Value,
    listed: Option<&Value>,
    trust_email: bool,
) -> Option<Person> {
    let subject = match at(profile, fields.id)? {
        Value::String(text) if !text.is_empty() && text.len() <= SUBJECT_BYTES => text.clone(),
        Value::Number(number) if number.is_u64() => number.to_string(),
        _ => return None,
    };
    let email = listed.map_or_else(|| of_profile(fields, profile), |listed| primary(&fields.emails, listed));
    let email = email.and_then(|(address, verified)| {
        Some(Email { address: email::normalised(address)?, verified: verified || trust_email })
    });
    let data = data(issuer, &subject, fields, profile, email.as_ref());
    Some(Person { issuer: issuer.to_owned(), subject, email, data })
}

fn of_profile<'p>(fields: &Fields, profile: &'p Value) -> Option<(&'p str, bool)> {
    let verified = match fields.verified {
        Verified::True(place) => at(profile, place).is_some_and(is_true),
        Verified::Present(place) => text(profile, place).is_some(),
        Verified::Unsaid => false,
    };
    Some((text(profile, fields.email)?, verified))
}

/// The address that the person uses there; where none is marked, the first that is verified.
fn primary<'p>(places: &Emails, listed: &'p Value) -> Option<(&'p str, bool)> {
    let entries = listed.pointer(places.list)?.as_array()?;
    let verified = |entry: &Value| at(entry, places.verified).is_some_and(is_true);
    let chosen = entries
        .iter()
        .find(|entry| at(entry, places.primary).is_some_and(is_true))
        .or_else(|| entries.iter().find(|entry| verified(entry)))?;
    Some((text(chosen, places.email)?, verified(chosen)))
}

fn data(issuer: &str, subject: &str, fields: &Fields, profile: &Value, email: Option<&Email>) -> Object {
    let mut data = Object::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            data.insert(name.to_owned(), value);
        }
    };
    let said = |place: &str| text(profile, place).map(Value::from);
    put("avatar_url", said(fields.picture));
    put("email", email.map(|email| Value::from(&*email.address)));
    put("email_verified", Some(Value::from(email.is_some_and(|email| email.verified))));
    put("full_name", said(fields.name));
    put("iss", Some(Value::from(issuer)));
    put("name", said(fields.name));
    put("phone_verified", Some(Value::from(false)));
    put("picture", said(fields.picture));
    put("preferred_username", said(fields.user_name));
    put("provider_id", Some(Value::from(subject)));
    put("sub", Some(Value::from(subject)));
    put("user_name", said(fields.user_name));
    data
}

/// Some services write `true` as text, or as a number.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(value) => *value,
        Value::String(text) => text == "true" || text == "1",
        Value::Number(number) => number.as_u64() == Some(1),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

/// What stands at a place; an empty one is none.
fn at<'v>(value: &'v Value, place: &str) -> Option<&'v Value> {
    if place.is_empty() { None } else { value.pointer(place) }
}

fn text<'v>(value: &'v Value, place: &str) -> Option<&'v str> {
    at(value, place)?.as_str().filter(|text| !text.is_empty() && text.len() <= TEXT_BYTES)
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::oauth::known::{KNOWN, Protocol, STANDARD};
    use serde_json::{Value, json};

    /// The address that is taken of a profile of a known service, and whether it counts as verified.
    fn email(name: &str, profile: &Value, listed: Option<&Value>) -> Option<(String, bool)> {
        let known = KNOWN.iter().find(|known| known.name == name).unwrap();
        let Protocol::OAuth2 { issuer, fields, .. } = &known.protocol else {
            panic!("{name} has no profile")
        };
        let person = read(issuer, fields, profile, listed, false).unwrap();
        person.email.map(|email| (email.address, email.verified))
    }

    #[test]
    fn addresses_are_verified_where_a_service_says_so() {
        let ann = |verified| Some(("ann@x.test".to_owned(), verified));
        let list = json!([
            {"email": "old@x.test", "primary": false, "verified": true},
            {"email": "Ann@x.test", "primary": true, "verified": false},
        ]);
        // the one that the person uses, though another is verified
        assert_eq!(email("github", &json!({"id": 7, "email": "eve@x.test"}), Some(&list)), ann(false));
        let list = json!([{"email": "ann@x.test", "primary": true, "verified": true}]);
        assert_eq!(email("github", &json!({"id": 7}), Some(&list)), ann(true));
        assert_eq!(email("github", &json!({"id": 7, "email": "ann@x.test"}), Some(&json!([]))), None);
        let list = json!({"values": [{"email": "ann@x.test", "is_primary": true, "is_confirmed": true}]});
        assert_eq!(email("bitbucket", &json!({"uuid": "{7}"}), Some(&list)), ann(true));
        for (name, profile, verified) in [
            ("discord", json!({"id": "7", "email": "ann@x.test", "verified": true}), true),
            ("discord", json!({"id": "7", "email": "ann@x.test", "verified": false}), false),
            ("discord", json!({"id": "7", "email": "ann@x.test"}), false),
            ("gitlab", json!({"id": 7, "email": "ann@x.test", "confirmed_at": "2026-01-01T00:00:00Z"}), true),
            ("gitlab", json!({"id": 7, "email": "ann@x.test", "confirmed_at": null}), false),
            ("facebook", json!({"id": "7", "email": "ann@x.test"}), false),
            ("spotify", json!({"id": "7", "email": "ann@x.test"}), false),
        ] {
            assert_eq!(email(name, &profile, None), ann(verified), "{name} {profile}");
        }
    }

    #[test]
    fn claims_are_read_as_they_are_written() {
        let of = |verified: Value| {
            let claims = json!({"sub": "7", "email": "ann@x.test", "email_verified": verified});
            read("https://i.test", &STANDARD, &claims, None, false).unwrap().email.unwrap().verified
        };
        assert!(of(json!(true)) && of(json!("true")) && of(json!(1)));
        for no in [json!(false), json!("false"), json!("yes"), json!(null), json!(2), json!([true])] {
            assert!(!of(no.clone()), "{no}");
        }
        for nobody in [json!({}), json!({"sub": ""}), json!({"sub": null}), json!({"sub": -1}), json!([])] {
            assert_eq!(read("https://i.test", &STANDARD, &nobody, None, false), None, "{nobody}");
        }
        let odd = json!({"sub": "7", "email": "ann@x.test\r\nBcc: b@x.test", "name": "x".repeat(3000)});
        let person = read("https://i.test", &STANDARD, &odd, None, true).unwrap();
        assert_eq!((person.email, person.data.get("name")), (None, None));
    }
}
