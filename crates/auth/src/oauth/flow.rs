//! A sign-in with another service while it is under way. What goes out is one text, the `state`; a MAC in it shows that
//! this server made it, and what only this server can derive from it are the verifier toward the service, the nonce of
//! the ID token and the cookie of the browser. What is kept is a row by the state's hash, which is good once.

use crate::key_ring::{KeyRing, fingerprint};
use crate::refusal::Refusal;
use crate::schema::OAUTH_FLOW;
use crate::service::Auth;
use crate::statement::{delete, eq, insert, optional_text, select, text};
use backstay_base::ids::Ids;
use backstay_query::plan::Expect;
use backstay_schema::catalog::Catalog;
use backstay_schema::value::Value as Cell;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::sync::Arc;
use subtle::ConstantTimeEq;

const SECOND_MICROS: i64 = 1_000_000;
/// How names of cookies begin; the beginning of the state follows, so that two tabs do not meet.
const COOKIE: &str = "backstay_oauth_";
/// Characters of the state that name its cookie.
const COOKIE_NAMED: usize = 12;

/// The text that goes to the service and comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct State {
    random: String,
    text: String,
}

/// What is kept of a sign-in that is under way.
#[derive(Debug, Clone)]
pub(crate) struct Flow {
    pub(crate) provider: String,
    /// Where it leads in the end; was checked when it began.
    pub(crate) redirect_to: String,
    /// The challenge of the app that asked for it.
    pub(crate) challenge: Option<String>,
}

impl State {
    fn new(ring: &KeyRing, ids: &Ids) -> Self {
        let mut random = [0_u8; 32];
        ids.fill(&mut random);
        let random = URL_SAFE_NO_PAD.encode(random);
        let text = format!("{random}.{}", mac(ring, &random));
        Self { random, text }
    }

    /// Reads a state that comes back; none where this server did not make it.
    pub(crate) fn read(ring: &KeyRing, text: &str) -> Option<Self> {
        let (random, shown) = text.split_once('.')?;
        let right: bool = mac(ring, random).as_bytes().ct_eq(shown.as_bytes()).into();
        right.then(|| Self { random: random.to_owned(), text: text.to_owned() })
    }

    /// As it is sent.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The verifier toward the service.
    pub(crate) fn verifier(&self, ring: &KeyRing) -> String {
        URL_SAFE_NO_PAD.encode(ring.derived("oauth verifier", &self.random))
    }

    /// The nonce of the ID token.
    pub(crate) fn nonce(&self, ring: &KeyRing) -> String {
        URL_SAFE_NO_PAD.encode(ring.derived("oauth nonce", &self.random))
    }

    fn cookie_name(&self) -> String {
        format!("{COOKIE}{}", self.random.get(..COOKIE_NAMED).unwrap_or_default())
    }

    fn cookie_value(&self, ring: &KeyRing) -> String {
        URL_SAFE_NO_PAD.encode(ring.derived("oauth browser", &self.random))
    }

    /// The header that gives a browser its cookie. It is sent back by links and redirects from other sites, and by
    /// nothing else of theirs: a callback by `POST` is turned into one by `GET` before it is looked for.
    pub(crate) fn set_cookie(&self, ring: &KeyRing, issuer: &str, lasts_s: i64) -> String {
        let (name, value) = (self.cookie_name(), self.cookie_value(ring));
        format!(
            "{name}={value}; Path={}; Max-Age={lasts_s}; HttpOnly; SameSite=Lax{}",
            path(issuer),
            secure(issuer)
        )
    }

    /// The header that takes it away.
    pub(crate) fn drop_cookie(&self, issuer: &str) -> String {
        let name = self.cookie_name();
        format!("{name}=; Path={}; Max-Age=0; HttpOnly; SameSite=Lax{}", path(issuer), secure(issuer))
    }

    /// Whether a `Cookie` header is that of the browser in which this began.
    pub(crate) fn is_of_browser(&self, ring: &KeyRing, cookies: Option<&str>) -> bool {
        let (name, value) = (self.cookie_name(), self.cookie_value(ring));
        let mut shown = cookies.unwrap_or_default().split(';').filter_map(|one| one.trim().split_once('='));
        shown.any(|(key, shown)| key == name && bool::from(shown.as_bytes().ct_eq(value.as_bytes())))
    }
}

