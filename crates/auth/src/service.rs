//! [`Auth`]: the service itself. Holds the keys, the hashing threads and the caches; reads
//! and writes its tables through the engine as System.

use crate::api_key::role_of_kind;
use crate::bucket::Buckets;
use crate::hasher::Hasher;
use crate::key_ring::{ApiRole, KeyRing, decode_private, encode_private, signing_key};
use crate::oauth::discovery::Discovery;
use crate::record::{Record, Records};
use crate::schema::{API_KEY, SECRET, SIGNING_KEY};
use crate::settings::Settings;
use crate::state::States;
use crate::statement::{self, Step, not, text};
use crate::verified::VerifiedTokens;
use backstay_base::clock::Clock;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_base::ids::Ids;
use backstay_base::limit::Limits;
use backstay_base::secret::Secret;
use backstay_engine::Engine as Database;
use backstay_outbound::egress::Egress;
use backstay_outbound::mail::Mail;
use backstay_policy::weave;
use backstay_query::plan::{End, Query};
use backstay_query::reply::Shape;
use backstay_query::resolve::{Reach, resolve};
use backstay_schema::catalog::Catalog;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::SigningKey;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Oldest keys that are believed while the database answers, in microseconds: half of the two
/// seconds within which every node knows that a key was made or taken back.
const OLD_KEYS_MICROS: i64 = 1_000_000;
/// Name of the secret behind legacy API keys.
const LEGACY: &str = "legacy_jwt";
/// Name of the secret behind refresh tokens.
const REFRESH: &str = "refresh_token";

/// What [`Auth::new`] needs.
pub struct Parts {
    /// The database.
    pub engine: Arc<dyn Database>,
    /// The settings.
    pub settings: Settings,
    /// Time.
    pub clock: Clock,
    /// Randomness.
    pub ids: Ids,
    /// The named limits.
    pub limits: Limits,
    /// Outgoing mail, where there is any.
    pub mail: Option<Mail>,
    /// Asks other services.
    pub egress: Egress,
}

/// Keys that may be shown to whoever runs the server.
#[derive(Debug, Clone)]
pub struct StartedKeys {
    /// The oldest publishable key.
    pub publishable: Option<Secret<String>>,
    /// The secret key, when this start made it: it is not shown again.
    pub secret: Option<Secret<String>>,
    /// The legacy key for apps, where legacy keys are allowed.
    pub anon: Option<Secret<String>>,
    /// The legacy key for servers, where legacy keys are allowed.
    pub service_role: Option<Secret<String>>,
}

/// The service.
pub struct Auth {
    pub(crate) engine: Arc<dyn Database>,
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
    pub(crate) limits: Limits,
    pub(crate) hasher: Hasher,
    pub(crate) verified: VerifiedTokens,
    pub(crate) states: States,
    pub(crate) buckets: Buckets,
    pub(crate) mail: Option<Mail>,
    pub(crate) egress: Egress,
    pub(crate) discovery: Discovery,
    ring: RwLock<Option<Arc<KeyRing>>>,
    catalog: RwLock<Option<Arc<Catalog>>>,
    /// Held while keys are loaded because one was unknown: a flood of such asks once.
    reloading: tokio::sync::Mutex<()>,
}

