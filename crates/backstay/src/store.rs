//! Which database a URL names: the one place where an engine is chosen. The URL is a
//! secret; no message repeats it.

use crate::config;
use anyhow::{Context as _, Result, bail};
use backstay_base::limit::Limits;
use backstay_base::secret::Secret;
use backstay_engine::Engine;
use backstay_engine_mysql::MySql;
use backstay_engine_postgres::Postgres;
use backstay_engine_sqlite::Sqlite;
use backstay_engine_sqlite::commit_log::CommitLog;
use backstay_sql::dialect::{Dialect, named};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A database that a URL names.
pub struct Store {
    /// Its engine.
    pub engine: Arc<dyn Engine>,
    /// Its dialect.
    pub dialect: &'static Dialect,
}

impl Store {
    /// Opens the database of a project, with its replicas.
    ///
    /// # Errors
    /// As [`Store::open`]; when replicas are given of a database that is not PostgreSQL.
    pub fn of(settings: &config::Store, folder: &Path, limits: &Limits) -> Result<Self> {
        let config::Store { url, replicas } = settings;
        if replicas.is_empty() {
            return Self::open(url, folder, limits);
        }
        if !url.starts_with("postgres") {
            bail!("`replicas` are for postgres:// stores");
        }
        let replicas: Vec<Secret<String>> = replicas.iter().cloned().map(Secret::new).collect();
        let engine = Postgres::with_replicas(&Secret::new(url.clone()), &replicas, limits)?;
        let dialect = named(engine.name()).context("an engine without a dialect")?;
        Ok(Self { engine: Arc::new(engine), dialect })
    }

    /// Opens a database; makes the file of a SQLite one. A server need not be up.
    ///
    /// # Errors
    /// When no engine serves such a URL, when it is wrong, or when the file cannot be opened.
    pub fn open(url: &str, folder: &Path, limits: &Limits) -> Result<Self> {
        let engine: Arc<dyn Engine> = match url.split_once(':') {
            Some(("sqlite", _)) => Arc::new(open_file(url, folder, limits)?),
            Some(("postgres" | "postgresql", _)) => {
                Arc::new(Postgres::new(&Secret::new(url.to_owned()), limits)?)
            }
            Some(("mysql" | "mariadb", _)) => Arc::new(MySql::connect(&Secret::new(url.to_owned()), limits)?),
            Some((scheme, _)) => {
                bail!("no engine serves {scheme}: URLs; a store is sqlite:, postgres:// or mysql://")
            }
            None => bail!("the URL of a store begins with sqlite:, postgres:// or mysql://"),
        };
        let dialect = named(engine.name()).context("an engine without a dialect")?;
        Ok(Self { engine, dialect })
    }
}

/// The dialect that a URL asks for; none where no engine serves it.
pub fn dialect_of(url: &str) -> Option<&'static Dialect> {
    match url.split_once(':')?.0 {
        "sqlite" => named("sqlite"),
        "postgres" | "postgresql" => named("postgres"),
        "mysql" | "mariadb" => named("mysql"),
        _ => None,
    }
}

/// The file of a SQLite store; none of another one.
pub fn file_of(url: &str, folder: &Path) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite:")?;
    Some(folder.join(path.strip_prefix("//").unwrap_or(path)))
}

/// Opens a SQLite store whose commits are told to a log.
///
/// # Errors
/// When the file cannot be opened.
pub fn open_shipped(path: &Path, limits: &Limits, log: Arc<CommitLog>) -> Result<Store> {
    make_folder_of(path)?;
    let engine = Arc::new(Sqlite::open_shipped(path, limits, log)?);
    let dialect = named(engine.name()).context("an engine without a dialect")?;
    Ok(Store { engine, dialect })
}

fn open_file(url: &str, folder: &Path, limits: &Limits) -> Result<Sqlite> {
    let path = file_of(url, folder).context("no file")?;
    make_folder_of(&path)?;
    Ok(Sqlite::open(&path, limits)?)
}

fn make_folder_of(path: &Path) -> Result<()> {
    let Some(parent) = path.parent() else { return Ok(()) };
    std::fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))
}
