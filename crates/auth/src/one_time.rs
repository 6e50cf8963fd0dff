//! What is sent to an address to be shown once: a long token for the link, six digits to be typed. Only
//! hashes are kept; one of each purpose per account; a code can be guessed a few times only.

use crate::account::Account;
use crate::key_ring::fingerprint;
use crate::record::Record;
use crate::redirect;
use crate::refusal::Refusal;
use crate::schema::{MAIL_SENT, ONE_TIME_TOKEN};
use crate::service::Auth;
use crate::statement::{Step, before, delete, eq, insert, optional_text, select, text, update};
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_outbound::mail::{Letter, Mail};
use backstay_outbound::template::Values;
use backstay_query::plan::Expect;
use backstay_schema::catalog::Catalog;
use backstay_schema::value::Value as Cell;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::sync::Arc;
use subtle::ConstantTimeEq;
use url::form_urlencoded;
use uuid::Uuid;

const SECOND_MICROS: i64 = 1_000_000;
/// How links begin whose session an app fetches with its verifier.
const PKCE: &str = "pkce_";
/// How long it is remembered that mail was sent, in microseconds: a day.
pub(crate) const REMEMBERED_MICROS: i64 = 86_400 * SECOND_MICROS;

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    SignUp,
    Recovery,
    MagicLink,
    /// To the address that an account leaves.
    LeaveEmail,
    /// To the address that it wants.
    NewEmail,
}

impl Purpose {
    /// `type` of links.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::SignUp => "signup",
            Self::Recovery => "recovery",
            Self::MagicLink => "magiclink",
            Self::LeaveEmail | Self::NewEmail => "email_change",
        }
    }

    /// The stored form.
    const fn stored(self) -> &'static str {
        match self {
            Self::LeaveEmail => "email_change_current",
            Self::NewEmail => "email_change_new",
            Self::SignUp | Self::Recovery | Self::MagicLink => self.name(),
        }
    }

    fn of_stored(name: &str) -> Option<Self> {
        let all = [Self::SignUp, Self::Recovery, Self::MagicLink, Self::LeaveEmail, Self::NewEmail];
        all.into_iter().find(|purpose| purpose.stored() == name)
    }

    /// Whether it is about another address of the account.
    pub(crate) const fn changes_email(self) -> bool {
        matches!(self, Self::LeaveEmail | Self::NewEmail)
    }

    /// What a `type` of the wire may stand for.
    pub(crate) fn of(name: &str) -> &'static [Self] {
        match name {
            "signup" => &[Self::SignUp],
            "recovery" => &[Self::Recovery],
            "magiclink" => &[Self::MagicLink, Self::SignUp],
            "email" => &[Self::SignUp, Self::MagicLink],
            "email_change" => &[Self::LeaveEmail, Self::NewEmail],
            // any text may be sent
            _ => &[],
        }
    }

    /// How a session says that it began.
    pub(crate) const fn method(self) -> &'static str {
        match self {
            Self::SignUp => "email/signup",
            Self::Recovery => "recovery",
            Self::MagicLink => "magiclink",
            Self::LeaveEmail | Self::NewEmail => "email_change",
        }
    }
}

/// A stored token.
#[derive(Debug, Clone)]
pub(crate) struct OneTime {
    pub(crate) id: Uuid,
    pub(crate) account: Uuid,
    pub(crate) purpose: Purpose,
    pub(crate) email: String,
    pub(crate) challenge: Option<String>,
    code_hash: String,
    attempts: i64,
    expires_at: i64,
}

/// Where the link of a letter leads, and who may follow it.
pub(crate) struct Way<'a> {
    pub(crate) redirect_to: Option<&'a str>,
    pub(crate) challenge: Option<String>,
}

/// A token about to be stored, and the letter to send once it is.
pub(crate) struct Issued {
    pub(crate) steps: [Step; 2],
    pub(crate) letter: Letter,
}

impl OneTime {
    fn read(record: Record<'_>) -> Result<Self, Fault> {
        let purpose = record.needed("purpose")?;
        let purpose = Purpose::of_stored(purpose)
            .ok_or_else(|| Fault::internal(format!("a token is for {purpose}")))?;
        Ok(Self {
            id: record.uuid("id")?,
            account: record.uuid("account_id")?,
            purpose,
            email: record.needed("email")?.to_owned(),
            challenge: record.owned("challenge")?,
            code_hash: record.needed("code_hash")?.to_owned(),
            attempts: record.number("attempts")?,
            expires_at: record.time("expires_at")?.unwrap_or_default(),
        })
    }