impl Auth {
    /// A service that is not ready until [`Auth::load`] and [`Auth::start`]. Reads nothing.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Parts { engine, settings, clock, ids, limits, mail, egress } = parts;
        Self {
            hasher: Hasher::start(limits.hash_queue, ids.clone()),
            verified: VerifiedTokens::new(settings.verified_tokens),
            states: States::default(),
            buckets: Buckets::default(),
            mail,
            egress,
            discovery: Discovery::of(&settings.providers),
            ring: RwLock::new(None),
            catalog: RwLock::new(None),
            reloading: tokio::sync::Mutex::new(()),
            engine,
            settings,
            clock,
            ids,
            limits,
        }
    }

    /// Serves this catalog from now on.
    pub fn load(&self, catalog: Arc<Catalog>) {
        *self.catalog.write().unwrap_or_else(PoisonError::into_inner) = Some(catalog);
    }

    /// Loads the keys, and makes those that are missing. To be called once the database
    /// has the tables of [`crate::schema`].
    ///
    /// # Errors
    /// When the database does not answer or a stored key cannot be read.
    pub async fn start(&self) -> Result<StartedKeys, Fault> {
        let catalog = &self.catalog()?;
        let secret = self.make_missing_keys(catalog).await?;
        self.load_keys(catalog).await?;
        let keys = self.api_keys().await?;
        let publishable = keys.into_iter().find_map(|key| key.public_text).map(Secret::new);
        Ok(StartedKeys {
            publishable,
            secret,
            anon: self.legacy_api_key(ApiRole::Publishable),
            service_role: self.legacy_api_key(ApiRole::Secret),
        })
    }

    /// The catalog served at this moment.
    pub(crate) fn catalog(&self) -> Result<Arc<Catalog>, Fault> {
        let catalog = self.catalog.read().unwrap_or_else(PoisonError::into_inner);
        catalog.clone().ok_or_else(not_ready)
    }

    /// Runs steps as System in one transaction.
    pub(crate) async fn run(&self, catalog: &Arc<Catalog>, steps: &[Step]) -> Result<Vec<Records>, Fault> {
        self.run_ending(catalog, steps, End::Commit).await
    }

    /// As [`Auth::run`], for as many rows as the caller says instead of clients' limits.
    pub(crate) async fn run_within(
        &self,
        catalog: &Arc<Catalog>,
        steps: &[Step],
        rows: u64,
    ) -> Result<Vec<Records>, Fault> {
        let list = self.limits.list.max(usize::try_from(rows).unwrap_or(usize::MAX));
        let limits = Limits { list, ..self.limits.clone() };
        self.run_limited(catalog, steps, End::Commit, &limits).await
    }

    /// As [`Auth::run`], with an end.
    pub(crate) async fn run_ending(
        &self,
        catalog: &Arc<Catalog>,
        steps: &[Step],
        end: End,
    ) -> Result<Vec<Records>, Fault> {
        self.run_limited(catalog, steps, end, &self.limits).await
    }

    async fn run_limited(
        &self,
        catalog: &Arc<Catalog>,
        steps: &[Step],
        end: End,
        limits: &Limits,
    ) -> Result<Vec<Records>, Fault> {
        let script = resolve(catalog, steps, end, Reach::System, limits)?;
        let guarded = weave::system(script, self.clock.now_micros(), catalog, &self.ids)?;
        let reply = self.engine.run(&guarded).await?;
        let mut parts = reply.parts.into_iter();
        let shapes = guarded.inner().steps.iter().map(|step| match &step.query {
            Query::Select(select) => Some(Shape::of(select)),
            Query::Insert(_) | Query::Update(_) | Query::Delete(_) => None,
        });
        Ok(shapes.map(|shape| Records::new(shape.as_ref(), parts.next().unwrap_or_default())).collect())
    }

    /// Runs one step.
    pub(crate) async fn run_one(&self, catalog: &Arc<Catalog>, step: Step) -> Result<Records, Fault> {
        Ok(self.run(catalog, &[step]).await?.into_iter().next().unwrap_or_default())
    }

    /// The keys as last loaded.
    pub(crate) fn ring(&self) -> Result<Arc<KeyRing>, Fault> {
        let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
        ring.clone().ok_or_else(not_ready)
    }

    /// The keys, loaded anew where they are old: another node may have taken one back. When
    /// the database does not answer, the old ones serve on.
    pub(crate) async fn current_ring(&self, catalog: &Arc<Catalog>) -> Result<Arc<KeyRing>, Fault> {
        let ring = self.ring()?;
        if self.clock.now_micros().saturating_sub(ring.loaded_at) < OLD_KEYS_MICROS {
            return Ok(ring);
        }
        match Box::pin(self.reload(catalog)).await {
            Ok(Some(ring)) => Ok(ring),
            Ok(None) => self.ring(),
            Err(fault) => {
                tracing::warn!(fault.code = fault.code.text, "the keys could not be loaded anew");
                self.ring()
            }
        }
    }

    /// The keys anew, unless they were loaded a moment ago: another node may have made one.
    pub(crate) async fn fresher_ring(&self, catalog: &Arc<Catalog>) -> Result<Option<Arc<KeyRing>>, Fault> {
        Box::pin(self.reload(catalog)).await
    }

    async fn reload(&self, catalog: &Arc<Catalog>) -> Result<Option<Arc<KeyRing>>, Fault> {
        let age = self.clock.now_micros().saturating_sub(self.ring()?.loaded_at);
        if age < OLD_KEYS_MICROS {
            return Ok(None);
        }
        let Ok(_alone) = self.reloading.try_lock() else { return Ok(None) };
        self.load_keys(catalog).await?;
        self.ring().map(Some)
    }

    /// Loads all keys from the database.
    pub(crate) async fn load_keys(&self, catalog: &Arc<Catalog>) -> Result<(), Fault> {
        let [keys, secrets, api_keys] = self.stored_keys(catalog).await?;
        let known = self.ring().ok();
        let (current, signing) = signing_keys(&keys, known.as_ref().map(|ring| &ring.signing))?;
        let mut named = named_secrets(&secrets)?;
        let refresh =
            named.remove(REFRESH).ok_or_else(|| Fault::internal("the refresh secret is missing"))?;
        let legacy = named.remove(LEGACY).filter(|_| self.settings.legacy_keys);
        let api_keys = roles(&api_keys)?;
        let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        *ring = Some(Arc::new(KeyRing {
            epoch: ring.as_ref().map_or(1, |old| old.epoch + u64::from(old.signing != signing)),
            loaded_at: self.clock.now_micros(),
            current,
            signing,
            legacy,
            refresh,
            api_keys,
        }));
        Ok(())
    }

    /// What is stored of signing keys, secrets and API keys.
    async fn stored_keys(&self, catalog: &Arc<Catalog>) -> Result<[Records; 3], Fault> {
        let steps = [
            statement::select(SIGNING_KEY, vec![not("status", text("revoked"))]),
            statement::select(SECRET, Vec::new()),
            statement::select(API_KEY, Vec::new()),
        ];
        <[Records; 3]>::try_from(self.run(catalog, &steps).await?)
            .map_err(|_| Fault::internal("a reply has another number of parts than its script"))
    }

    /// Makes the keys that a project needs and does not have. Two nodes that start at once
    /// both try; the second finds those of the first.
    async fn make_missing_keys(&self, catalog: &Arc<Catalog>) -> Result<Option<Secret<String>>, Fault> {
        let [keys, secrets, api_keys] = self.stored_keys(catalog).await?;
        let mut missing = Vec::new();
        for name in [LEGACY, REFRESH] {
            let there = secrets.iter().any(|record| record.text("name").ok().flatten() == Some(name));
            if !there {
                let mut random = [0_u8; 48];
                self.ids.fill(&mut random);
                let cells = vec![("name", text(name)), ("value", text(STANDARD.encode(random)))];
                missing.push(statement::insert(SECRET, cells));
            }
        }
        if keys.first().is_none() {
            missing.push(self.new_signing_key()?);
        }
        let mut shown = None;
        if api_keys.first().is_none() {
            let (_, publishable) = self.new_api_key(ApiRole::Publishable, "default");
            let (secret, step) = self.new_api_key(ApiRole::Secret, "default");
            missing.extend([publishable, step]);
            shown = Some(secret);
        }
        if missing.is_empty() {
            return Ok(None);
        }
        match self.run(catalog, &missing).await {
            Err(fault) if fault.code == code::UNIQUE_VIOLATION => Ok(None),
            made => made.map(|_| shown),
        }
    }

    /// The row of a new signing key.
    pub(crate) fn new_signing_key(&self) -> Result<Step, Fault> {
        let key = random_key(&self.ids)?;
        let private = encode_private(&key).ok_or_else(|| Fault::internal("a key cannot be written"))?;
        let cells = vec![
            ("kid", text(self.ids.account().to_string())),
            ("algorithm", text("ES256")),
            ("private_key", text(private)),
            ("status", text("current")),
        ];
        Ok(statement::insert(SIGNING_KEY, cells))
    }
}

