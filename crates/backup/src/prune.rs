//! What is older than it is kept for goes: copies, and the segments that no kept copy needs.

use crate::error::Result;
use crate::manifest;
use crate::place::{CHAINS, COPIES};
use crate::segment::Segment;
use crate::target::Target;

/// Removes what is not needed to restore any moment after `oldest`, in microseconds since 1970.
/// How many objects went.
///
/// # Errors
/// When the target refuses, or something in its way is damaged: nothing is removed then.
pub async fn prune(target: &Target, oldest: i64) -> Result<u64> {
    let mut copies = Vec::new();
    for (id, manifest) in manifest::all(target).await? {
        copies.push((id, manifest?));
    }
    // the newest copy that is older than that is where a restore to that moment begins
    let first = copies.iter().rposition(|(_, manifest)| manifest.at <= oldest).unwrap_or(0);
    let (gone, kept) = copies.split_at(first);
    let mut removed = 0;
    for (id, _) in gone {
        let mut names = target.list(&[COPIES, id].join("/")).await?;
        // the manifest first: a copy without it counts as never finished
        names.sort_by_key(|name| !name.ends_with("/manifest"));
        for name in names {
            target.delete(&name).await?;
            removed += 1;
        }
    }
    for name in target.list(CHAINS).await? {
        let object = target.get(&name).await?;
        let head = Segment::decode(&name, &object)?.head;
        let places = kept.iter().filter_map(|(_, manifest)| manifest.place.as_ref());
        let is_needed =
            places.filter(|place| place.chain == head.chain).any(|place| head.to() > place.frames);
        if !is_needed {
            target.delete(&name).await?;
            removed += 1;
        }
    }
    Ok(removed)
}
