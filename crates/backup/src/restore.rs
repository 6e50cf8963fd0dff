//! A backup becomes a database file again, at a new place: the copy, then the commits of its
//! chain up to a moment. Everything is checked before the file gets its name.

use crate::chain::Chain;
use crate::copy;
use crate::error::{BackupError, Result};
use crate::manifest::{self, Manifest, Table};
use crate::missing::Missing;
use crate::place::{self, Place};
use crate::replay::{Reading, Replay};
use crate::sealed;
use crate::target::Target;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Everything that is at the target.
    Newest,
    /// As it was at a time in microseconds since 1970: every commit until then, none after.
    At(i64),
    /// One copy, by its name.
    Copy(String),
}

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The copy that it began with.
    pub copy: String,
    /// Commits after it.
    pub commits: u64,
    /// The last commit, or the moment of the copy, in microseconds since 1970.
    pub at: i64,
    /// Tables and rows of the restored file.
    pub tables: Vec<Table>,
    /// Until when commits were shipped that would belong to it and are not at the target any more.
    pub missing: Option<i64>,
}

/// Restores to a file that is not there yet.
///
/// # Errors
/// When the file is there, when nothing at the target is of that time, or anything is damaged.
pub async fn restore(target: &Target, wanted: &Wanted, to: &Path) -> Result<Restored> {
    restore_reading(target, wanted, Reading::Needed, to).await
}

async fn restore_reading(target: &Target, wanted: &Wanted, reading: Reading, to: &Path) -> Result<Restored> {
    is_new_place(to)?;
    let source = chosen(target, wanted).await?;
    let partial = beside(to, ".restoring");
    // another restore may be under way, or one died
    is_new_place(&partial)?;
    match build(target, source, reading, &partial).await {
        Ok(restored) => {
            is_new_place(to)?;
            std::fs::rename(&partial, to)?;
            if let Some(folder) = to.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                File::open(folder)?.sync_all()?;
            }
            Ok(restored)
        }
        Err(error) => {
            if partial.exists() {
                std::fs::remove_file(&partial)?;
            }
            Err(error)
        }
    }
}

/// Reads a copy and the whole chain that it stands in, as a restore would, and keeps nothing.
///
/// # Errors
/// When anything is damaged or missing.
pub async fn verify(target: &Target, wanted: &Wanted) -> Result<Restored> {
    let folder = tempfile::tempdir()?;
    let restored =
        restore_reading(target, wanted, Reading::Whole, &folder.path().join("verified.db")).await?;
    match restored.missing {
        Some(until) => {
            let (until, at) = (place::time(until), place::time(restored.at));
            Err(BackupError::Lost(format!("what was committed after {at} and until {until}")))
        }
        None => Ok(restored),
    }
}

/// Refuses a file that is there, and what a database that was there left: SQLite would take its log for that of the
/// restored file, and write pages of the one into the other.
fn is_new_place(to: &Path) -> Result<()> {
    let left = ["", "-wal", "-shm", "-journal"].map(|end| beside(to, end));
    // a link that leads nowhere is there, too
    match left.into_iter().find(|file| file.symlink_metadata().is_ok()) {
        Some(there) => Err(BackupError::Exists(there)),
        None => Ok(()),
    }
}

