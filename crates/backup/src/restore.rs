//! A backup becomes a database file again, at a new place: the copy, then the commits of its
//! chain up to a moment. Everything is checked before the file gets its name.

use crate::copy;
use crate::error::{BackupError, Result};
use crate::manifest::{self, Manifest, Table};
use crate::place::{self, CHAINS, Place};
use crate::sealed;
use crate::segment::Segment;
use crate::target::Target;
use crate::wal::{FRAME_HEAD_BYTES, FrameHead};
use std::fs::{File, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
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
}

/// Restores to a file that is not there yet.
///
/// # Errors
/// When the file is there, when nothing at the target is of that time, or anything is damaged.
pub async fn restore(target: &Target, wanted: &Wanted, to: &Path) -> Result<Restored> {
    if to.exists() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    let source = chosen(target, wanted).await?;
    let partial = beside(to);
    match build(target, source, &partial).await {
        Ok(restored) => {
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

/// Reads a copy and all that follows it, as a restore would, and keeps nothing.
///
/// # Errors
/// When anything is damaged or missing.
pub async fn verify(target: &Target, wanted: &Wanted) -> Result<Restored> {
    let folder = tempfile::tempdir()?;
    restore(target, wanted, &folder.path().join("verified.db")).await
}

fn beside(to: &Path) -> PathBuf {
    let mut name = to.as_os_str().to_owned();
    name.push(".restoring");
    PathBuf::from(name)
}

/// A copy, and the commits after it that are wanted.
struct Source {
    manifest: Manifest,
    segments: Vec<Segment>,
    commits: u64,
    /// Frames of the chain up to and with the last commit.
    end: u64,
    at: i64,
}

async fn chosen(target: &Target, wanted: &Wanted) -> Result<Source> {
    let latest = match wanted {
        Wanted::Copy(id) => {
            let manifest = Manifest::read(target, id).await?;
            return if manifest.dump.is_none() {
                Ok(Source::alone(manifest))
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
    let followed = match followed {
        Some(manifest) => Some(Source::followed(target, manifest, latest).await?),
        None => None,
    };
    // a copy of its own that is newer than the end of the chain has at least as much
    let alone = alone.map(Source::alone);
    let newer = match (followed, alone) {
        (Some(followed), Some(alone)) if alone.at > followed.at => Some(alone),
        (Some(followed), _) => Some(followed),
        (None, alone) => alone,
    };
    newer.ok_or_else(|| BackupError::NotFound("no backup at the target is as old as that".to_owned()))
}

impl Source {
    const fn alone(manifest: Manifest) -> Self {
        let at = manifest.at;
        Self { manifest, segments: Vec::new(), commits: 0, end: 0, at }
    }

    async fn followed(target: &Target, manifest: Manifest, latest: i64) -> Result<Self> {
        let Some(place) = manifest.place.clone() else { return Ok(Self::alone(manifest)) };
        let segments = following(target, &place).await?;
        let Some((commits, end, at)) = cut(&segments, &place, latest) else {
            return Ok(Self::alone(manifest));
        };
        Ok(Self { manifest, segments, commits, end, at })
    }
}

async fn build(target: &Target, source: Source, to: &Path) -> Result<Restored> {
    let Source { manifest, segments, commits, end, at } = source;
    parts(target, &manifest, to).await?;
    let mut tables = checked(manifest.id.clone(), to.to_owned()).await?;
    if tables != manifest.tables {
        return Err(BackupError::damaged(&manifest.id, "its rows are not those that were copied"));
    }
    if commits > 0 {
        let (page_bytes, file) = (manifest.page_bytes, to.to_owned());
        tokio::task::spawn_blocking(move || apply(&file, page_bytes, &segments, end)).await??;
        tables = checked(manifest.id.clone(), to.to_owned()).await?;
    }
    Ok(Restored { copy: manifest.id, commits, at, tables })
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

/// The segments that follow a place, each the one after the other.
async fn following(target: &Target, place: &Place) -> Result<Vec<Segment>> {
    let mut found: Vec<Segment> = Vec::new();
    let mut previous: Option<(u64, String)> = None;
    for name in target.list(&[CHAINS, &place.chain].join("/")).await? {
        let object = target.get(&name).await?;
        let segment = Segment::decode(&name, &object)?;
        let head = &segment.head;
        if head.chain != place.chain || name != place::segment(&head.chain, head.sequence) {
            return Err(BackupError::damaged(&name, "it is a segment of another place"));
        }
        if let Some((sequence, sum)) = &previous
            && (head.sequence != sequence + 1 || head.previous != *sum)
        {
            return Err(BackupError::damaged(&name, "it does not follow the segment before it"));
        }
        previous = Some((head.sequence, sealed::sum_of(&object)));
        if head.to() > place.frames {
            if found.is_empty() && head.from > place.frames {
                return Err(BackupError::damaged(&name, "segments before it are missing"));
            }
            found.push(segment);
        }
    }
    Ok(found)
}

/// How many commits follow a place until a time, with the frames up to the last and its time.
fn cut(segments: &[Segment], place: &Place, latest: i64) -> Option<(u64, u64, i64)> {
    let commits = segments.iter().flat_map(|segment| &segment.head.commits);
    let within = commits.filter(|(frames, _)| *frames > place.frames).take_while(|(_, at)| *at <= latest);
    within.fold(None, |before, (frames, at)| Some((before.map_or(1, |(count, ..)| count + 1), *frames, *at)))
}

/// Writes the pages of all frames up to a place into the file.
fn apply(path: &Path, page_bytes: u32, segments: &[Segment], end: u64) -> Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    let mut pages = None;
    for segment in segments {
        if segment.head.page_bytes != page_bytes {
            return Err(BackupError::damaged(&segment.head.chain, "its pages have another size"));
        }
        let frames = segment.frames.chunks_exact(FRAME_HEAD_BYTES + page_bytes as usize);
        for (frame, _) in frames.zip(segment.head.from..end) {
            let head = FrameHead::read(frame);
            let (_, page) = frame.split_at(FRAME_HEAD_BYTES);
            let number =
                head.page.checked_sub(1).ok_or_else(|| BackupError::damaged("a frame", "it has no page"))?;
            file.seek(SeekFrom::Start(u64::from(number) * u64::from(page_bytes)))?;
            file.write_all(page)?;
            if head.pages_after > 0 {
                pages = Some(head.pages_after);
            }
        }
    }
    if let Some(pages) = pages {
        file.set_len(u64::from(pages) * u64::from(page_bytes))?;
    }
    file.sync_all()?;
    Ok(())
}
