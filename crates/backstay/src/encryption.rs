//! `[server.tls]`: where the certificate is, and that a new one is taken over without a restart.

use crate::config;
use crate::project::Project;
use anyhow::{Context as _, Result, bail};
use backstay_server::tls::{Certificates, Tls};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::task::JoinHandle;

/// Between two looks at the files. A look costs two calls of the system.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// TLS of a server. The files are no longer looked at when this is dropped.
pub struct Encryption {
    /// What answers handshakes.
    pub tls: Tls,
    looking: JoinHandle<()>,
}

impl Drop for Encryption {
    fn drop(&mut self) {
        self.looking.abort();
    }
}

/// By `[server.tls]`; none where it names no files.
///
/// # Errors
/// When only one file is named, or what is in them cannot be used.
pub fn start(project: &Project) -> Result<Option<Encryption>> {
    let config::Tls { certificate, key } = &project.config.server.tls;
    let (certificate, key) = match (certificate, key) {
        (None, None) => return Ok(None),
        (Some(certificate), Some(key)) => (project.folder.join(certificate), project.folder.join(key)),
        (Some(_), None) | (None, Some(_)) => bail!("[server.tls] needs `certificate` and `key`"),
    };
    let seen = stamps(&certificate, &key);
    let certificates = Certificates::read(&certificate, &key).context("[server.tls] is not right")?;
    let tls = Tls::new(Arc::clone(&certificates))?;
    let looking = tokio::spawn(look(certificates, certificate, key, seen));
    Ok(Some(Encryption { tls, looking }))
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