    /// The step that uses it up: nothing of a script is kept unless this one did it.
    pub(crate) fn used(&self) -> Step {
        let (deleted, _) = delete(ONE_TIME_TOKEN, vec![eq("id", Cell::Uuid(self.id))]);
        (deleted, Expect::OneOrNothing)
    }
}

impl Auth {
    /// Outgoing mail.
    pub(crate) fn mail(&self) -> Result<&Mail, Refusal> {
        self.mail.as_ref().ok_or_else(Refusal::needs_mail)
    }

    /// A new token in place of the last one for the same purpose.
    pub(crate) fn issue(
        &self,
        purpose: Purpose,
        account: &Account,
        email: &str,
        way: &Way<'_>,
        now: i64,
    ) -> Result<Issued, Refusal> {
        let (mut random, mut digits) = ([0_u8; 32], [0_u8; 8]);
        self.ids.fill(&mut random);
        self.ids.fill(&mut digits);
        let prefix = if way.challenge.is_some() { PKCE } else { "" };
        let token = format!("{prefix}{}", URL_SAFE_NO_PAD.encode(random));
        let code = format!("{:06}", u64::from_le_bytes(digits) % 1_000_000);
        let id = self.ids.account();
        let lasts = self.settings.one_time_s.saturating_mul(SECOND_MICROS);
        let row = vec![
            ("id", Cell::Uuid(id)),
            ("account_id", Cell::Uuid(account.id)),
            ("purpose", text(purpose.stored())),
            ("email", text(email)),
            ("hash", text(fingerprint(&token))),
            ("code_hash", text(self.ring()?.code_hash(id, &code))),
            ("attempts", Cell::Int(0)),
            ("challenge", optional_text(way.challenge.clone())),
            ("expires_at", Cell::Timestamp(now.saturating_add(lasts))),
        ];
        let letter = self.letter(purpose, (account, email), (&token, &code), way);
        Ok(Issued { steps: [self.forgotten(account, purpose), insert(ONE_TIME_TOKEN, row)], letter })
    }

    fn letter(
        &self,
        purpose: Purpose,
        (account, email): (&Account, &str),
        (token, code): (&str, &str),
        way: &Way<'_>,
    ) -> Letter {
        let settings = &self.settings;
        let redirect_to = redirect::target(way.redirect_to, &settings.site_url, &settings.redirect_urls);
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("token", token)
            .append_pair("type", purpose.name())
            .append_pair("redirect_to", &redirect_to)
            .finish();
        let url = format!("{}/verify?{query}", settings.issuer);
        let values = Values {
            confirmation_url: &url,
            token: code,
            token_hash: token,
            email: account.email.as_deref().unwrap_or(email),
            new_email: account.change.as_ref().map_or("", |change| &*change.email),
            site_url: &settings.site_url,
            redirect_to: &redirect_to,
        };
        settings.templates.letter(purpose, email, &values)
    }

    /// The step that takes back what was sent for a purpose.
    pub(crate) fn forgotten(&self, account: &Account, purpose: Purpose) -> Step {
        let sent = vec![eq("account_id", Cell::Uuid(account.id)), eq("purpose", text(purpose.stored()))];
        delete(ONE_TIME_TOKEN, sent)
    }

