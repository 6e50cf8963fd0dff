//! `/callback`: where other services send browsers back to. Whatever comes of it leads to the application: with a
//! session behind the `#`, with a code for the app that has the verifier, or with what went wrong.

use crate::endpoint::Request;
use crate::endpoint::sign_up::Entry;
use crate::endpoint::verify::FLOW_MICROS;
use crate::key_ring::{KeyRing, fingerprint};
use crate::oauth::flow::{Flow, State};
use crate::oauth::person::Person;
use crate::oauth::provider::Provider;
use crate::oauth::sealed::{self, ProviderTokens};
use crate::refusal::Refusal;
use crate::schema::FLOW_STATE;
use crate::service::Auth;
use crate::statement::{Step, insert, optional_text, text};
use crate::wire::Response;
use backstay_schema::catalog::Catalog;
use backstay_schema::value::Value as Cell;
use std::sync::Arc;
use url::form_urlencoded::{self, Serializer};

/// How a session says that it began.
const METHOD: &str = "oauth";
/// What services send back; the rest is not looked at.
const KNOWN: [&str; 5] = ["state", "code", "iss", "error", "error_description"];
/// Longest value of a parameter, in bytes.
const VALUE_BYTES: usize = 4_096;
/// Most characters of what a service says that are told to the application.
const WORDS: usize = 256;

/// What goes wrong on the way back.
enum Wrong {
    /// Here.
    Here(Refusal),
    /// At the service, or the person did not want to.
    There { error: String, description: String },
}

impl From<Refusal> for Wrong {
    fn from(refusal: Refusal) -> Self {
        Self::Here(refusal)
    }
}

impl Auth {
    /// A form that a service lets the browser post: it comes from another site, without cookies. The browser comes again by
    /// `GET`, as from a link.
    pub(super) fn callback_form(&self, request: &Request<'_>) -> Response {
        let mut query = Serializer::new(String::new());
        for (name, value) in known(request.body) {
            query.append_pair(&name, &value);
        }
        led(303, format!("{}?{}", self.callback_url(), query.finish()), None)
    }

    pub(super) async fn callback(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
    ) -> Result<Response, Refusal> {
        let ring = self.ring()?;
        let settings = &self.settings;
        let asked = known(request.query.unwrap_or_default().as_bytes());
        let (state, flow) = match self.taken_up(catalog, request, &ring, &asked).await {
            Ok(found) => found,
            // nobody says where it was to lead
            Err(refusal) => return Ok(led(303, failed(request, &settings.site_url, refusal.into()), None)),
        };
        let place = match self.come_back(catalog, request, (&ring, &state, &flow), &asked).await {
            Ok(place) => place,
            Err(wrong) => failed(request, &flow.redirect_to, wrong),
        };
        Ok(led(302, place, Some(state.drop_cookie(&settings.issuer))))
    }

    /// The sign-in that a browser comes back from. Nothing is looked up for a state that is not of this server, or not of this
    /// browser.
    async fn taken_up(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
        ring: &KeyRing,
        asked: &[(String, String)],
    ) -> Result<(State, Flow), Refusal> {
        let text = value(asked, "state").ok_or_else(Refusal::state_missing)?;
        let state = State::read(ring, text).ok_or_else(Refusal::state_invalid)?;
        if !state.is_of_browser(ring, request.header("cookie")) {
            return Err(Refusal::state_of_another_browser());
        }
        let flow = self.take_flow(catalog, &state).await?;
        Ok((state, flow))
    }

    /// Where a sign-in leads that a browser came back from.
    async fn come_back(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
        (ring, state, flow): (&KeyRing, &State, &Flow),
        asked: &[(String, String)],
    ) -> Result<String, Wrong> {
        let provider = self.provider_named(&flow.provider).ok_or_else(Refusal::provider_gone)?;
        let away = |error| Refusal { source: Some(Box::new(error)), ..Refusal::provider_away() };
        if !self.is_issuer(provider, value(asked, "iss")).await.map_err(away)? {
            return Err(Refusal::issuer_mismatch().into());
        }
        if let Some(error) = value(asked, "error") {
            let description = words(value(asked, "error_description").unwrap_or_default());
            return Err(Wrong::There { error: words(error), description });
        }
        let code = value(asked, "code").ok_or_else(Refusal::code_missing)?;
        let (person, tokens) = self
            .exchange(provider, state, ring, code)
            .await
            .map_err(|error| Refusal { source: Some(Box::new(error)), ..Refusal::code_not_exchanged() })?;
        Ok(self.arrive(catalog, request, (provider, &person), (ring, flow, tokens)).await?)
    }

