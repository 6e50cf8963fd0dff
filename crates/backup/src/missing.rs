//! [`Missing`]: what notes say that was shipped, and what was restored does not have.

use crate::error::{BackupError, Result};
use crate::manifest;
use crate::note::Note;
use crate::place;
use crate::replay::{Reading, Replayed};
use crate::target::Target;

/// A look at the notes for what was wanted.
#[derive(Debug)]
pub(crate) struct Missing<'t> {
    pub(crate) target: &'t Target,
    /// The time up to which commits are wanted.
    pub(crate) latest: i64,
    pub(crate) reading: Reading,
}

impl Missing<'_> {
    /// Until when commits were shipped that belong to what is restored up to a time, from a chain or without one. A
    /// restore passes over notes that are damaged or gone: they hold nothing of the database.
    pub(crate) async fn beyond(&self, at: i64, chain: Option<(&str, Replayed)>) -> Result<Option<i64>> {
        let mut until = None;
        let mut own = None;
        for (_, note) in Note::all(self.target).await? {
            let note = match (note, self.reading) {
                (Ok(note), _) => note,
                (Err(_), Reading::Needed) => continue,
                (Err(error), Reading::Whole) => return Err(error),
            };
            if chain.is_some_and(|(chain, _)| chain == note.chain) {
                own = Some(note);
            } else if note.at > at && self.had_begun(&note.chain) && !self.has_copy(&note.chain).await? {
                // a later chain of which no copy is left, so that none was chosen
                until = until.max(Some(note.at));
            }
        }
        let Some((chain, Replayed { end: Some((end, is_noted)), .. })) = chain else { return Ok(until) };
        if let (Some(note), Reading::Whole) = (&own, self.reading) {
            // also where a copy has what it held: a moment before that copy needs it
            let last = place::segment(&note.chain, note.sequence);
            if !self.target.has(&last).await? {
                return Err(BackupError::Lost(last));
            }
        }
        match own {
            Some(note) if note.frames > end => Ok(until.max(Some(note.at))),
            None if is_noted && self.reading == Reading::Whole => Err(BackupError::Lost(place::note(chain))),
            _ => Ok(until),
        }
    }

    /// Whether a chain had begun by the time up to which commits are wanted: it is called by when it did.
    fn had_begun(&self, chain: &str) -> bool {
        self.latest == i64::MAX || *chain <= *place::id(self.latest)
    }

    async fn has_copy(&self, chain: &str) -> Result<bool> {
        let copies = manifest::all(self.target).await?;
        let stands = |place: &place::Place| place.chain == chain;
        Ok(copies.into_iter().filter_map(|(_, copy)| copy.ok()?.place).any(|place| stands(&place)))
    }
}
