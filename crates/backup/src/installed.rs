//! [`Tools`]: which of PostgreSQL's tools are taken where several versions are installed. `pg_dump` reads servers as
//! old as one likes, but none that is newer than itself, so that the newest is the right one. Enters: the
//! places where packages put them. Leaves: a path. What the tools are asked, it does not know.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// The tool that says which version the others beside it are.
pub const PG_DUMP: &str = "pg_dump";

/// Folders whose name bears a version, and what follows it: those of Debian, of the project's own packages, and of Homebrew.
const FAMILIES: &[(&str, &str, &str)] = &[
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/usr/local/opt", "postgresql@", "bin"),
    ("/opt/homebrew/opt", "libpq", "bin"),
    ("/usr/local/opt", "libpq", "bin"),
];

/// Where the tools are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tools {
    /// `pg_dump`; none where none was found.
    pub pg_dump: Option<PathBuf>,
    /// Its version, by major and minor number.
    pub version: Version,
}

/// Major and minor number.
pub type Version = (u32, u32);

impl Tools {
    /// The one that somebody named.
    pub async fn named(pg_dump: &Path) -> Self {
        let version = version(pg_dump).await.unwrap_or_default();
        Self { pg_dump: Some(pg_dump.to_path_buf()), version }
    }

    /// The newest of those that are installed; of two alike the one on the search path.
    pub async fn newest(search_path: Option<&OsStr>) -> Self {
        let on_path = search_path.map(|path| std::env::split_paths(path).collect()).unwrap_or_default();
        Self::newest_of(on_path, FAMILIES).await
    }

    async fn newest_of(mut folders: Vec<PathBuf>, families: &[(&str, &str, &str)]) -> Self {
        folders.extend(families.iter().flat_map(|(folder, begins, end)| family(folder, begins, end)));
        let mut newest = Self::default();
        for folder in folders {
            let pg_dump = folder.join(PG_DUMP);
            if !pg_dump.is_file() {
                continue;
            }
            if let Some(version) = version(&pg_dump).await
                && (newest.pg_dump.is_none() || version > newest.version)
            {
                newest = Self { pg_dump: Some(pg_dump), version };
            }
        }
        newest
    }

    /// The program of this name: the one beside `pg_dump`, else the one on the search path.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        match &self.pg_dump {
            Some(pg_dump) if name == PG_DUMP => pg_dump.clone(),
            Some(pg_dump) => Some(pg_dump.with_file_name(name))
                .filter(|beside| beside.is_file())
                .unwrap_or_else(|| name.into()),
            None => name.into(),
        }
    }
}

/// `/usr/lib/postgresql/15/bin` and its like.
fn family(folder: &str, begins: &str, end: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut folders: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(begins))
        .map(|entry| entry.path().join(end))
        .collect();
    folders.sort();
    folders
}

/// `pg_dump (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`; none where it cannot be run.
async fn version(pg_dump: &Path) -> Option<Version> {
    let output = Command::new(pg_dump).arg("--version").kill_on_drop(true).output().await.ok()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let number = said.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let mut parts = number.split(|c: char| !c.is_ascii_digit()).map_while(|part| part.parse().ok());
    Some((parts.next()?, parts.next().unwrap_or(0)))
}

#[cfg(all(test, unix))]
mod tests {
    use super::Tools;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    #[expect(clippy::unwrap_used, reason = "a helper of tests fails loudly")]
    fn tool(folder: &Path, says: &str) {
        std::fs::create_dir_all(folder).unwrap();
        let path = folder.join("pg_dump");
        std::fs::write(&path, format!("#!/bin/sh\n{says}\n")).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[tokio::test]
    async fn the_newest_is_taken() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        tool(&at("path"), "echo 'pg_dump (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)'");
        tool(&at("lib/9.6/bin"), "echo 'pg_dump (PostgreSQL) 9.6.24'");
        tool(&at("lib/18/bin"), "echo 'pg_dump (PostgreSQL) 18beta1'");
        tool(&at("lib/20/bin"), "exit 1");
        tool(&at("lib/21/bin"), "echo 'no numbers'");
        std::fs::create_dir_all(at("lib/22")).unwrap();
        std::fs::write(at("lib/18/bin/psql"), "").unwrap();
        let lib = at("lib").to_str().unwrap().to_owned();

        let found = Tools::newest_of(vec![at("path"), at("nowhere")], &[(&lib, "", "bin")]).await;
        assert_eq!((found.pg_dump.as_deref(), found.version), (Some(&*at("lib/18/bin/pg_dump")), (18, 0)));
        assert_eq!(found.program("pg_dump"), at("lib/18/bin/pg_dump"));
        assert_eq!(found.program("psql"), at("lib/18/bin/psql"));
        assert_eq!(found.program("createdb"), Path::new("createdb"));

        let found = Tools::newest_of(vec![at("path")], &[(&lib, "9", "bin")]).await;
        assert_eq!((found.pg_dump, found.version), (Some(at("path/pg_dump")), (15, 14)));
        let none = Tools::newest_of(vec![at("nowhere")], &[]).await;
        assert_eq!((none.program("pg_dump"), none), (Path::new("pg_dump").to_owned(), Tools::default()));
        let named = Tools::named(&at("lib/9.6/bin/pg_dump")).await;
        assert_eq!(named.version, (9, 6));
    }
}