    /// Notes that mail goes to an address now; refuses where some went a moment ago. Asked before it is
    /// known whether there is an account, so that the answer does not tell.
    pub(crate) async fn claim_letter(
        &self,
        catalog: &Arc<Catalog>,
        purpose: Purpose,
        email: &str,
        now: i64,
    ) -> Result<(), Refusal> {
        let hash = sent_hash(purpose, email);
        let own = || eq("hash", text(&*hash));
        let interval = self.settings.mail_interval_s.saturating_mul(SECOND_MICROS);
        let found = self.run_one(catalog, select(MAIL_SENT, vec![own()])).await?;
        let last = found.first().map(|row| row.time("sent_at")).transpose()?.flatten();
        let wait = last.map_or(0, |last| last.saturating_add(interval).saturating_sub(now));
        if wait > 0 {
            let seconds = wait.saturating_add(SECOND_MICROS - 1).div_euclid(SECOND_MICROS);
            return Err(Refusal::mail_too_soon(seconds.clamp(1, self.settings.mail_interval_s.max(1))));
        }
        let sent = ("sent_at", Cell::Timestamp(now));
        let claim = match last {
            Some(last) => {
                let (claim, _) =
                    update(MAIL_SENT, vec![sent], vec![own(), eq("sent_at", Cell::Timestamp(last))]);
                (claim, Expect::OneOrNothing)
            }
            None => insert(MAIL_SENT, vec![("hash", text(&*hash)), sent]),
        };
        let old = delete(MAIL_SENT, vec![before("sent_at", now.saturating_sub(REMEMBERED_MICROS))]);
        let too_soon = || Refusal::mail_too_soon(self.settings.mail_interval_s.max(1));
        match self.run(catalog, &[claim, old]).await {
            Ok(answers) if last.is_none() || answers.first().is_some_and(|one| one.affected() == 1) => Ok(()),
            Ok(_) => Err(too_soon()),
            Err(fault) if fault.code == code::UNIQUE_VIOLATION => Err(too_soon()),
            Err(fault) => Err(fault.into()),
        }
    }

    /// Writes as much as a letter takes, where none is sent: the time until the answer tells nothing either.
    pub(crate) async fn feign_letter(
        &self,
        catalog: &Arc<Catalog>,
        purpose: Purpose,
        email: &str,
        now: i64,
    ) -> Result<(), Fault> {
        let hash = sent_hash(purpose, email);
        let row = vec![("hash", text(&*hash)), ("sent_at", Cell::Timestamp(now))];
        let steps = [delete(MAIL_SENT, vec![eq("hash", text(&*hash))]), insert(MAIL_SENT, row)];
        self.run(catalog, &steps).await.map(drop)
    }

    /// The live token that a link carries.
    pub(crate) async fn by_token(
        &self,
        catalog: &Arc<Catalog>,
        purposes: &[Purpose],
        token: &str,
    ) -> Result<OneTime, Refusal> {
        let now = self.clock.now_micros();
        let found = select(ONE_TIME_TOKEN, vec![eq("hash", text(fingerprint(token)))]);
        let found = self.run_one(catalog, found).await?.first().map(OneTime::read).transpose()?;
        let live = |one: &OneTime| purposes.contains(&one.purpose) && one.expires_at > now;
        found.filter(live).ok_or_else(Refusal::otp_expired)
    }

    /// The live token that a code was sent with. Each guess is counted before it is looked at, so that
    /// many at once are not more than one after another.
    pub(crate) async fn by_code(
        &self,
        catalog: &Arc<Catalog>,
        purposes: &[Purpose],
        email: &str,
        code: &str,
    ) -> Result<OneTime, Refusal> {
        let now = self.clock.now_micros();
        let found = self.run_one(catalog, select(ONE_TIME_TOKEN, vec![eq("email", text(email))])).await?;
        let found = found.iter().map(OneTime::read).collect::<Result<Vec<_>, Fault>>()?;
        let ring = self.ring()?;
        for one in found {
            let open = one.expires_at > now && one.attempts < self.settings.code_attempts;
            if !open || !purposes.contains(&one.purpose) {
                continue;
            }
            let counted = vec![("attempts", Cell::Int(one.attempts.saturating_add(1)))];
            let as_read = vec![eq("id", Cell::Uuid(one.id)), eq("attempts", Cell::Int(one.attempts))];
            let counted = self.run_one(catalog, update(ONE_TIME_TOKEN, counted, as_read)).await?;
            let right: bool = ring.code_hash(one.id, code).as_bytes().ct_eq(one.code_hash.as_bytes()).into();
            if counted.affected() == 1 && right {
                return Ok(one);
            }
        }
        Err(Refusal::otp_expired())
    }
}

/// What is stored of a kind of letter and its address.
fn sent_hash(purpose: Purpose, email: &str) -> String {
    fingerprint(&format!("{} {email}", purpose.stored()))
}
