//! [`Target`]: where backups go: a folder (`file:…`) or a bucket (`s3://…`), by names.

use crate::error::{BackupError, Result};
use crate::sealed;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Name;
use object_store::{
    BackoffConfig, ClientOptions, ObjectStore, ObjectStoreExt as _, ObjectStoreScheme, RetryConfig,
};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a request may take with its body: a part of 16 MiB needs three megabits a second.
const REQUEST: Duration = Duration::from_secs(45);
/// After which time nothing is asked a second time: who ships commits wants to know, and asks anew.
const RETRY: Duration = Duration::from_secs(10);
/// How often the same is asked again.
const RETRIES: usize = 3;

/// A place for objects.
#[derive(Debug, Clone)]
pub struct Target {
    store: Arc<dyn ObjectStore>,
    base: Name,
}

impl Target {
    /// Opens it: `file:` and a folder relative to `folder`, which is made, or `s3://bucket/prefix`
    /// with the usual `AWS_…` variables among `variables`.
    ///
    /// # Errors
    /// When the URL names nothing that backups can go to.
    pub fn open(url: &str, folder: &Path, variables: &[(String, String)]) -> Result<Self> {
        match url.split_once(':') {
            Some(("file", path)) => {
                let path = folder.join(path.strip_prefix("//").unwrap_or(path));
                std::fs::create_dir_all(&path)?;
                let store = LocalFileSystem::new_with_prefix(path)?.with_fsync(true);
                Ok(Self { store: Arc::new(store), base: Name::default() })
            }
            Some(("s3", _)) => Self::bucket(url, variables),
            Some((scheme, _)) => {
                Err(BackupError::Url(format!("backups go to file: or s3:// URLs, not {scheme}:")))
            }
            None => Err(BackupError::Url("the URL of a backup target begins with file: or s3://".to_owned())),
        }
    }

    fn bucket(url: &str, variables: &[(String, String)]) -> Result<Self> {
        // once for the process; a second call finds it there
        let _ = rustls::crypto::ring::default_provider().install_default();
        let url = Url::parse(url).map_err(|error| BackupError::Url(format!("the backup URL: {error}")))?;
        let (_, base) = ObjectStoreScheme::parse(&url).map_err(object_store::Error::from)?;
        let backoff = BackoffConfig { max_backoff: Duration::from_secs(2), ..BackoffConfig::default() };
        let client = ClientOptions::new().with_timeout(REQUEST).with_connect_timeout(CONNECT);
        let builder = AmazonS3Builder::new()
            .with_url(url.as_str())
            .with_client_options(client)
            .with_retry(RetryConfig { backoff, max_retries: RETRIES, retry_timeout: RETRY });
        // variables that mean something to other programs alone are passed over
        let known = variables.iter().filter_map(|(name, value)| {
            let key = name.to_ascii_lowercase().parse().ok()?;
            Some((key, value))
        });
        let store = known.fold(builder, |builder, (key, value)| builder.with_config(key, value)).build()?;
        Ok(Self { store: Arc::new(store), base })
    }

    fn name(&self, name: &str) -> Name {
        name.split('/').fold(self.base.clone(), |path, part| path.join(part))
    }

    /// Seals bytes and writes them under a name. The sealed bytes.
    ///
    /// # Errors
    /// When the target refuses.
    pub async fn put(&self, name: &str, bytes: Vec<u8>) -> Result<Bytes> {
        let sealed = Bytes::from(sealed::seal(bytes));
        self.store.put(&self.name(name), sealed.clone().into()).await?;
        Ok(sealed)
    }

    /// The sealed bytes under a name, as they are: [`sealed::open`] says whether they are whole.
    ///
    /// # Errors
    /// When there are none.
    pub async fn get(&self, name: &str) -> Result<Bytes> {
        Ok(self.store.get(&self.name(name)).await?.bytes().await?)
    }

    /// Whether there is something under a name.
    ///
    /// # Errors
    /// When the target does not say.
    pub async fn has(&self, name: &str) -> Result<bool> {
        match self.store.head(&self.name(name)).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The first bytes under a name, fewer where there are no more; nothing says whether they are whole.
    ///
    /// # Errors
    /// When there are none.
    pub async fn start(&self, name: &str, bytes: u64) -> Result<Bytes> {
        Ok(self.store.get_range(&self.name(name), 0..bytes).await?)
    }

    /// All names below a prefix, sorted.
    ///
    /// # Errors
    /// When the target refuses.
    pub async fn list(&self, prefix: &str) -> Result<Vec<String>> {
        let base = self.base.as_ref();
        let found: Vec<_> = self.store.list(Some(&self.name(prefix))).try_collect().await?;
        let own = |name: &str| name.strip_prefix(base).unwrap_or(name).trim_start_matches('/').to_owned();
        let mut names: Vec<String> = found.iter().map(|object| own(object.location.as_ref())).collect();
        names.sort();
        Ok(names)
    }

    /// Removes objects, many with one request where the target can.
    ///
    /// # Errors
    /// When the target refuses; some may be gone then.
    pub async fn delete(&self, names: &[String]) -> Result<()> {
        let names: Vec<_> = names.iter().map(|name| Ok(self.name(name))).collect();
        self.store.delete_stream(stream::iter(names).boxed()).try_for_each(|_| async { Ok(()) }).await?;
        Ok(())
    }
}
