//! [`Hasher`]: password hashes on threads of their own with a bounded queue, so that
//! sign-ins cannot starve other requests. argon2id for new hashes; bcrypt is verified
//! and hashed anew. Unknown accounts cost as much as known ones.

use crate::refusal::Refusal;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use backstay_base::ids::Ids;
use backstay_base::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// Memory of one hash, in KiB.
const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over the memory.
const PASSES: u32 = 2;
/// Lanes.
const LANES: u32 = 1;

/// The lowest priority that Linux has for threads that share a processor.
#[cfg(target_os = "linux")]
const LEAST_PRIORITY: i32 = 19;

/// What verifying says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The password is the right one.
    pub matches: bool,
    /// The stored hash is not of today's kind: hash anew.
    pub outdated: bool,
}

enum Work {
    Hash { password: Secret<String>, salt: [u8; 16], answer: oneshot::Sender<Option<String>> },
    Verify { password: Secret<String>, stored: Option<String>, answer: oneshot::Sender<Verdict> },
}

/// A handle to the hashing threads.
#[derive(Debug, Clone)]
pub struct Hasher {
    queue: SyncSender<Work>,
    tally: Arc<Tally>,
    ids: Ids,
}

/// What is counted.
#[derive(Debug, Default)]
struct Tally {
    waiting: AtomicU64,
    refused: AtomicU64,
}

impl Hasher {
    /// Starts one thread per two cores. `queue` jobs may wait.
    /// Where the operating system gives no thread at all, every hash is refused.
    #[must_use]
    pub fn start(queue: usize, ids: Ids) -> Self {
        let (sender, receiver) = sync_channel(queue);
        let receiver = Arc::new(Mutex::new(receiver));
        let tally = Arc::<Tally>::default();
        let dummy: Arc<str> = dummy_hash(&ids).into();
        let threads = std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).max(1));
        for _ in 0..threads {
            let (receiver, dummy, tally) = (Arc::clone(&receiver), Arc::clone(&dummy), Arc::clone(&tally));
            let thread = std::thread::Builder::new().name("password-hash".to_owned());
            if let Err(error) = thread.spawn(move || serve(&receiver, &dummy, &tally)) {
                tracing::error!(%error, "no thread for password hashes");
            }
        }
        Self { queue: sender, tally, ids }
    }

    /// How many wait now, and how many were refused.
    pub(crate) fn waiting_and_refused(&self) -> (u64, u64) {
        (self.tally.waiting.load(Ordering::Relaxed), self.tally.refused.load(Ordering::Relaxed))
    }

    /// Hashes a password.
    ///
    /// # Errors
    /// `over_request_rate_limit` when the queue is full, before any work.
    pub async fn hash(&self, password: Secret<String>) -> Result<String, Refusal> {
        let mut salt = [0_u8; 16];
        self.ids.fill(&mut salt);
        let (answer, reply) = oneshot::channel();
        self.enqueue(Work::Hash { password, salt, answer })?;
        reply.await.ok().flatten().ok_or_else(Refusal::unexpected)
    }

    /// Verifies a password. Without a stored hash the same work is done and nothing matches.
    ///
    /// # Errors
    /// As [`Hasher::hash`].
    pub async fn verify(&self, password: Secret<String>, stored: Option<String>) -> Result<Verdict, Refusal> {
        let (answer, reply) = oneshot::channel();
        self.enqueue(Work::Verify { password, stored, answer })?;
        reply.await.map_err(|_| Refusal::unexpected())
    }

    fn enqueue(&self, work: Work) -> Result<(), Refusal> {
        // counted before it is sent: a thread may take it at once
        self.tally.waiting.fetch_add(1, Ordering::Relaxed);
        self.queue.try_send(work).map_err(|refused| {
            self.tally.waiting.fetch_sub(1, Ordering::Relaxed);
            match refused {
                TrySendError::Full(_) => {
                    self.tally.refused.fetch_add(1, Ordering::Relaxed);
                    Refusal::busy()
                }
                TrySendError::Disconnected(_) => Refusal::unexpected(),
            }
        })
    }
}

/// Lets every other thread go first: a hash takes as long as a thousand reads by key. On Linux
/// priorities belong to threads; where they belong to processes nothing is changed.
fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, LEAST_PRIORITY) {
        tracing::warn!(%error, "password hashes run at the priority of requests");
    }
}

/// Takes work until every handle is gone.
fn serve(receiver: &Mutex<Receiver<Work>>, dummy: &str, tally: &Tally) {
    give_way();
    loop {
        let next = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
        if next.is_ok() {
            tally.waiting.fetch_sub(1, Ordering::Relaxed);
        }
        // Nobody waits for the answer of a request that was given up.
        match next {
            Ok(Work::Hash { password, salt, answer }) => {
                let _unheard = answer.send(hash(password.expose(), &salt));
            }
            Ok(Work::Verify { password, stored, answer }) => {
                let _unheard = answer.send(verify(password.expose(), stored.as_deref(), dummy));
            }
            Err(_) => return,
        }
    }
}

