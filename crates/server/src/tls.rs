//! TLS: the certificate that connections are answered with, which may change while the server runs, the
//! handshake, and answers to a certificate authority that looks whether a name is ours (TLS-ALPN-01, RFC 8737). Files
//! and their form are known here, where they come from is not.

use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, crypto};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

/// What is spoken over it, best first.
const PROTOCOLS: [&[u8]; 3] = [b"h2", b"http/1.1", PROOF];

/// What a certificate authority speaks that looks whether a name is ours.
const PROOF: &[u8] = b"acme-tls/1";

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or holds no certificate or key.
    #[error("{0} cannot be read: {1}")]
    File(String, rustls::pki_types::pem::Error),
    /// There is no certificate in the file.
    #[error("{0} holds no certificate")]
    Empty(String),
    /// The certificate does not say until when it is good.
    #[error("{0} is not understood: {1}")]
    Form(String, x509_cert::der::Error),
    /// The key is of no known kind, or is not that of the certificate.
    #[error("the certificate cannot be used: {0}")]
    Key(#[from] rustls::Error),
}

/// The certificate in use.
#[derive(Debug, Default)]
pub struct Certificates {
    held: RwLock<Held>,
}

#[derive(Debug, Default)]
struct Held {
    current: Option<Current>,
    /// By name, what an authority is shown.
    proofs: BTreeMap<String, Arc<CertifiedKey>>,
}

#[derive(Debug)]
struct Current {
    key: Arc<CertifiedKey>,
    life: Range<i64>,
}

impl Certificates {
    /// Reads a chain and its key from PEM files.
    ///
    /// # Errors
    /// When they cannot be read or do not belong together.
    pub fn read(certificate: &Path, key: &Path) -> Result<Arc<Self>, TlsError> {
        let certificates = Arc::new(Self::default());
        certificates.renew(certificate, key)?;
        Ok(certificates)
    }

    /// Answers new connections with what stands in the files now; those that are open go on.
    ///
    /// # Errors
    /// As [`Certificates::read`]; the old ones are kept.
    pub fn renew(&self, certificate: &Path, key: &Path) -> Result<(), TlsError> {
        let new = certified(certificate, key)?;
        self.change().current = Some(new);
        Ok(())
    }

    /// From when and until when the one in use is good, in seconds since 1970; none where there is none.
    #[must_use]
    pub fn life(&self) -> Option<Range<i64>> {
        self.held().current.as_ref().map(|current| current.life.clone())
    }

    /// Shows an authority this certificate when it asks for a name; the key is of the form PKCS 8.
    ///
    /// # Errors
    /// When the key is of no known kind.
    pub fn prove(&self, name: &str, certificate: Vec<u8>, key: Vec<u8>) -> Result<(), TlsError> {
        let key = any_supported_type(&PrivatePkcs8KeyDer::from(key).into())?;
        let proof = CertifiedKey::new(vec![CertificateDer::from(certificate)], key);
        self.change().proofs.insert(name.to_owned(), Arc::new(proof));
        Ok(())
    }

    /// Shows authorities nothing more.
    pub fn forget_proofs(&self) {
        self.change().proofs.clear();
    }

    fn held(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) -> RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let held = self.held();
        let mut offered = hello.alpn().into_iter().flatten();
        if offered.next() == Some(PROOF) && offered.next().is_none() {
            return held.proofs.get(&hello.server_name()?.to_ascii_lowercase()).cloned();
        }
        held.current.as_ref().map(|current| Arc::clone(&current.key))
    }
}

fn certified(certificate: &Path, key: &Path) -> Result<Current, TlsError> {
    let unread = |path: &Path| {
        let name = path.display().to_string();
        move |error| TlsError::File(name, error)
    };
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(unread(certificate))?;
    let Some(first) = chain.first() else {
        return Err(TlsError::Empty(certificate.display().to_string()));
    };
    let life = life(first).map_err(|error| TlsError::Form(certificate.display().to_string(), error))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(unread(key))?;
    let certified = CertifiedKey::new(chain, any_supported_type(&key)?);
    certified.keys_match()?;
    Ok(Current { key: Arc::new(certified), life })
}

fn life(certificate: &CertificateDer<'_>) -> Result<Range<i64>, x509_cert::der::Error> {
    let validity = Certificate::from_der(certificate)?.tbs_certificate.validity;
    let seconds =
        |time: x509_cert::time::Time| i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
    Ok(seconds(validity.not_before)..seconds(validity.not_after))
}

/// Answers handshakes.
#[derive(Clone)]
pub struct Tls(TlsAcceptor);

impl Tls {
    /// TLS 1.2 and 1.3 with these certificates.
    ///
    /// # Errors
    /// When the cryptography at hand has no such version.
    pub fn new(certificates: Arc<Certificates>) -> Result<Self, TlsError> {
        let provider = Arc::new(crypto::ring::default_provider());
        let versions = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let mut config = versions.with_no_client_auth().with_cert_resolver(certificates);
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    /// The handshake; it has no limit of time of its own.
    pub(crate) async fn accept(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = self.0.accept(stream).await?;
        if stream.get_ref().1.alpn_protocol() == Some(PROOF) {
            // the handshake was all there is to say
            return Err(std::io::Error::other("an authority has looked at a name"));
        }
        Ok(stream)
    }
}
