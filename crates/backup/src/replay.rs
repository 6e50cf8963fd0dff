//! [`Replay`]: the commits after a copy go into its file, segment by segment as they come from the target: no more
//! than a few are in memory.

use crate::chain::Chain;
use crate::error::{BackupError, Result};
use crate::place::Place;
use crate::segment::Segment;
use crate::target::Target;
use crate::wal::{FRAME_HEAD_BYTES, FrameHead};
use futures_util::stream::{self, StreamExt as _};
use std::fs::{File, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;

/// Segments that are asked for at a time.
const AHEAD: usize = 8;

/// How much of a chain is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// What follows the copy.
    Needed,
    /// What stands before it, too: whether it is whole.
    Whole,
}

/// A file that commits go into.
#[derive(Debug)]
pub struct Replay {
    file: File,
    page_bytes: u32,
    place: Place,
    latest: i64,
    /// Number and checksum of the segment before.
    previous: Option<(u64, String)>,
    /// Pages of the database after the last commit.
    pages: Option<u32>,
    commits: u64,
    at: i64,
    is_over: bool,
    /// Up to where segments were there, and whether they say that there is a note.
    end: u64,
    is_noted: bool,
}

/// What went in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replayed {
    /// How many commits.
    pub commits: u64,
    /// When the last of them was.
    pub at: i64,
    /// Where the chain ended, if that is where this did, and whether its segments say that there is a note of it.
    pub end: Option<(u64, bool)>,
}

impl Replay {
    /// Into a copy's file, which has pages of that size and stands at a place of a chain, commits until a time.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn new(path: &Path, page_bytes: u32, place: Place, latest: i64) -> Result<Self> {
        let file = OpenOptions::new().write(true).open(path)?;
        let (previous, pages, commits, at, is_over, is_noted) = (None, None, 0, 0, false, false);
        // a copy at the end of its chain needs no segment
        let end = place.frames;
        Ok(Self { file, page_bytes, place, latest, previous, pages, commits, at, is_over, end, is_noted })
    }

    /// Takes the segments from the target: how many commits went in, the time of the last, and where the chain ended.
    ///
    /// # Errors
    /// When the target refuses, or a segment is damaged or missing.
    pub async fn run(mut self, target: &Target, reading: Reading) -> Result<Replayed> {
        let chain = Chain::of(target, &self.place.chain).await?;
        let first = match reading {
            Reading::Needed => chain.first_beyond(self.place.frames).await?,
            Reading::Whole => 0,
        };
        let names = chain.names().iter().skip(first);
        let asked = names.map(|name| async move { (name, target.get(name).await) });
        let mut objects = stream::iter(asked).buffered(AHEAD);
        while let Some((name, object)) = objects.next().await {
            let (segment, sum) = chain.read(name, &object?)?;
            self = tokio::task::spawn_blocking(move || self.taken(segment, sum)).await??;
            if self.is_over && reading == Reading::Needed {
                break;
            }
        }
        if let Some(pages) = self.pages {
            self.file.set_len(u64::from(pages) * u64::from(self.page_bytes))?;
            let file = self.file;
            tokio::task::spawn_blocking(move || file.sync_all()).await??;
        }
        let end = (!self.is_over).then_some((self.end, self.is_noted));
        Ok(Replayed { commits: self.commits, at: self.at, end })
    }

    fn taken(mut self, segment: Segment, sum: String) -> Result<Self> {
        self.follows(&segment)?;
        self.previous = Some((segment.head.sequence, sum));
        (self.end, self.is_noted) = (self.end.max(segment.head.to()), segment.head.noted);
        self.apply(&segment)?;
        Ok(self)
    }

    fn follows(&self, segment: &Segment) -> Result<()> {
        let head = &segment.head;
        let damaged = |reason| BackupError::damaged(&format!("segment {}", head.sequence), reason);
        match &self.previous {
            Some((sequence, sum)) if head.sequence != sequence + 1 || head.previous != *sum => {
                Err(damaged("it does not follow the segment before it"))
            }
            None if head.from > self.place.frames => Err(damaged("segments before it are missing")),
            _ => Ok(()),
        }
    }

    /// Writes the pages up to the last commit that is wanted.
    fn apply(&mut self, segment: &Segment) -> Result<()> {
        let head = &segment.head;
        let mut end = None;
        for (frames, at) in &head.commits {
            if self.is_over || *at > self.latest {
                self.is_over = true;
                break;
            }
            if *frames > self.place.frames {
                (end, self.at) = (Some(*frames), *at);
                self.commits += 1;
            }
        }
        let Some(end) = end else { return Ok(()) };
        if head.page_bytes != self.page_bytes {
            return Err(BackupError::damaged(&head.chain, "its pages have another size"));
        }
        let frames = segment.frames.chunks_exact(FRAME_HEAD_BYTES + self.page_bytes as usize);
        for (frame, _) in frames.zip(head.from..end) {
            self.write(frame)?;
        }
        Ok(())
    }

    fn write(&mut self, frame: &[u8]) -> Result<()> {
        let head = FrameHead::read(frame);
        let (_, page) = frame.split_at(FRAME_HEAD_BYTES);
        let number =
            head.page.checked_sub(1).ok_or_else(|| BackupError::damaged("a frame", "it has no page"))?;
        self.file.seek(SeekFrom::Start(u64::from(number) * u64::from(self.page_bytes)))?;
        self.file.write_all(page)?;
        if head.pages_after > 0 {
            self.pages = Some(head.pages_after);
        }
        Ok(())
    }
}
