//! A copy goes to the target: in parts, compressed and sealed, the manifest last.

use crate::copy;
use crate::error::Result;
use crate::manifest::Manifest;
use crate::place::{self, Place};
use crate::sealed;
use crate::target::Target;
use rusqlite::Connection;
use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::{Path, PathBuf};

/// Bytes of a part before it is compressed.
pub(crate) const PART_BYTES: usize = 16 << 20;

/// How hard parts are compressed: zstd's own default.
pub(crate) const LEVEL: i32 = 3;

/// Makes a copy of a database as it is now, whether a server writes to it or not.
///
/// # Errors
/// When it cannot be read, when there is no room for the copy, or when the target refuses.
pub async fn create(target: &Target, database: &Path, at: i64) -> Result<Manifest> {
    let database = database.to_owned();
    let source = tokio::task::spawn_blocking({
        let database = database.clone();
        move || copy::moment(&database)
    });
    write(target, database, source.await??, (at, None)).await
}

/// Writes what a connection sees, at a moment and a place of a chain.
///
/// # Errors
/// As [`create`].
pub async fn write(
    target: &Target,
    database: PathBuf,
    source: Connection,
    (at, place): (i64, Option<Place>),
) -> Result<Manifest> {
    // beside the database: there is room for it, or the copy says so before anything is sent
    let beside = database.parent().map(Path::to_path_buf).unwrap_or_default();
    let (file, tables) = tokio::task::spawn_blocking(move || -> Result<_> {
        let file = tempfile::Builder::new().prefix("copy-").suffix(".db").tempfile_in(beside)?;
        copy::write(&source, file.path())?;
        drop(source);
        copy::check("the copy", file.path())?;
        let tables = copy::tables(file.path())?;
        Ok((file, tables))
    })
    .await??;
    let id = place::id(at);
    let mut opened = file.reopen()?;
    let bytes = opened.metadata()?.len();
    let mut parts = Vec::new();
    opened.rewind()?;
    loop {
        let (next, part) = tokio::task::spawn_blocking(move || part(opened)).await??;
        opened = next;
        let Some(part) = part else { break };
        let sealed = target.put(&place::part(&id, parts.len()), part).await?;
        parts.push(sealed::sum_of(&sealed));
    }
    let page_bytes = page_bytes(file.path())?;
    let manifest = Manifest { version: 1, id, at, bytes, page_bytes, parts, tables, place, dump: None };
    manifest.write(target).await?;
    Ok(manifest)
}

/// The next part of a file, compressed.
fn part(mut file: File) -> Result<(File, Option<Vec<u8>>)> {
    let mut bytes = Vec::with_capacity(PART_BYTES);
    (&mut file).take(PART_BYTES as u64).read_to_end(&mut bytes)?;
    let part = if bytes.is_empty() { None } else { Some(zstd::encode_all(bytes.as_slice(), LEVEL)?) };
    Ok((file, part))
}

fn page_bytes(file: &Path) -> Result<u32> {
    let connection = Connection::open(file)?;
    Ok(connection.query_row("PRAGMA page_size", (), |row| row.get(0))?)
}