fn mac(ring: &KeyRing, random: &str) -> String {
    URL_SAFE_NO_PAD.encode(ring.derived("oauth state", random))
}

/// The path of the callback.
fn path(issuer: &str) -> String {
    let path = url::Url::parse(issuer).map(|url| url.path().trim_end_matches('/').to_owned());
    format!("{}/callback", path.unwrap_or_default())
}

fn secure(issuer: &str) -> &'static str {
    if issuer.starts_with("https:") { "; Secure" } else { "" }
}

impl Auth {
    /// Notes a sign-in that begins.
    pub(crate) async fn begin_flow(
        &self,
        catalog: &Arc<Catalog>,
        ring: &KeyRing,
        flow: Flow,
    ) -> Result<State, Refusal> {
        let state = State::new(ring, &self.ids);
        let lasts = self.settings.flow_s.saturating_mul(SECOND_MICROS);
        let row = vec![
            ("hash", text(fingerprint(state.text()))),
            ("provider", text(flow.provider)),
            ("redirect_to", text(flow.redirect_to)),
            ("challenge", optional_text(flow.challenge)),
            ("expires_at", Cell::Timestamp(self.clock.now_micros().saturating_add(lasts))),
        ];
        self.run_one(catalog, insert(OAUTH_FLOW, row)).await?;
        Ok(state)
    }

    /// Takes a sign-in up again, once.
    pub(crate) async fn take_flow(&self, catalog: &Arc<Catalog>, state: &State) -> Result<Flow, Refusal> {
        let own = || eq("hash", text(fingerprint(state.text())));
        let (used, _) = delete(OAUTH_FLOW, vec![own()]);
        let steps = [select(OAUTH_FLOW, vec![own()]), (used, Expect::OneOrNothing)];
        let answers = self.run(catalog, &steps).await?;
        let used = answers.last().is_some_and(|used| used.affected() == 1);
        let row = answers.first().and_then(|found| found.first()).filter(|_| used);
        let row = row.ok_or_else(Refusal::state_unknown)?;
        if row.time("expires_at")?.is_none_or(|until| until <= self.clock.now_micros()) {
            return Err(Refusal::state_expired());
        }
        Ok(Flow {
            provider: row.needed("provider")?.to_owned(),
            redirect_to: row.needed("redirect_to")?.to_owned(),
            challenge: row.owned("challenge")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::State;
    use crate::key_ring::tests::ring;
    use backstay_base::clock::Clock;
    use backstay_base::ids::Ids;

    #[test]
    fn a_state_is_of_this_server_and_of_one_browser() {
        let (ours, theirs) = (ring(1), ring(2));
        let ids = Ids::seeded(Clock::fixed(0), 1);
        let (state, other) = (State::new(&ours, &ids), State::new(&ours, &ids));
        assert_eq!(State::read(&ours, state.text()), Some(state.clone()));
        assert_eq!(State::read(&theirs, state.text()), None);
        for wrong in ["", ".", "a.b", &state.text()[1..], &format!("{}x", state.text())] {
            assert_eq!(State::read(&ours, wrong), None, "{wrong}");
        }
        let cookie = state.set_cookie(&ours, "https://api.test/base/auth/v1", 600);
        assert!(
            cookie.ends_with("; Path=/base/auth/v1/callback; Max-Age=600; HttpOnly; SameSite=Lax; Secure"),
            "{cookie}"
        );
        assert!(!state.set_cookie(&ours, "http://127.0.0.1:8000/auth/v1", 600).contains("Secure"));
        let pair = cookie.split(';').next().unwrap();
        assert!(state.is_of_browser(&ours, Some(&format!("a=b; {pair}; c=d"))));
        for wrong in [None, Some(""), Some("a=b"), Some(&pair[..pair.len() - 1])] {
            assert!(!state.is_of_browser(&ours, wrong), "{wrong:?}");
        }
        assert!(!other.is_of_browser(&ours, Some(pair)));
        let secrets = [state.verifier(&ours), state.nonce(&ours), pair.split_once('=').unwrap().1.to_owned()];
        assert!(secrets.iter().all(|secret| secret.len() == 43 && !state.text().contains(secret)));
        assert!(secrets[0] != secrets[1] && secrets[1] != secrets[2] && secrets[0] != secrets[2]);
    }
}
