//! `POST /token?grant_type=refresh_token`: [`crate::refresh::decide`] carried out. Using a
//! token up is a compare-and-set, so of two requests at once one rotates and the other
//! is judged again.

use crate::account::Account;
use crate::endpoint::Request;
use crate::key_ring::fingerprint;
use crate::refresh::{Decision, Grace, Presented, decide};
use crate::refusal::Refusal;
use crate::schema::{REFRESH_TOKEN, SESSION};
use crate::service::Auth;
use crate::session::{Session, refresh_row};
use crate::statement::{delete, eq, null, select, text, update};
use crate::wire::Response;
use backstay_query::plan::Expect;
use backstay_schema::catalog::Catalog;
use backstay_schema::value::Value as Cell;
use serde::Deserialize;
use std::sync::Arc;
use uuid::Uuid;

/// How often a lost race is run again before giving up.
const ATTEMPTS: usize = 3;
const SECOND_MICROS: i64 = 1_000_000;

#[derive(Deserialize)]
struct Body {
    refresh_token: Option<String>,
}

/// A stored token: its session, when it was used, and whether its successor is live.
struct Stored {
    session: Uuid,
    revoked_at: Option<i64>,
    successor_live: bool,
}

impl Auth {
    pub(super) async fn token_refresh(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
    ) -> Result<Response, Refusal> {
        let body: Body = request.json()?;
        let token = body.refresh_token.unwrap_or_default();
        if token.is_empty() {
            return Err(Refusal::validation("refresh_token required"));
        }
        for _ in 0..ATTEMPTS {
            if let Some(response) = self.refresh_once(catalog, request, &token).await? {
                return Ok(response);
            }
        }
        Err(Refusal::new(
            409,
            "conflict",
            "Too many concurrent token refresh requests on the same session or refresh token",
        ))
    }

    /// None when another request used the token in between.
    async fn refresh_once(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
        token: &str,
    ) -> Result<Option<Response>, Refusal> {
        let successor = self.ring()?.successor(token);
        let stored = self.stored_token(catalog, token, &successor).await?;
        let stored = stored.ok_or_else(Refusal::refresh_token_not_found)?;
        let session =
            self.run_one(catalog, select(SESSION, vec![eq("id", Cell::Uuid(stored.session))])).await?;
        let session = session.first().map(Session::read).transpose()?;
        let session = session.ok_or_else(Refusal::refresh_token_not_found)?;
        let found = self.account(catalog, session.account).await?;
        let (account, identities) = found.ok_or_else(Refusal::refresh_token_not_found)?;
        let now = self.clock.now_micros();
        match decide(presented(&stored, &session, &account), self.grace(), now) {
            Decision::Rotate => {
                if !self.rotate(catalog, request, token, &successor, session.id, now).await? {
                    return Ok(None);
                }
            }
            Decision::Repeat => {}
            Decision::Reuse => {
                self.end_session(catalog, session.id).await?;
                return Err(Refusal::refresh_token_already_used());
            }
            Decision::Expired => return Err(Refusal::session_expired()),
            Decision::Banned => return Err(Refusal { status: 400, ..Refusal::user_banned() }),
        }
        self.session_response(&account, &identities, &session, successor).map(Some)
    }

    const fn grace(&self) -> Grace {
        let micros = self.settings.reuse_grace_s.saturating_mul(SECOND_MICROS);
        Grace { micros, always: self.settings.reuse_parent_always }
    }

    async fn stored_token(
        &self,
        catalog: &Arc<Catalog>,
        token: &str,
        successor: &str,
    ) -> Result<Option<Stored>, Refusal> {
        let by_hash = |token: &str| select(REFRESH_TOKEN, vec![eq("hash", text(fingerprint(token)))]);
        let answers = self.run(catalog, &[by_hash(token), by_hash(successor)]).await?;
        let mut records = answers.iter().map(|records| records.first());
        let Some(own) = records.next().flatten() else { return Ok(None) };
        let successor_live = match records.next().flatten() {
            Some(next) => next.time("revoked_at")?.is_none(),
            None => false,
        };
        Ok(Some(Stored {
            session: own.uuid("session_id")?,
            revoked_at: own.time("revoked_at")?,
            successor_live,
        }))
    }

    /// Uses the token up and stores its successor; false when it is used already.
    async fn rotate(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
        token: &str,
        successor: &str,
        session: Uuid,
        now: i64,
    ) -> Result<bool, Refusal> {
        let live = vec![eq("hash", text(fingerprint(token))), null("revoked_at")];
        let (used, _) = update(REFRESH_TOKEN, vec![("revoked_at", Cell::Timestamp(now))], live);
        let seen = vec![("refreshed_at", Cell::Timestamp(now)), ("ip", text(request.ip.to_string()))];
        let steps = [
            (used, Expect::OneOrNothing),
            refresh_row(successor, session, Some(token)),
            update(SESSION, seen, vec![eq("id", Cell::Uuid(session))]),
        ];
        let answers = self.run(catalog, &steps).await?;
        Ok(answers.first().is_some_and(|used| used.affected() == 1))
    }

    /// Ends a session with all its tokens.
    async fn end_session(&self, catalog: &Arc<Catalog>, session: Uuid) -> Result<(), Refusal> {
        tracing::warn!(auth.session = %session, "a used refresh token came again; its session is ended");
        self.run_one(catalog, delete(SESSION, vec![eq("id", Cell::Uuid(session))])).await?;
        self.states.forget();
        Ok(())
    }
}

const fn presented(stored: &Stored, session: &Session, account: &Account) -> Presented {
    Presented {
        revoked_at: stored.revoked_at,
        successor_live: stored.successor_live,
        session_ends: session.not_after,
        banned_until: account.banned_until,
    }
}