/// A stored hash that belongs to no password: checking against it costs what any check costs.
/// Nothing is hashed to make it, so that starting is cheap.
fn dummy_hash(ids: &Ids) -> String {
    let (mut salt, mut hash) = ([0_u8; 16], [0_u8; 32]);
    ids.fill(&mut salt);
    ids.fill(&mut hash);
    let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(hash));
    format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${hash}")
}

fn argon() -> Option<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &str, salt: &[u8]) -> Option<String> {
    let hash: PasswordHash = argon()?.hash_password_with_salt(password.as_bytes(), salt).ok()?;
    Some(hash.to_string())
}

fn verify(password: &str, stored: Option<&str>, dummy: &str) -> Verdict {
    let Some(stored) = stored else {
        argon_matches(password, dummy);
        return Verdict { matches: false, outdated: false };
    };
    if stored.starts_with("$2") {
        let matches = bcrypt::verify(password, stored).unwrap_or(false);
        return Verdict { matches, outdated: matches };
    }
    let matches = argon_matches(password, stored);
    let today = format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}$");
    Verdict { matches, outdated: matches && !stored.starts_with(&today) }
}

fn argon_matches(password: &str, stored: &str) -> bool {
    let (Some(argon), Ok(parsed)) = (argon(), PasswordHash::new(stored)) else { return false };
    argon.verify_password(password.as_bytes(), &parsed).is_ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_dummy_costs_what_a_real_hash_costs() {
        let ids = super::Ids::seeded(backstay_base::clock::Clock::fixed(0), 1);
        let real = super::hash("secret", &[7; 16]).unwrap();
        let parameters = |hash: &str| hash.split('$').take(4).collect::<Vec<_>>().join("$");
        let dummy = super::dummy_hash(&ids);
        assert_eq!(parameters(&dummy), parameters(&real));
        assert_eq!(dummy.len(), real.len());
        assert!(argon2::PasswordHash::new(&dummy).is_ok(), "a hash that does not parse would cost nothing");
        assert!(!super::argon_matches("secret", &dummy));
    }

    use super::{Hasher, Verdict, Work, hash, verify};
    use backstay_base::clock::Clock;
    use backstay_base::ids::Ids;
    use backstay_base::secret::Secret;
    use std::sync::mpsc::sync_channel;
    use tokio::sync::oneshot;

    fn ids() -> Ids {
        Ids::seeded(Clock::fixed(0), 5)
    }

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[tokio::test]
    async fn what_was_hashed_verifies() {
        let hasher = Hasher::start(4, ids());
        let stored = hasher.hash(secret("hunter22")).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        let again = hasher.hash(secret("hunter22")).await.unwrap();
        assert_ne!(stored, again);
        let right = hasher.verify(secret("hunter22"), Some(stored.clone())).await.unwrap();
        assert_eq!(right, Verdict { matches: true, outdated: false });
        let wrong = hasher.verify(secret("hunter23"), Some(stored)).await.unwrap();
        assert_eq!(wrong, Verdict { matches: false, outdated: false });
        let nobody = hasher.verify(secret("no account has this password"), None).await.unwrap();
        assert_eq!(nobody, Verdict { matches: false, outdated: false });
    }

    #[test]
    fn old_hashes_verify_and_are_outdated() {
        let old = bcrypt::hash("hunter22", 4).unwrap();
        assert_eq!(verify("hunter22", Some(&old), ""), Verdict { matches: true, outdated: true });
        assert_eq!(verify("hunter23", Some(&old), ""), Verdict { matches: false, outdated: false });
        let weak = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$";
        for stored in ["", "$", "$2b$", "$argon2id$", "plain", weak] {
            assert_eq!(
                verify("plain", Some(stored), ""),
                Verdict { matches: false, outdated: false },
                "{stored}"
            );
        }
        assert!(hash("", &[7; 16]).is_some());
    }

    /// Without a thread that takes work, the queue fills and then refuses at once.
    #[tokio::test]
    async fn a_full_queue_refuses_before_hashing() {
        let (queue, _receiver) = sync_channel(2);
        for _ in 0..2 {
            let (answer, _reply) = oneshot::channel();
            let password = secret("x");
            queue.try_send(Work::Verify { password, stored: None, answer }).map_err(|_| "full").unwrap();
        }
        let hasher = Hasher { queue, tally: std::sync::Arc::default(), ids: ids() };
        let refused = hasher.hash(secret("x")).await.expect_err("is refused");
        assert_eq!((refused.status, refused.code), (429, "over_request_rate_limit"));
        let refused = hasher.verify(secret("x"), None).await.expect_err("is refused");
        assert_eq!(refused.status, 429);
    }
}
