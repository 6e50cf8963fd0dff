//! What is older than it is kept for goes: copies, and the segments that no kept copy needs.

use crate::chain::Chain;
use crate::error::{BackupError, Result};
use crate::manifest::{self, Manifest};
use crate::place::{self, COPIES, NOTES};
use crate::target::Target;

/// Removes what is not needed to restore any moment after `oldest`, in microseconds since 1970.
/// How many objects went.
///
/// # Errors
/// When the target refuses, or something in its way is damaged: nothing is removed then.
pub async fn prune(target: &Target, oldest: i64) -> Result<usize> {
    let mut copies = Vec::new();
    for (id, manifest) in manifest::all(target).await? {
        copies.push((id, manifest?));
    }
    // the newest copy that is older than that is where a restore to that moment begins
    let first = copies.iter().rposition(|(_, manifest)| manifest.at <= oldest).unwrap_or(0);
    let (gone, kept) = copies.split_at(first);
    let mut removed = 0;
    for (id, _) in gone {
        let names = target.list(&[COPIES, id].join("/")).await?;
        // the manifest first: a copy without it counts as never finished
        let (manifest, parts): (Vec<String>, Vec<String>) =
            names.into_iter().partition(|name| name.ends_with("/manifest"));
        target.delete(&manifest).await?;
        target.delete(&parts).await?;
        removed += manifest.len() + parts.len();
    }
    for chain in Chain::all(target).await? {
        let places = kept.iter().filter_map(|(_, manifest)| manifest.place.as_ref());
        let oldest = places.filter(|place| place.chain == chain.name()).map(|place| place.frames).min();
        let gone = match oldest {
            Some(frames) => needless(target, &chain, frames).await?,
            None => chain.names(),
        };
        target.delete(gone).await?;
        removed += gone.len();
    }
    // a note of nothing would say that all of it is missing
    let gone: Vec<String> =
        target.list(NOTES).await?.into_iter().filter(|name| is_needless(name, kept)).collect();
    target.delete(&gone).await?;
    Ok(removed + gone.len())
}

/// Whether no kept copy stands in the chain of a note, and a later one does.
fn is_needless(note: &str, kept: &[(String, Manifest)]) -> bool {
    let chains = || {
        kept.iter().filter_map(|(_, manifest)| manifest.place.as_ref()).map(|place| place::note(&place.chain))
    };
    chains().all(|chain| chain != *note) && chains().any(|chain| *chain > *note)
}

/// The segments before a place. The last one of a chain stays: whoever goes on with the chain begins there.
async fn needless<'c>(target: &Target, chain: &'c Chain<'_>, frames: u64) -> Result<&'c [String]> {
    let first = chain.first_beyond(frames).await?.min(chain.names().len().saturating_sub(1));
    let (gone, kept) = chain.names().split_at(first);
    if let (Some(_), Some(name)) = (gone.last(), kept.first()) {
        // its seal proves that those before it reach no further than the place
        let (segment, _) = chain.read(name, &target.get(name).await?)?;
        if segment.head.from > frames {
            return Err(BackupError::damaged(name, "segments before it are missing"));
        }
    }
    Ok(gone)
}
