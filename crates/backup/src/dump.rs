//! Backups of a database server by its own tools: a dump of one moment, in parts, compressed and sealed. What
//! comes back is dumped once more: the same bytes are the same rows.

use crate::error::{BackupError, Result};
use crate::manifest::{self, Dump, Manifest};
use crate::place;
use crate::sealed;
use crate::snapshot::{LEVEL, PART_BYTES};
use crate::target::Target;
use crate::tool::{Server, failed, missing};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha2::{Digest as _, Sha256};
use std::process::Stdio;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Child;

/// Makes a copy of a server's database as it is at one moment, while it is written to.
///
/// # Errors
/// When the tool is not there or fails, or when the target refuses.
pub async fn create(target: &Target, server: &Server, at: i64) -> Result<Manifest> {
    let id = place::id(at);
    let tool = server.version().await?;
    let mut parts = Vec::new();
    let written = each_part(server, async |bytes| {
        let part = tokio::task::spawn_blocking(move || zstd::encode_all(bytes.as_slice(), LEVEL)).await??;
        let sealed = target.put(&place::part(&id, parts.len()), part).await?;
        parts.push(sealed::sum_of(&sealed));
        Ok(())
    })
    .await;
    let (bytes, digest) = match written {
        Ok(written) => written,
        Err(error) => {
            let names: Vec<String> = (0..parts.len()).map(|number| place::part(&id, number)).collect();
            target.delete(&names).await?;
            return Err(error);
        }
    };
    let dump = Some(Dump { engine: server.name().to_owned(), tool, digest });
    let manifest =
        Manifest { version: 2, id, at, bytes, page_bytes: 0, parts, tables: Vec::new(), place: None, dump };
    manifest.write(target).await?;
    Ok(manifest)
}

/// One copy, or the newest of this kind of server.
///
/// # Errors
/// When there is none, or it is of another engine.
pub async fn choose(target: &Target, server: &Server, copy: Option<&str>) -> Result<Manifest> {
    let is_its =
        |manifest: &Manifest| manifest.dump.as_ref().is_some_and(|dump| dump.engine == server.name());
    if let Some(copy) = copy {
        let manifest = Manifest::read(target, copy).await?;
        return if is_its(&manifest) {
            Ok(manifest)
        } else {
            Err(BackupError::NotFound(format!("{copy} is a copy of another kind of database")))
        };
    }
    let mut newest: Option<Manifest> = None;
    for (_, manifest) in manifest::all(target).await? {
        // a damaged manifest might be the one that is wanted: no other is taken silently
        let manifest = manifest?;
        if is_its(&manifest) && newest.as_ref().is_none_or(|newest| newest.at < manifest.at) {
            newest = Some(manifest);
        }
    }
    newest.ok_or_else(|| BackupError::NotFound("no copy of such a database is at the target".to_owned()))
}

/// Puts a copy into an empty database, and compares what stands there with what was copied.
///
/// # Errors
/// When the database is not empty, when anything is damaged, or what stands there differs.
pub async fn restore(target: &Target, manifest: &Manifest, into: &Server) -> Result<()> {
    let dump = manifest.dump.as_ref().filter(|dump| dump.engine == into.name());
    let Some(dump) = dump else {
        return Err(BackupError::NotFound(format!("{} is a copy of another kind of database", manifest.id)));
    };
    if into.tables().await? > 0 {
        return Err(BackupError::Exists(into.database().into()));
    }
    load(target, manifest, into).await?;
    let (_, digest) = each_part(into, async |_| Ok(())).await?;
    if digest == dump.digest {
        return Ok(());
    }
    Err(BackupError::damaged(&manifest.id, "what was restored is not what was copied"))
}

/// Restores a copy to a database of its own on the same server, which is taken away again.
///
/// # Errors
/// As [`restore`]; when the account may make no database.
pub async fn verify(target: &Target, manifest: &Manifest, server: &Server, at: i64) -> Result<()> {
    let name = format!("backstay_verify_{}", place::id(at).to_lowercase().replace('.', "_"));
    let beside = server.beside(&name);
    beside.make().await?;
    let verified = restore(target, manifest, &beside).await;
    beside.drop().await.and(verified)
}

/// Dumps a database: its bytes in parts, how many, and their digest.
async fn each_part(
    server: &Server,
    mut take: impl AsyncFnMut(Vec<u8>) -> Result<()>,
) -> Result<(u64, String)> {
    let mut command = server.dump().await?;
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| missing(&command, error))?;
    let mut output = child.stdout.take().ok_or_else(|| std::io::Error::other("a tool without output"))?;
    let words = words(&mut child);
    let (mut hash, mut count) = (Sha256::new(), 0);
    loop {
        let part = filled(&mut output).await?;
        if part.is_empty() {
            break;
        }
        hash.update(&part);
        count += part.len() as u64;
        take(part).await?;
    }
    let (status, words) = (child.wait().await?, words.await?);
    if !status.success() {
        return Err(failed(&command, &words));
    }
    Ok((count, STANDARD_NO_PAD.encode(hash.finalize())))
}

/// As many bytes as a part has, fewer at the end.
async fn filled(from: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(PART_BYTES as u64).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

/// What a tool complains of, read while it works.
fn words(child: &mut Child) -> tokio::task::JoinHandle<Vec<u8>> {
    const MOST: u64 = 16 << 10;
    let complaints = child.stderr.take();
    tokio::spawn(async move {
        let mut words = Vec::new();
        if let Some(mut complaints) = complaints {
            // what is beyond is read, too: a full pipe would stop the tool
            let _ = (&mut complaints).take(MOST).read_to_end(&mut words).await;
            let _ = tokio::io::copy(&mut complaints, &mut tokio::io::sink()).await;
        }
        words
    })
}

/// Gives the parts of a copy to the tool that reads them.
async fn load(target: &Target, manifest: &Manifest, into: &Server) -> Result<()> {
    let mut command = into.load();
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| missing(&command, error))?;
    let input = child.stdin.take().ok_or_else(|| std::io::Error::other("a tool without input"))?;
    let words = words(&mut child);
    let fed = feed(target, manifest, input).await;
    if matches!(fed, Err(BackupError::Damaged { .. } | BackupError::Target(_))) {
        // the tool must not take the end of its input for the end of the dump
        child.kill().await?;
        return fed;
    }
    let (status, words) = (child.wait().await?, words.await?);
    // a tool that ended early tells why
    if status.success() { fed } else { Err(failed(&command, &words)) }
}

async fn feed(target: &Target, manifest: &Manifest, mut input: tokio::process::ChildStdin) -> Result<()> {
    let mut count = 0;
    for (number, sum) in manifest.parts.iter().enumerate() {
        let name = place::part(&manifest.id, number);
        let object = target.get(&name).await?;
        if sealed::sum_of(&object) != *sum {
            return Err(BackupError::damaged(&name, "it is not the part that its manifest names"));
        }
        let bytes = tokio::task::spawn_blocking(move || -> Result<Vec<u8>> {
            zstd::decode_all(sealed::open(&name, &object)?)
                .map_err(|error| BackupError::damaged(&name, error.to_string()))
        })
        .await??;
        count += bytes.len() as u64;
        input.write_all(&bytes).await?;
    }
    if count != manifest.bytes {
        return Err(BackupError::damaged(&manifest.id, "its parts are not as long as the dump was"));
    }
    input.shutdown().await?;
    Ok(())
}
