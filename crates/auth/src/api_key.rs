//! API keys: `sb_publishable_…` and `sb_secret_…`, of which only a hash is stored, and the
//! legacy `anon` and `service_role` JWTs.

use crate::key_ring::{ApiRole, KeyRing, fingerprint};
use crate::record::Record;
use crate::schema::API_KEY;
use crate::service::Auth;
use crate::statement::{self, Step, all, eq, field, optional_text, text};
use crate::token::{self, SignKey};
use backstay_base::fault::Fault;
use backstay_base::secret::Secret;
use backstay_query::named::{Order, Query, Select};
use backstay_query::plan::Expect;
use backstay_schema::value::Value as Cell;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use uuid::Uuid;

/// How long a legacy key is valid, in seconds: ten years, as Supabase makes them.
const LEGACY_KEY_S: i64 = 10 * 365 * 86_400;
/// Characters of a key that are kept in the clear to tell keys apart.
const SHOWN: usize = 6;

impl ApiRole {
    /// What keys of this role begin with.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Publishable => "sb_publishable_",
            Self::Secret => "sb_secret_",
        }
    }

    const fn kind(self) -> &'static str {
        match self {
            Self::Publishable => "publishable",
            Self::Secret => "secret",
        }
    }

    const fn legacy(self) -> &'static str {
        match self {
            Self::Publishable => "anon",
            Self::Secret => "service_role",
        }
    }
}

/// Whether a text looks like an opaque key.
#[must_use]
pub fn is_opaque(key: &str) -> bool {
    key.starts_with("sb_")
}

/// An API key as it may be shown.
#[derive(Debug, Clone)]
pub struct ApiKey {
    /// Its id.
    pub id: Uuid,
    /// What it may be.
    pub role: ApiRole,
    /// How its text begins.
    pub prefix: String,
    /// The whole text, of a publishable one.
    pub public_text: Option<String>,
    /// What it is called.
    pub name: String,
    /// When it was made, in microseconds.
    pub created_at: i64,
}

impl ApiKey {
    fn read(record: Record<'_>) -> Result<Self, Fault> {
        Ok(Self {
            id: record.uuid("id")?,
            role: role_of_kind(record.needed("kind")?),
            prefix: record.needed("prefix")?.to_owned(),
            public_text: record.owned("public_text")?,
            name: record.needed("name")?.to_owned(),
            created_at: record.time("created_at")?.unwrap_or_default(),
        })
    }
}

/// The role of a stored kind; only the exact word makes a secret key.
pub(crate) fn role_of_kind(kind: &str) -> ApiRole {
    if kind == ApiRole::Secret.kind() { ApiRole::Secret } else { ApiRole::Publishable }
}

#[derive(Deserialize)]
struct LegacyClaims {
    role: String,
    exp: i64,
    sub: Option<serde::de::IgnoredAny>,
}

impl KeyRing {
    /// The role of an API key; none when it is not one of ours. `now` is in seconds.
    #[must_use]
    pub fn api_role(&self, key: &str, now: i64) -> Option<ApiRole> {
        if is_opaque(key) {
            return self.api_keys.get(&fingerprint(key)).copied();
        }
        let payload = self.verify_legacy(key).ok()?;
        let claims: LegacyClaims = serde_json::from_slice(&payload).ok()?;
        if claims.exp <= now || claims.sub.is_some() {
            return None;
        }
        [ApiRole::Publishable, ApiRole::Secret].into_iter().find(|role| role.legacy() == claims.role)
    }

    /// A legacy key of this role, where they are allowed. `now` is in seconds.
    #[must_use]
    pub fn legacy_key(&self, role: ApiRole, now: i64) -> Option<Secret<String>> {
        let secret = self.legacy.as_ref()?.expose().clone();
        let exp = now.saturating_add(LEGACY_KEY_S);
        let claims = serde_json::json!({ "iss": "supabase", "role": role.legacy(), "iat": now, "exp": exp });
        Some(Secret::new(token::sign(&SignKey::Hs256(secret), None, claims.to_string().as_bytes())))
    }
}

