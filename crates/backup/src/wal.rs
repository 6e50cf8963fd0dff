//! SQLite's write-ahead log as a file: its head, its frames, and the checksums that run
//! through them (<https://www.sqlite.org/fileformat2.html#walformat>).

use crate::error::{BackupError, Result};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// Bytes of the head of the log.
const HEAD_BYTES: usize = 32;
/// Bytes of the head of a frame.
pub const FRAME_HEAD_BYTES: usize = 24;
/// What the log begins with; its last bit says in which order words are summed.
const MAGIC: u32 = 0x377f_0682;

/// The checksum up to a place.
pub type Sum = [u32; 2];

/// A log that is open for reading.
#[derive(Debug)]
pub struct Wal {
    file: File,
    /// Bytes of a page.
    pub page_bytes: u32,
    /// Two numbers that change whenever the log is begun anew.
    pub salts: [u32; 2],
    is_big_endian: bool,
    start: Sum,
}

/// The head of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHead {
    /// The page that the frame holds, from 1.
    pub page: u32,
    /// Pages of the database after it, when it ends a commit; else 0.
    pub pages_after: u32,
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_be_bytes)
}

impl FrameHead {
    /// Reads it from the beginning of a frame.
    #[must_use]
    pub fn read(frame: &[u8]) -> Self {
        Self { page: word(frame, 0), pages_after: word(frame, 4) }
    }
}

impl Wal {
    /// Opens a log; none when nothing was ever written to it.
    ///
    /// # Errors
    /// When it cannot be read or is no log.
    pub fn open(path: &Path) -> Result<Option<Self>> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let mut head = [0; HEAD_BYTES];
        if file.metadata()?.len() < HEAD_BYTES as u64 {
            return Ok(None);
        }
        file.read_exact(&mut head)?;
        let magic = word(&head, 0);
        if magic & !1 != MAGIC {
            return Err(BackupError::Broken("the write-ahead log has no head".to_owned()));
        }
        let log = Self {
            file,
            page_bytes: word(&head, 8),
            salts: [word(&head, 16), word(&head, 20)],
            is_big_endian: magic & 1 == 1,
            start: [word(&head, 24), word(&head, 28)],
        };
        let (summed, _) = head.split_at(HEAD_BYTES - 8);
        if log.sum([0, 0], summed) != log.start {
            return Err(BackupError::Broken("the head of the write-ahead log is being written".to_owned()));
        }
        Ok(Some(log))
    }

    /// Bytes of a frame.
    #[must_use]
    pub const fn frame_bytes(&self) -> usize {
        FRAME_HEAD_BYTES + self.page_bytes as usize
    }

    /// The checksum up to a frame, as the log says it.
    ///
    /// # Errors
    /// When the log is shorter, or the frame is of an earlier round.
    pub fn sum_at(&mut self, frames: u32) -> Result<Sum> {
        let Some(last) = frames.checked_sub(1) else { return Ok(self.start) };
        let frame = self.raw(last, last + 1)?;
        self.is_of_this_round(&frame)?;
        Ok([word(&frame, 16), word(&frame, 20)])
    }

    /// Frames from one (counted from 0) to before another, whose checksums go on from `sum`;
    /// with the checksum after them.
    ///
    /// # Errors
    /// [`BackupError::Broken`] when they do not.
    pub fn frames(&mut self, from: u32, to: u32, mut sum: Sum) -> Result<(Vec<u8>, Sum)> {
        let bytes = self.raw(from, to)?;
        for frame in bytes.chunks_exact(self.frame_bytes()) {
            self.is_of_this_round(frame)?;
            sum = self.sum_of_frame(sum, frame);
            if sum != [word(frame, 16), word(frame, 20)] {
                return Err(BackupError::Broken(
                    "a frame of the write-ahead log has another checksum".to_owned(),
                ));
            }
        }
        Ok((bytes, sum))
    }

    /// How far whole commits reach that follow a place, within so many frames of the log.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn end(&mut self, from: u32, mut sum: Sum, within: u32) -> Result<u32> {
        let length = self.file.metadata()?.len().saturating_sub(HEAD_BYTES as u64);
        let whole = u32::try_from(length / self.frame_bytes() as u64).unwrap_or(u32::MAX);
        let mut end = from;
        for number in from..whole.min(within) {
            let frame = self.raw(number, number + 1)?;
            sum = self.sum_of_frame(sum, &frame);
            if self.is_of_this_round(&frame).is_err() || sum != [word(&frame, 16), word(&frame, 20)] {
                break;
            }
            if FrameHead::read(&frame).pages_after > 0 {
                end = number + 1;
            }
        }
        Ok(end)
    }

    fn raw(&mut self, from: u32, to: u32) -> Result<Vec<u8>> {
        let frame_bytes = self.frame_bytes();
        let mut bytes = vec![0; frame_bytes * to.saturating_sub(from) as usize];
        self.file.seek(SeekFrom::Start(HEAD_BYTES as u64 + u64::from(from) * frame_bytes as u64))?;
        self.file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn is_of_this_round(&self, frame: &[u8]) -> Result<()> {
        if [word(frame, 8), word(frame, 12)] == self.salts {
            return Ok(());
        }
        Err(BackupError::Broken("a frame of the write-ahead log is of another round".to_owned()))
    }

    fn sum_of_frame(&self, sum: Sum, frame: &[u8]) -> Sum {
        let (head, page) = frame.split_at(FRAME_HEAD_BYTES.min(frame.len()));
        let (numbers, _) = head.split_at(8.min(head.len()));
        self.sum(self.sum(sum, numbers), page)
    }

    fn sum(&self, [mut one, mut two]: Sum, bytes: &[u8]) -> Sum {
        let read = if self.is_big_endian { u32::from_be_bytes } else { u32::from_le_bytes };
        let (pairs, _) = bytes.as_chunks::<8>();
        for [a, b, c, d, e, f, g, h] in pairs {
            one = one.wrapping_add(read([*a, *b, *c, *d])).wrapping_add(two);
            two = two.wrapping_add(read([*e, *f, *g, *h])).wrapping_add(one);
        }
        [one, two]
    }
}
