//! [`Target`]: where backups go: a folder (`file:…`) or a bucket (`s3://…`), by names.

use crate::error::{BackupError, Result};
use crate::sealed;
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Name;
use object_store::{ObjectStore, ObjectStoreExt as _};
use std::path::Path;
use std::sync::Arc;
use url::Url;

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
            Some(("s3", _)) => {
                // once for the process; a second call finds it there
                let _ = rustls::crypto::ring::default_provider().install_default();
                let url =
                    Url::parse(url).map_err(|error| BackupError::Url(format!("the backup URL: {error}")))?;
                let options = variables.iter().map(|(name, value)| (name.as_str(), value.as_str()));
                let (store, base) = object_store::parse_url_opts(&url, options)?;
                Ok(Self { store: Arc::from(store), base })
            }
            Some((scheme, _)) => {
                Err(BackupError::Url(format!("backups go to file: or s3:// URLs, not {scheme}:")))
            }
            None => Err(BackupError::Url("the URL of a backup target begins with file: or s3://".to_owned())),
        }
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

    /// Removes an object.
    ///
    /// # Errors
    /// When the target refuses.
    pub async fn delete(&self, name: &str) -> Result<()> {
        Ok(self.store.delete(&self.name(name)).await?)
    }
}
