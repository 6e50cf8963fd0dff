//! `/verify`: a token or code that was sent by mail is shown. `POST` answers with the session, `GET`, the
//! link of the letter, leads back to the application.

use crate::account::{Account, Identity, email_data, merge, state_providers};
use crate::email;
use crate::endpoint::{Request, is_taken};
use crate::key_ring::fingerprint;
use crate::one_time::{OneTime, Purpose};
use crate::profile;
use crate::redirect;
use crate::refusal::Refusal;
use crate::schema::{ACCOUNT, FLOW_STATE, IDENTITY, SESSION};
use crate::service::Auth;
use crate::statement::{Step, delete, eq, insert, json, not, text, update};
use crate::wire::Response;
use backstay_query::plan::Expect;
use backstay_schema::catalog::Catalog;
use backstay_schema::value::Value as Cell;
use serde::Deserialize;
use std::sync::Arc;
use url::form_urlencoded::Serializer;

/// How long the code of a followed link, or of a sign-in with another service, can be fetched, in microseconds.
pub(super) const FLOW_MICROS: i64 = 300_000_000;

/// What is said of the first of two letters.
const HALF: &str = "Confirmation link accepted. Please proceed to confirm link sent to the other email";

#[derive(Deserialize)]
struct Body {
    #[serde(rename = "type")]
    kind: Option<String>,
    token: Option<String>,
    token_hash: Option<String>,
    email: Option<String>,
}

/// An account that a token lets in, with the steps that do it.
pub(super) struct Admitted {
    pub(super) account: Account,
    pub(super) identities: Vec<Identity>,
    pub(super) steps: Vec<Step>,
    /// Another letter must be answered, too, before anything changes.
    pub(super) half: bool,
}

impl Auth {
    pub(super) async fn verify_code(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
    ) -> Result<Response, Refusal> {
        let body: Body = request.json()?;
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let kind =
            given(body.kind).ok_or_else(|| Refusal::validation("Verify requires a verification type"))?;
        let purposes = Purpose::of(&kind);
        if purposes.is_empty() {
            return Err(Refusal::validation("Unsupported verification type"));
        }
        let one = match (given(body.token_hash), given(body.token), given(body.email)) {
            (Some(token), None, None) => self.by_token(catalog, purposes, &token).await?,
            (None, Some(code), Some(email)) => {
                let email = email::normalised(&email).ok_or_else(Refusal::otp_expired)?;
                self.by_code(catalog, purposes, &email, &code).await?
            }
            (None, None, _) => {
                return Err(Refusal::validation("Verify requires a token or a token hash"));
            }
            (Some(_), _, _) => {
                return Err(Refusal::validation("Only the token_hash and type should be provided"));
            }
            (None, Some(_), None) => {
                return Err(Refusal::validation(
                    "Only an email address or phone number should be provided on verify",
                ));
            }
        };
        let Admitted { account, identities, mut steps, half } = self.admit(catalog, &one).await?;
        if half {
            self.use_up(catalog, &steps).await?;
            return Response::json(200, &serde_json::json!({ "msg": HALF, "code": "200" }));
        }
        let beginning = self.begin(account.id, one.purpose.method(), request, account.updated_at);
        steps.extend(beginning.steps);
        self.use_up(catalog, &steps).await?;
        self.session_response(&account, &identities, &beginning.session, beginning.refresh_token)
    }

    pub(super) async fn verify_link(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
    ) -> Result<Response, Refusal> {
        let settings = &self.settings;
        let wanted = request.decoded("redirect_to");
        let target = redirect::target(wanted.as_deref(), &settings.site_url, &settings.redirect_urls);
        match self.follow(catalog, request, &target).await {
            Ok(place) => Ok(see_other(place)),
            Err(refusal) if refusal.status >= 500 => Err(refusal),
            Err(refusal) => {
                let error = Serializer::new(String::new())
                    .append_pair("error", "access_denied")
                    .append_pair("error_code", refusal.code)
                    .append_pair("error_description", &refusal.message)
                    .finish();
                Ok(see_other(format!("{target}#{error}")))
            }
        }
    }