fn random_key(ids: &Ids) -> Result<SigningKey, Fault> {
    // One in 2^32 draws is no key; eight in a row are none.
    (0..8)
        .find_map(|_| {
            let mut random = [0_u8; 32];
            ids.fill(&mut random);
            signing_key(&random)
        })
        .ok_or_else(|| Fault::internal("randomness gives no signing key"))
}

fn not_ready() -> Fault {
    Fault::new(code::NOT_READY, "the server is starting; try again in a moment")
}

type Signing = ((String, SigningKey), HashMap<String, SigningKey>);

/// All signing keys, and the newest current one. Those that are `known` by their ids are not read again: a key is never
/// changed, and to read one takes as long as a request.
fn signing_keys(records: &Records, known: Option<&HashMap<String, SigningKey>>) -> Result<Signing, Fault> {
    let mut signing = HashMap::new();
    let mut newest: Option<(i64, String, SigningKey)> = None;
    for record in records.iter() {
        let kid = record.needed("kid")?.to_owned();
        let key = known
            .and_then(|known| known.get(&kid).cloned())
            .or_else(|| read_key(record))
            .ok_or_else(|| Fault::internal(format!("signing key {kid} cannot be read")))?;
        let made = record.time("created_at")?.unwrap_or_default();
        let newer = newest.as_ref().is_none_or(|(at, id, _)| (made, &kid) > (*at, id));
        if record.needed("status")? == "current" && newer {
            newest = Some((made, kid.clone(), key.clone()));
        }
        signing.insert(kid, key);
    }
    let (_, kid, key) = newest.ok_or_else(|| Fault::internal("no current signing key"))?;
    Ok(((kid, key), signing))
}

fn read_key(record: Record<'_>) -> Option<SigningKey> {
    let is_known = record.text("algorithm").is_ok_and(|name| name == Some("ES256"));
    decode_private(record.text("private_key").ok()??).filter(|_| is_known)
}

fn named_secrets(records: &Records) -> Result<HashMap<String, Secret<Vec<u8>>>, Fault> {
    records
        .iter()
        .map(|record| {
            let name = record.needed("name")?.to_owned();
            let value = STANDARD
                .decode(record.needed("value")?)
                .map_err(|_| Fault::internal(format!("secret {name} cannot be read")))?;
            Ok((name, Secret::new(value)))
        })
        .collect()
}

fn roles(records: &Records) -> Result<HashMap<String, ApiRole>, Fault> {
    records
        .iter()
        .map(|record| {
            let role = role_of_kind(record.needed("kind")?);
            Ok((record.needed("hash")?.to_owned(), role))
        })
        .collect()
}
