//! TLS towards the database, in libpq's terms: `require` encrypts without asking who is
//! there, `verify-ca` asks for a certificate of the given root, `verify-full` also that it
//! bears the name of the host. A mode and files enter, a connector leaves.

use crate::error::OpenError;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_postgres_rustls::MakeRustlsConnect;

/// What is asked of the server's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verify {
    /// Nothing: whoever answers is believed.
    Nothing,
    /// That a trusted root vouches for it.
    Root,
    /// That it also bears the name of the host.
    RootAndName,
}

/// The files of a URL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// `sslrootcert`; without it, or with `system`, the roots of the operating system.
    pub root: Option<PathBuf>,
    /// `sslcert`: the certificate that this side shows.
    pub certificate: Option<PathBuf>,
    /// `sslkey`: its key.
    pub key: Option<PathBuf>,
}

/// Makes what opens encrypted connections.
///
/// # Errors
/// When a file cannot be read or holds no certificate.
pub fn connector(verify: Verify, files: &Files) -> Result<MakeRustlsConnect, OpenError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = verifier(verify, files, &provider)?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let config = match (&files.certificate, &files.key) {
        (Some(certificate), Some(key)) => {
            let own = PrivateKeyDer::from_pem_file(key).map_err(|source| unreadable(key, source))?;
            config.with_client_auth_cert(certificates(certificate)?, own)?
        }
        _ => config.with_no_client_auth(),
    };
    Ok(MakeRustlsConnect::new(config))
}

fn verifier(
    verify: Verify,
    files: &Files,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, OpenError> {
    if verify == Verify::Nothing {
        return Ok(Arc::new(Lenient { asks: None, provider: Arc::clone(provider) }));
    }
    let roots = Arc::new(roots(files.root.as_deref())?);
    let full = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(provider))
        .build()
        .map_err(|cause| Error::General(cause.to_string()))?;
    match verify {
        Verify::RootAndName => Ok(full),
        Verify::Root | Verify::Nothing => {
            Ok(Arc::new(Lenient { asks: Some(full), provider: Arc::clone(provider) }))
        }
    }
}

fn roots(file: Option<&Path>) -> Result<RootCertStore, OpenError> {
    let mut store = RootCertStore::empty();
    match file {
        Some(file) => {
            for certificate in certificates(file)? {
                store.add(certificate)?;
            }
        }
        None => {
            let found = rustls_native_certs::load_native_certs();
            store.add_parsable_certificates(found.certs);
        }
    }
    Ok(store)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, OpenError> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    read.map_err(|source| unreadable(file, source))
}

fn unreadable(file: &Path, source: rustls_pki_types::pem::Error) -> OpenError {
    OpenError::Certificate { path: file.to_owned(), source }
}

/// Asks less than the full verifier: no name, or nothing at all. That the other side has the
/// key of its certificate is always asked.
#[derive(Debug)]
struct Lenient {
    asks: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(full) = &self.asks else { return Ok(ServerCertVerified::assertion()) };
        match full.verify_server_cert(certificate, between, name, ocsp, now) {
            // the name is looked at last: everything else held
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
