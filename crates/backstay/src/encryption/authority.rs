//! [`Authority`]: who gives certificates, by ACME (RFC 8555). An account is made once and kept, the names are proved
//! by TLS-ALPN-01 (RFC 8737) where the server listens, and a certificate is kept with its key as one file. Knows
//! nothing of time.

use crate::config;
use crate::project::Project;
use anyhow::{Context as _, Result, bail};
use backstay_server::tls::Certificates;
use instant_acme::{
    Account, AccountBuilder, AccountCredentials, AuthorizationStatus, ChallengeType, Identifier, NewAccount,
    NewOrder, Order, OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, KeyPair};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long an authority may take to look at the names, and to sign.
const PATIENCE: Duration = Duration::from_secs(90);

/// An authority, and what is kept of it.
pub struct Authority {
    settings: config::Acme,
    root: Option<PathBuf>,
    folder: PathBuf,
    certificates: Arc<Certificates>,
}

impl Authority {
    /// The one of `[server.tls.acme]`. Its account and its certificate are kept in the project's `.backstay/acme`.
    ///
    /// # Errors
    /// When the settings name what no authority gives, or the folder cannot be made.
    pub fn new(project: &Project, settings: &config::Acme, certificates: Arc<Certificates>) -> Result<Self> {
        if !settings.terms_agreed {
            bail!(
                "[server.tls.acme] asks {} for a certificate: read its terms and set terms_agreed = true",
                settings.directory
            );
        }
        if let Some(name) = settings.names.iter().find(|name| !is_name(name)) {
            bail!(
                "[server.tls.acme] names {name:?}: a certificate is for whole host names such as api.example.com"
            );
        }
        // once for the process; a second call finds it there
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = project.local_folder()?.join("acme");
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let root = settings.root.as_ref().map(|root| project.folder.join(root));
        Ok(Self { settings: settings.clone(), root, folder, certificates })
    }

    /// Where the certificate is kept: one file for these names of this authority.
    pub fn file(&self) -> PathBuf {
        let names = self.settings.names.join(" ");
        self.folder.join(format!("certificate-{}.pem", mark(&[&self.settings.directory, &names])))
    }

    /// Locks the folder: one process asks, others take what it gets.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn lock(&self) -> Result<Option<File>> {
        let file = File::create(self.folder.join("lock"))?;
        Ok(file.try_lock().is_ok().then_some(file))
    }

    /// Gets a certificate and keeps it.
    ///
    /// # Errors
    /// When the authority refuses or cannot be reached.
    pub async fn obtain(&self) -> Result<()> {
        let account = self.account().await?;
        let names: Vec<Identifier> = self.settings.names.iter().cloned().map(Identifier::Dns).collect();
        let mut order = account.new_order(&NewOrder::new(&names)).await.context("the order is refused")?;
        let proved = self.prove(&mut order).await;
        self.certificates.forget_proofs();
        proved?;
        let key = order.finalize().await.context("the request for the certificate is refused")?;
        let policy = RetryPolicy::new().timeout(PATIENCE);
        let chain = order.poll_certificate(&policy).await.context("the certificate does not come")?;
        keep(&self.file(), &format!("{}\n{key}", chain.trim_end()))
    }

    async fn account(&self) -> Result<Account> {
        let file = self.folder.join(format!("account-{}.json", mark(&[&self.settings.directory])));
        if let Ok(kept) = std::fs::read(&file) {
            let kept: AccountCredentials =
                serde_json::from_slice(&kept).with_context(|| format!("{} is damaged", file.display()))?;
            let account = self.builder()?.from_credentials(kept).await;
            return account.context("the authority does not answer");
        }
        let contact: Vec<String> =
            self.settings.email.iter().map(|email| format!("mailto:{email}")).collect();
        let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
        let new =
            NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
        let made = self.builder()?.create(&new, self.settings.directory.clone(), None).await;
        let (account, credentials) = made.context("the authority makes no account")?;
        keep(&file, &serde_json::to_string(&credentials)?)?;
        Ok(account)
    }

    fn builder(&self) -> Result<AccountBuilder> {
        Ok(match &self.root {
            Some(root) => Account::builder_with_root(root)
                .with_context(|| format!("the root {} cannot be used", root.display()))?,
            None => Account::builder()?,
        })
    }

    /// Shows the authority for each name what it wants to see, and waits until it has looked.
    async fn prove(&self, order: &mut Order) -> Result<()> {
        let mut authorizations = order.authorizations();
        while let Some(found) = authorizations.next().await {
            let mut authorization = found?;
            match authorization.status {
                AuthorizationStatus::Valid => continue,
                AuthorizationStatus::Pending => {}
                other => bail!("a name cannot be proved: its authorization is {other:?}"),
            }
            let challenge = authorization.challenge(ChallengeType::TlsAlpn01);
            let mut challenge = challenge.context("the authority does not offer tls-alpn-01")?;
            let name = challenge.identifier().to_string();
            let (certificate, key) = proof(&name, challenge.key_authorization().digest().as_ref())?;
            self.certificates.prove(&name, certificate, key)?;
            challenge.set_ready().await?;
        }
        let missed = "the authority has not found the names here";
        match order.poll_ready(&RetryPolicy::new().timeout(PATIENCE)).await.context(missed)? {
            OrderStatus::Ready | OrderStatus::Valid => Ok(()),
            other => bail!("{missed}: the order is {other:?}"),
        }
    }
}

/// A certificate that shows an authority the digest that it wants to see, with its key.
fn proof(name: &str, digest: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
    let mut params = CertificateParams::new([name.to_owned()])?;
    params.distinguished_name = DistinguishedName::new();
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok((certificate.der().to_vec(), key.serialize_der()))
}

/// A whole host name, in the form in which it stands in certificates.
fn is_name(name: &str) -> bool {
    let is_label = |label: &str| {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(plain)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253
        && name.contains('.')
        && name.split('.').all(is_label)
        && name.parse::<IpAddr>().is_err()
}

/// Some letters that differ where the words do.
fn mark(words: &[&str]) -> String {
    let digest = Sha256::digest(words.join("\n"));
    digest.iter().take(6).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Writes a file that nobody else may read, whole or not at all.
fn keep(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().context("a file without a folder")?;
    // a temporary file is its owner's alone
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn names_are_whole_host_names() {
        for name in ["a.example", "xn--mnchen-3ya.example", "1.a-b.example.org"] {
            assert!(is_name(name), "{name}");
        }
        let long = format!("{}.example", "a".repeat(64));
        for name in [
            "",
            "localhost",
            "*.example.org",
            "a..example",
            ".example",
            "example.",
            "-a.example",
            "a-.example",
            "A.example",
            "a b.example",
            "a/b.example",
            "10.0.0.1",
            "münchen.example",
            &long,
        ] {
            assert!(!is_name(name), "{name}");
        }
    }
}