    /// Where a followed link leads.
    async fn follow(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
        target: &str,
    ) -> Result<String, Refusal> {
        let expired = || Refusal {
            message: "Email link is invalid or has expired".to_owned(),
            ..Refusal::otp_expired()
        };
        let (kind, token) = (request.decoded("type"), request.decoded("token"));
        let (Some(kind), Some(token)) = (kind, token) else { return Err(expired()) };
        let one = self
            .by_token(catalog, Purpose::of(&kind), &token)
            .await
            .map_err(|refusal| if refusal.status == 403 { expired() } else { refusal })?;
        let Admitted { account, identities, mut steps, half } = self.admit(catalog, &one).await?;
        if half {
            self.use_up(catalog, &steps).await?;
            let message = Serializer::new(String::new()).append_pair("message", HALF).finish();
            return Ok(format!("{target}#{message}"));
        }
        if let Some(challenge) = &one.challenge {
            let code = self.ids.account().to_string();
            let row = vec![
                ("hash", text(fingerprint(&code))),
                ("account_id", Cell::Uuid(account.id)),
                ("method", text(one.purpose.method())),
                ("challenge", text(&**challenge)),
                ("expires_at", Cell::Timestamp(account.updated_at.saturating_add(FLOW_MICROS))),
            ];
            steps.push(insert(FLOW_STATE, row));
            self.use_up(catalog, &steps).await?;
            let join = if target.contains('?') { '&' } else { '?' };
            return Ok(format!("{target}{join}code={code}"));
        }
        let beginning = self.begin(account.id, one.purpose.method(), request, account.updated_at);
        steps.extend(beginning.steps);
        self.use_up(catalog, &steps).await?;
        let body = self.session_body(&account, &identities, &beginning.session, beginning.refresh_token)?;
        let fragment = Serializer::new(String::new())
            .append_pair("access_token", &body.access_token)
            .append_pair("expires_at", &body.expires_at.to_string())
            .append_pair("expires_in", &body.expires_in.to_string())
            .append_pair("refresh_token", &body.refresh_token)
            .append_pair("token_type", body.token_type)
            .append_pair("type", one.purpose.name())
            .finish();
        Ok(format!("{target}#{fragment}"))
    }

    /// Runs steps of which the first uses a token up; of two at once one gets in.
    async fn use_up(&self, catalog: &Arc<Catalog>, steps: &[Step]) -> Result<(), Refusal> {
        let answers = self.run(catalog, steps).await;
        self.states.forget();
        let answers =
            answers.map_err(|fault| if is_taken(&fault) { Refusal::email_exists() } else { fault.into() })?;
        let is_done = |(at, (_, expect)): (usize, &Step)| {
            *expect != Expect::OneOrNothing || answers.get(at).is_some_and(|one| one.affected() == 1)
        };
        if steps.iter().enumerate().all(is_done) { Ok(()) } else { Err(Refusal::otp_expired()) }
    }

    /// The account of a token as it is after the token was shown. An address that nobody had confirmed is
    /// confirmed by it; a password that stood there before may be anybody's, and goes, unless the
    /// letter was about the sign-up which set it.
    async fn admit(&self, catalog: &Arc<Catalog>, one: &OneTime) -> Result<Admitted, Refusal> {
        let found = self.account(catalog, one.account).await?;
        let (mut account, mut identities) = found.ok_or_else(Refusal::otp_expired)?;
        let now = self.clock.now_micros();
        if account.banned(now) {
            return Err(Refusal::user_banned());
        }
        if one.purpose.changes_email() {
            return self.admit_change(catalog, one, (account, identities), now).await;
        }
        if account.email.as_deref() != Some(&*one.email) {
            return Err(Refusal::otp_expired());
        }
        let mut cells = vec![("last_sign_in_at", Cell::Timestamp(now))];
        let before = account.clone();
        let mut steps = vec![one.used()];
        let (mut as_read, mut expect) = (vec![eq("id", Cell::Uuid(account.id))], Expect::Any);
        account.last_sign_in_at = Some(now);
        account.updated_at = now;
        if account.email_confirmed_at.is_none() {
            account.email_confirmed_at = Some(now);
            let data = email_data(account.id, &one.email, true);
            merge(&mut account.user_metadata, data.clone());
            // who changed the metadata meanwhile is not overwritten, and the letter can be answered again
            (as_read, expect) = (account.as_read(), Expect::OneOrNothing);
            cells.push(account.next_version());
            cells.push(("email_confirmed_at", Cell::Timestamp(now)));
            cells.push(("user_metadata", json(account.user_metadata.clone())));
            if one.purpose != Purpose::SignUp {
                account.password_hash = None;
                cells.push(("password_hash", Cell::Null));
                // so do people of other services, and whoever is signed in
                identities.retain(|identity| identity.provider == "email");
                state_providers(&mut account.app_metadata, &identities);
                cells.push(("app_metadata", json(account.app_metadata.clone())));
                let own = || eq("account_id", Cell::Uuid(account.id));
                steps.push(delete(IDENTITY, vec![own(), not("provider", text("email"))]));
                steps.push(delete(SESSION, vec![own()]));
            }
            for identity in identities.iter_mut().filter(|identity| identity.provider == "email") {
                identity.data = data.clone();
                let own = vec![eq("id", Cell::Uuid(identity.id))];
                steps.push(update(IDENTITY, vec![("data", json(data.clone()))], own));
            }
            steps.extend(profile::mirror(catalog, &before, &account));
        }
        let (signed_in, _) = update(ACCOUNT, cells, as_read);
        steps.push((signed_in, expect));
        Ok(Admitted { account, identities, steps, half: false })
    }
}

/// The place holds a secret: no cache keeps it, and no further page is told of it.
fn see_other(place: String) -> Response {
    let headers = vec![
        ("Location", place),
        ("Cache-Control", "no-store".to_owned()),
        ("Referrer-Policy", "no-referrer".to_owned()),
    ];
    Response { status: 303, headers, body: Vec::new() }
}