    /// Lets a person in, and says where that leads.
    async fn arrive(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
        (provider, person): (&Provider, &Person),
        (ring, flow, tokens): (&KeyRing, &Flow, ProviderTokens),
    ) -> Result<String, Refusal> {
        let target = &flow.redirect_to;
        if let Some(challenge) = &flow.challenge {
            let code = self.ids.account().to_string();
            let sealed = sealed::seal(ring, &code, &tokens);
            self.let_in(catalog, request, (provider, person), |entry| {
                vec![waiting(&code, entry, challenge, sealed.clone())]
            })
            .await?;
            let join = if target.contains('?') { '&' } else { '?' };
            return Ok(format!("{target}{join}code={code}"));
        }
        let mut beginning = None;
        let Entry { account, identities, .. } = self
            .let_in(catalog, request, (provider, person), |entry| {
                let begun = self.begin(entry.account.id, METHOD, request, entry.account.updated_at);
                let steps = begun.steps.clone();
                beginning = Some(begun);
                steps
            })
            .await?;
        let beginning = beginning.ok_or_else(Refusal::unexpected)?;
        let body = self.session_body(&account, &identities, &beginning.session, beginning.refresh_token)?;
        let mut fragment = Serializer::new(String::new());
        fragment
            .append_pair("access_token", &body.access_token)
            .append_pair("expires_at", &body.expires_at.to_string())
            .append_pair("expires_in", &body.expires_in.to_string());
        for (name, token) in [("provider_refresh_token", &tokens.refresh), ("provider_token", &tokens.access)]
        {
            if let Some(token) = token {
                fragment.append_pair(name, token);
            }
        }
        fragment.append_pair("refresh_token", &body.refresh_token).append_pair("token_type", body.token_type);
        Ok(format!("{target}#{}", fragment.finish()))
    }
}

/// The row of a session that waits for the app which has the verifier.
fn waiting(code: &str, entry: &Entry, challenge: &str, sealed: Option<String>) -> Step {
    let row = vec![
        ("hash", text(fingerprint(code))),
        ("account_id", Cell::Uuid(entry.account.id)),
        ("method", text(METHOD)),
        ("challenge", text(challenge)),
        ("sealed", optional_text(sealed)),
        ("expires_at", Cell::Timestamp(entry.account.updated_at.saturating_add(FLOW_MICROS))),
    ];
    insert(FLOW_STATE, row)
}

/// The parameters that are known, each once: the first.
fn known(text: &[u8]) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for (name, value) in form_urlencoded::parse(text) {
        let is_new = KNOWN.contains(&&*name) && found.iter().all(|(known, _)| *known != name);
        if is_new && value.len() <= VALUE_BYTES {
            found.push((name.into_owned(), value.into_owned()));
        }
    }
    found
}

fn value<'a>(asked: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = asked.iter().find(|(key, _)| key == name).map(|(_, value)| &**value);
    found.filter(|value| !value.is_empty())
}

/// What a service says, as far as RFC 6749 lets it say anything.
fn words(text: &str) -> String {
    let allowed = |c: &char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
    text.chars().filter(allowed).take(WORDS).collect()
}

/// Where an application is told what went wrong: GoTrue says it in the query and behind the `#`.
fn failed(request: &Request<'_>, target: &str, wrong: Wrong) -> String {
    let mut told = Serializer::new(String::new());
    match &wrong {
        Wrong::There { error, description } => {
            told.append_pair("error", error).append_pair("error_description", description);
        }
        Wrong::Here(refusal) => {
            let source = refusal.source.as_ref().map(tracing::field::display);
            if refusal.status >= 500 {
                tracing::warn!(
                    request.id = request.id,
                    code = refusal.code,
                    error = source,
                    "a sign-in with another service failed"
                );
            }
            told.append_pair("error", error_name(refusal))
                .append_pair("error_code", refusal.code)
                .append_pair("error_description", &refusal.message);
        }
    }
    let told = told.finish();
    let join = if target.contains('?') { '&' } else { '?' };
    format!("{target}{join}{told}#{told}")
}

/// The error of RFC 6749 that a refusal is.
fn error_name(refusal: &Refusal) -> &'static str {
    match (refusal.code, refusal.status) {
        ("signup_disabled" | "user_banned" | "provider_email_needs_verification", _) => "access_denied",
        (_, 400) => "invalid_request",
        (_, 403) => "access_denied",
        (_, 503) => "temporarily_unavailable",
        // whatever else there is
        _ => "server_error",
    }
}

/// The place may hold a secret: no cache keeps it, and no further page is told of it.
fn led(status: u16, place: String, cookie: Option<String>) -> Response {
    let mut headers = vec![
        ("Location", place),
        ("Cache-Control", "no-store".to_owned()),
        ("Referrer-Policy", "no-referrer".to_owned()),
    ];
    headers.extend(cookie.map(|cookie| ("Set-Cookie", cookie)));
    Response { status, headers, body: Vec::new() }
}