impl Auth {
    /// Makes an API key. A secret one is shown this once; only its hash is stored.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn create_api_key(&self, role: ApiRole, name: &str) -> Result<Secret<String>, Fault> {
        let catalog = &self.catalog()?;
        let (key, step) = self.new_api_key(role, name);
        self.run_one(catalog, step).await?;
        self.load_keys(catalog).await?;
        Ok(key)
    }

    /// The row of a new API key, and its text.
    pub(crate) fn new_api_key(&self, role: ApiRole, name: &str) -> (Secret<String>, Step) {
        let mut random = [0_u8; 32];
        self.ids.fill(&mut random);
        let key = format!("{}{}", role.prefix(), URL_SAFE_NO_PAD.encode(random));
        let shown: String = key.chars().take(role.prefix().len() + SHOWN).collect();
        let public = (role == ApiRole::Publishable).then(|| key.clone());
        let cells = vec![
            ("id", Cell::Uuid(self.ids.account())),
            ("kind", text(role.kind())),
            ("hash", text(fingerprint(&key))),
            ("prefix", text(shown)),
            ("public_text", optional_text(public)),
            ("name", text(name)),
        ];
        (Secret::new(key), statement::insert(API_KEY, cells))
    }

    /// All API keys, the oldest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn api_keys(&self) -> Result<Vec<ApiKey>, Fault> {
        let oldest =
            Order { field: field("created_at"), relation: None, descending: false, nulls_first: None };
        let wanted = Select { order: vec![oldest], ..all(API_KEY, Vec::new()) };
        let found = self.run_one(&self.catalog()?, (Query::Select(wanted), Expect::Any)).await?;
        found.iter().map(ApiKey::read).collect()
    }

    /// Takes an API key back; false when there is none of this id.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn revoke_api_key(&self, id: Uuid) -> Result<bool, Fault> {
        let catalog = &self.catalog()?;
        let gone = self.run_one(catalog, statement::delete(API_KEY, vec![eq("id", Cell::Uuid(id))])).await?;
        self.load_keys(catalog).await?;
        Ok(gone.affected() > 0)
    }

    /// A legacy key of this role, where they are allowed.
    #[must_use]
    pub fn legacy_api_key(&self, role: ApiRole) -> Option<Secret<String>> {
        self.ring().ok()?.legacy_key(role, self.clock.now_seconds())
    }
}

#[cfg(test)]
mod tests {
    use crate::key_ring::ApiRole;
    use crate::key_ring::tests::ring;
    use crate::token::{SignKey, sign};

    #[test]
    fn keys_have_their_roles() {
        let ring = ring(1);
        assert_eq!(ring.api_role("sb_publishable_a", 0), Some(ApiRole::Publishable));
        assert_eq!(ring.api_role("sb_secret_a", 0), Some(ApiRole::Secret));
        for role in [ApiRole::Publishable, ApiRole::Secret] {
            let key = ring.legacy_key(role, 100).unwrap();
            assert_eq!(ring.api_role(key.expose(), 100), Some(role));
            assert_eq!(ring.api_role(key.expose(), i64::MAX), None);
        }
    }

    #[test]
    fn what_is_no_key_has_none() {
        let (ours, theirs) = (ring(1), ring(2));
        let foreign = theirs.legacy_key(ApiRole::Secret, 0).unwrap();
        let with = |payload: &str| sign(&SignKey::Hs256(vec![1; 32]), None, payload.as_bytes());
        let keys = [
            String::new(),
            "sb_".to_owned(),
            "sb_secret_".to_owned(),
            "sb_secret_b".to_owned(),
            "sb_secret_a ".to_owned(),
            "SB_SECRET_a".to_owned(),
            foreign.expose().clone(),
            with(r#"{"role":"admin","exp":999}"#),
            with(r#"{"role":"service_role"}"#),
            with(r#"{"role":"service_role","exp":999,"sub":"x"}"#),
            with(r#"{"role":"anon","role":"service_role","exp":999}"#),
            with(r#"{"role":"service_role","exp":100}"#),
            ours.sign(br#"{"role":"service_role","exp":999}"#),
        ];
        for key in keys {
            assert_eq!(ours.api_role(&key, 100), None, "{key}");
        }
        let mut off = ours;
        let key = off.legacy_key(ApiRole::Secret, 0).unwrap();
        off.legacy = None;
        assert_eq!(off.api_role(key.expose(), 0), None);
        assert!(off.legacy_key(ApiRole::Secret, 0).is_none());
    }
}
