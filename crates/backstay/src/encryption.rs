//! `[server.tls]`: where the certificate is or who gives one, and that a new one is taken over without a restart.

mod authority;
mod renewal;

use crate::config;
use crate::encryption::authority::Authority;
use crate::encryption::renewal::Renewal;
use crate::project::Project;
use anyhow::{Context as _, Result, bail};
use backstay_base::clock::Clock;
use backstay_base::ids::Ids;
use backstay_engine::reading::Reading;
use backstay_server::admin::Watched;
use backstay_server::tls::{Certificates, Tls};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::task::JoinHandle;

/// Between two looks at the files. A look costs two calls of the system.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// TLS of a server. Its certificate is no longer looked after when this is dropped.
pub struct Encryption {
    /// What answers handshakes.
    pub tls: Tls,
    certificates: Arc<Certificates>,
    looking: JoinHandle<()>,
}

impl Drop for Encryption {
    fn drop(&mut self) {
        self.looking.abort();
    }
}

/// By `[server.tls]`; none where it names neither files nor names.
///
/// # Errors
/// When what it says does not go together, or what is in the files cannot be used.
pub fn start(project: &Project) -> Result<Option<Encryption>> {
    let config::Tls { certificate, key, acme } = &project.config.server.tls;
    let (certificates, looking) = match (certificate, key) {
        (None, None) if acme.names.is_empty() => return Ok(None),
        (None, None) => from_authority(project, acme)?,
        (Some(_), Some(_)) if !acme.names.is_empty() => {
            bail!("[server.tls] names files and [server.tls.acme] names: it is the one or the other")
        }
        (Some(certificate), Some(key)) => {
            from_files(project.folder.join(certificate), project.folder.join(key))?
        }
        (Some(_), None) | (None, Some(_)) => bail!("[server.tls] needs `certificate` and `key`"),
    };
    let tls = Tls::new(Arc::clone(&certificates))?;
    Ok(Some(Encryption { tls, certificates, looking }))
}

fn from_files(certificate: PathBuf, key: PathBuf) -> Result<(Arc<Certificates>, JoinHandle<()>)> {
    let seen = stamps(&certificate, &key);
    let certificates = Certificates::read(&certificate, &key).context("[server.tls] is not right")?;
    let looking = tokio::spawn(look(Arc::clone(&certificates), certificate, key, seen));
    Ok((certificates, looking))
}

fn from_authority(project: &Project, acme: &config::Acme) -> Result<(Arc<Certificates>, JoinHandle<()>)> {
    let (clock, certificates) = (Clock::system(), Arc::new(Certificates::default()));
    let authority = Authority::new(project, acme, Arc::clone(&certificates))?;
    let ids = Ids::system(clock.clone());
    let renewal = Renewal::new(authority, Arc::clone(&certificates), clock, &ids);
    Ok((certificates, tokio::spawn(renewal.run())))
}

impl Encryption {
    /// What the admin listener tells of it.
    pub fn watched(&self, clock: &Clock) -> Watched {
        let (told, clock, counted) =
            (Arc::clone(&self.certificates), clock.clone(), Arc::clone(&self.certificates));
        Watched {
            name: "certificate",
            trouble: Box::new(move || match told.life() {
                None => Some("there is no certificate yet"),
                Some(life) if clock.now_micros() / 1_000_000 >= life.end => Some("the certificate has ended"),
                Some(_) => None,
            }),
            readings: Box::new(move || {
                let end = counted.life().and_then(|life| u64::try_from(life.end).ok()).unwrap_or(0);
                let help = "When the certificate ends, in seconds since 1970; 0 without one.";
                vec![Reading::gauge("backstay_certificate_end_seconds", help, end)]
            }),
        }
    }
}

/// When the files were written, and how long they are.
type Stamps = [Option<(SystemTime, u64)>; 2];

fn stamps(certificate: &Path, key: &Path) -> Stamps {
    [certificate, key].map(|path| {
        let about = std::fs::metadata(path).ok()?;
        Some((about.modified().ok()?, about.len()))
    })
}

/// Takes over what changes. Files that are half written do not belong together; the next look finds them whole.
async fn look(certificates: Arc<Certificates>, certificate: PathBuf, key: PathBuf, mut seen: Stamps) {
    let mut pace = tokio::time::interval(LOOK_AGAIN);
    loop {
        pace.tick().await;
        let now = stamps(&certificate, &key);
        if now == seen {
            continue;
        }
        match certificates.renew(&certificate, &key) {
            Ok(()) => {
                seen = now;
                tracing::info!("the certificate was read anew");
            }
            Err(error) => tracing::warn!("the old certificate is kept: {error}"),
        }
    }
}
