//! Encryption of a connection: which certificates vouch for a server. A mode and
//! files enter, the driver's options leave.

use crate::address::{Tls, TlsMode};
use crate::error::OpenError;
use mysql_async::{ClientIdentity, SslOpts};
use std::path::Path;

/// The driver's options; none where nothing is to be encrypted. Files are read now, so that
/// a wrong path is told at start-up.
///
/// # Errors
/// [`OpenError::Certificates`], when a file cannot be read or the system trusts nobody.
pub fn options(tls: &Tls) -> Result<Option<SslOpts>, OpenError> {
    let options = match tls.mode {
        TlsMode::Disabled => return Ok(None),
        TlsMode::Preferred | TlsMode::Required => SslOpts::default().with_danger_accept_invalid_certs(true),
        TlsMode::VerifyIdentity => trusting(tls)?,
    };
    let identity = match &tls.identity {
        Some((certificate, key)) => Some(ClientIdentity::new(read(certificate)?.into(), read(key)?.into())),
        None => None,
    };
    Ok(Some(options.with_client_identity(identity)))
}

fn trusting(tls: &Tls) -> Result<SslOpts, OpenError> {
    let authorities = match &tls.authorities {
        Some(file) => vec![read(file)?],
        None => system()?,
    };
    Ok(SslOpts::default()
        .with_disable_built_in_roots(true)
        .with_danger_tls_hostname_override(tls.name.clone())
        .with_root_certs(authorities.into_iter().map(Into::into).collect()))
}

/// The certificates that the operating system trusts.
fn system() -> Result<Vec<Vec<u8>>, OpenError> {
    let loaded = rustls_native_certs::load_native_certs();
    if loaded.certs.is_empty() {
        let words = "the system trusts no authority; name a file with ssl-ca".to_owned();
        return Err(OpenError::Certificates(words));
    }
    Ok(loaded.certs.into_iter().map(|certificate| certificate.as_ref().to_vec()).collect())
}

fn read(path: &Path) -> Result<Vec<u8>, OpenError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(bytes),
        Err(error) => Err(OpenError::Certificates(format!("{}: {error}", path.display()))),
    }
}
