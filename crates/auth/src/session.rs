//! Sessions: how one begins, and the tokens that are given for it.

use crate::account::{Account, Identity, UserBody};
use crate::endpoint::Request;
use crate::key_ring::{KeyRing, fingerprint};
use crate::oauth::sealed::ProviderTokens;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::schema::{REFRESH_TOKEN, SESSION};
use crate::service::Auth;
use crate::statement::{self, Step, optional_text, optional_time, text};
use crate::verified::{AUTHENTICATED, Claims, Method};
use crate::wire::Response;
use backstay_base::fault::Fault;
use backstay_schema::value::Value as Cell;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use uuid::Uuid;

/// Longest user agent that is kept, in bytes.
const USER_AGENT_BYTES: usize = 256;
const SECOND_MICROS: i64 = 1_000_000;

/// A session as stored. Times are in microseconds.
#[derive(Debug, Clone)]
pub struct Session {
    /// Its id.
    pub id: Uuid,
    /// Account id.
    pub account: Uuid,
    /// `aal1` or `aal2`.
    pub aal: String,
    /// How it signed in.
    pub method: String,
    /// When it signed in.
    pub authenticated_at: i64,
    /// When it ends, if it does.
    pub not_after: Option<i64>,
}

/// A session that is about to begin: its rows, and the refresh token to give.
pub(crate) struct Beginning {
    pub(crate) session: Session,
    pub(crate) refresh_token: String,
    pub(crate) steps: Vec<Step>,
}

impl Session {
    pub(crate) fn read(record: Record<'_>) -> Result<Self, Fault> {
        Ok(Self {
            id: record.uuid("id")?,
            account: record.uuid("account_id")?,
            aal: record.needed("aal")?.to_owned(),
            method: record.needed("method")?.to_owned(),
            authenticated_at: record.time("authenticated_at")?.unwrap_or_default(),
            not_after: record.time("not_after")?,
        })
    }
}

impl Auth {
    /// A new session of an account.
    pub(crate) fn begin(&self, account: Uuid, method: &str, request: &Request<'_>, now: i64) -> Beginning {
        let mut random = [0_u8; 32];
        self.ids.fill(&mut random);
        let refresh_token = URL_SAFE_NO_PAD.encode(random);
        let lasts = self.settings.session_s;
        let session = Session {
            id: self.ids.account(),
            account,
            aal: "aal1".to_owned(),
            method: method.to_owned(),
            authenticated_at: now,
            not_after: (lasts > 0).then(|| now.saturating_add(lasts.saturating_mul(SECOND_MICROS))),
        };
        let row = vec![
            ("id", Cell::Uuid(session.id)),
            ("account_id", Cell::Uuid(account)),
            ("aal", text(&*session.aal)),
            ("method", text(method)),
            ("authenticated_at", Cell::Timestamp(now)),
            ("not_after", optional_time(session.not_after)),
            ("ip", text(request.ip.to_string())),
            ("user_agent", optional_text(user_agent(request))),
        ];
        let steps = vec![statement::insert(SESSION, row), refresh_row(&refresh_token, session.id, None)];
        Beginning { session, refresh_token, steps }
    }

    /// The answer to whoever signed in or refreshed.
    pub(crate) fn session_response(
        &self,
        account: &Account,
        identities: &[Identity],
        session: &Session,
        refresh_token: String,
    ) -> Result<Response, Refusal> {
        self.session_response_with(account, identities, (session, refresh_token), ProviderTokens::default())
    }

    /// As [`Auth::session_response`], with what another service gave.
    pub(crate) fn session_response_with(
        &self,
        account: &Account,
        identities: &[Identity],
        (session, refresh_token): (&Session, String),
        tokens: ProviderTokens,
    ) -> Result<Response, Refusal> {
        let body = self.session_body(account, identities, session, refresh_token)?;
        let ProviderTokens { access: provider_token, refresh: provider_refresh_token } = tokens;
        Response::json(200, &SessionBody { provider_token, provider_refresh_token, ..body })
    }

    /// A session as clients get it.
    pub(crate) fn session_body<'a>(
        &self,
        account: &'a Account,
        identities: &'a [Identity],
        session: &Session,
        refresh_token: String,
    ) -> Result<SessionBody<'a>, Refusal> {
        let ring = self.ring()?;
        let iat = self.clock.now_seconds();
        let exp = iat.saturating_add(self.settings.access_token_s);
        Ok(SessionBody {
            access_token: self.access_token(&ring, account, session, iat, exp)?,
            token_type: "bearer",
            expires_in: self.settings.access_token_s,
            expires_at: exp,
            refresh_token,
            user: UserBody::of(account, identities),
            provider_token: None,
            provider_refresh_token: None,
        })
    }

    fn access_token(
        &self,
        ring: &KeyRing,
        account: &Account,
        session: &Session,
        iat: i64,
        exp: i64,
    ) -> Result<String, Refusal> {
        let timestamp = session.authenticated_at.div_euclid(SECOND_MICROS);
        let claims = Claims {
            iss: self.settings.issuer.clone(),
            sub: account.id,
            aud: AUTHENTICATED.to_owned(),
            exp,
            iat,
            email: account.email.clone().unwrap_or_default(),
            phone: account.phone.clone().unwrap_or_default(),
            app_metadata: account.app_metadata.clone(),
            user_metadata: account.user_metadata.clone(),
            role: AUTHENTICATED.to_owned(),
            aal: session.aal.clone(),
            amr: vec![Method { method: session.method.clone(), timestamp }],
            session_id: session.id,
            is_anonymous: account.is_anonymous,
            nbf: None,
        };
        let payload = serde_json::to_vec(&claims)
            .map_err(|error| Refusal { source: Some(error.into()), ..Refusal::unexpected() })?;
        Ok(ring.sign(&payload))
    }
}

/// The row of a refresh token.
pub(crate) fn refresh_row(token: &str, session: Uuid, parent: Option<&str>) -> Step {
    let row = vec![
        ("hash", text(fingerprint(token))),
        ("session_id", Cell::Uuid(session)),
        ("parent", optional_text(parent.map(fingerprint))),
    ];
    statement::insert(REFRESH_TOKEN, row)
}

fn user_agent(request: &Request<'_>) -> Option<String> {
    let agent = request.header("user-agent")?;
    let end = agent.floor_char_boundary(USER_AGENT_BYTES);
    agent.get(..end).map(str::to_owned)
}

/// A session as clients get it.
#[derive(Serialize)]
pub(crate) struct SessionBody<'a> {
    pub(crate) access_token: String,
    pub(crate) token_type: &'static str,
    pub(crate) expires_in: i64,
    pub(crate) expires_at: i64,
    pub(crate) refresh_token: String,
    user: UserBody<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_refresh_token: Option<String>,
}