fn beside(to: &Path, end: &str) -> PathBuf {
    let mut name = to.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// A copy, and the commits after it that are wanted.
struct Source {
    manifest: Manifest,
    /// Where in a chain the commits after it begin.
    after: Option<Place>,
    /// The time up to which they are wanted; none where the copy alone is.
    latest: Option<i64>,
}

async fn chosen(target: &Target, wanted: &Wanted) -> Result<Source> {
    let latest = match wanted {
        Wanted::Copy(id) => {
            let manifest = Manifest::read(target, id).await?;
            return if manifest.dump.is_none() {
                Ok(Source { manifest, after: None, latest: None })
            } else {
                Err(BackupError::NotFound(format!("{id} is a copy of another kind of database")))
            };
        }
        Wanted::At(micros) => *micros,
        Wanted::Newest => i64::MAX,
    };
    let (mut alone, mut followed): (Option<Manifest>, Option<Manifest>) = (None, None);
    for (_, manifest) in manifest::all(target).await? {
        // a damaged manifest might be the one that is wanted: no other is taken silently
        let manifest = manifest?;
        if manifest.dump.is_some() {
            continue;
        }
        let best = if manifest.place.is_some() { &mut followed } else { &mut alone };
        if manifest.at <= latest && best.as_ref().is_none_or(|best| best.at < manifest.at) {
            *best = Some(manifest);
        }
    }
    let chosen = match (followed, alone) {
        (Some(followed), Some(alone)) if is_newer(target, &alone, &followed).await? => {
            Source { manifest: alone, after: None, latest: Some(latest) }
        }
        (Some(manifest), _) => Source { after: manifest.place.clone(), manifest, latest: Some(latest) },
        (None, Some(alone)) => Source { manifest: alone, after: None, latest: Some(latest) },
        (None, None) => {
            return Err(BackupError::NotFound("no backup at the target is as old as that".to_owned()));
        }
    };
    Ok(chosen)
}

/// Whether a copy of its own has at least as much as another one with all commits that follow it.
async fn is_newer(target: &Target, alone: &Manifest, followed: &Manifest) -> Result<bool> {
    let Some(place) = followed.place.as_ref().filter(|_| alone.at > followed.at) else {
        return Ok(alone.at > followed.at);
    };
    let last = Chain::of(target, &place.chain).await?.last().await?;
    let end = last.and_then(|(segment, _)| segment.head.commits.last().map(|(_, at)| *at));
    Ok(end.is_none_or(|end| end < alone.at))
}

async fn build(target: &Target, source: Source, reading: Reading, to: &Path) -> Result<Restored> {
    let Source { manifest, after, latest } = source;
    parts(target, &manifest, to).await?;
    let tables = checked(manifest.id.clone(), to.to_owned()).await?;
    if tables != manifest.tables {
        return Err(BackupError::damaged(&manifest.id, "its rows are not those that were copied"));
    }
    let copied = Restored { copy: manifest.id.clone(), commits: 0, at: manifest.at, tables, missing: None };
    let Some(latest) = latest else { return Ok(copied) };
    let Some(place) = after else {
        let missing = Missing { target, latest, reading }.beyond(copied.at, None).await?;
        return Ok(Restored { missing, ..copied });
    };
    let chain = place.chain.clone();
    let replayed = Replay::new(to, manifest.page_bytes, place, latest)?.run(target, reading).await?;
    let at = if replayed.commits > 0 { replayed.at } else { copied.at };
    let missing = Missing { target, latest, reading }.beyond(at, Some((&chain, replayed))).await?;
    if replayed.commits == 0 {
        return Ok(Restored { missing, ..copied });
    }
    let tables = checked(manifest.id, to.to_owned()).await?;
    Ok(Restored { commits: replayed.commits, at, tables, missing, ..copied })
}

async fn checked(name: String, file: PathBuf) -> Result<Vec<Table>> {
    tokio::task::spawn_blocking(move || {
        copy::check(&name, &file)?;
        copy::tables(&file)
    })
    .await?
}

/// Writes the parts of a copy to a new file.
async fn parts(target: &Target, manifest: &Manifest, to: &Path) -> Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(to)?;
    for (number, sum) in manifest.parts.iter().enumerate() {
        let name = place::part(&manifest.id, number);
        let object = target.get(&name).await?;
        if sealed::sum_of(&object) != *sum {
            return Err(BackupError::damaged(&name, "it is not the part that its manifest names"));
        }
        file = tokio::task::spawn_blocking(move || -> Result<File> {
            let bytes = zstd::decode_all(sealed::open(&name, &object)?)
                .map_err(|error| BackupError::damaged(&name, error.to_string()))?;
            file.write_all(&bytes)?;
            Ok(file)
        })
        .await??;
    }
    if file.metadata()?.len() != manifest.bytes {
        return Err(BackupError::damaged(&manifest.id, "its parts are not as long as the database was"));
    }
    file.sync_all()?;
    Ok(())
}
