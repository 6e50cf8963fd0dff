//! [`Chain`]: the segments of one chain at a target, in order. Where a place is among them is found by the heads
//! of a few: a chain has two segments a second.

use crate::error::{BackupError, Result};
use crate::place::{self, CHAINS};
use crate::sealed;
use crate::segment::{Head, Segment};
use crate::target::Target;
use bytes::Bytes;

/// Bytes in which the heads of most segments fit.
const HEAD_BYTES: u64 = 16 << 10;

/// The segments of a chain.
#[derive(Debug)]
pub struct Chain<'t> {
    target: &'t Target,
    chain: String,
    names: Vec<String>,
}

impl<'t> Chain<'t> {
    /// Those of one chain.
    ///
    /// # Errors
    /// When the target does not list.
    pub async fn of(target: &'t Target, chain: &str) -> Result<Self> {
        let names = target.list(&[CHAINS, chain].join("/")).await?;
        Ok(Self { target, chain: chain.to_owned(), names })
    }

    /// Those of all chains.
    ///
    /// # Errors
    /// When the target does not list.
    pub async fn all(target: &'t Target) -> Result<Vec<Self>> {
        let mut chains: Vec<Self> = Vec::new();
        for name in target.list(CHAINS).await? {
            let Some(chain) = name.split('/').nth(1).map(str::to_owned) else { continue };
            match chains.last_mut().filter(|last| last.chain == chain) {
                Some(last) => last.names.push(name),
                None => chains.push(Self { target, chain, names: vec![name] }),
            }
        }
        Ok(chains)
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.chain
    }

    /// The names of its objects.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The last segment, whole.
    ///
    /// # Errors
    /// When it is damaged.
    pub async fn last(&self) -> Result<Option<(Segment, String)>> {
        match self.names.last() {
            Some(name) => Ok(Some(self.read(name, &self.target.get(name).await?)?)),
            None => Ok(None),
        }
    }

    /// A segment and its checksum, as its object has it.
    ///
    /// # Errors
    /// When it is damaged, or is that of another place.
    pub fn read(&self, name: &str, object: &Bytes) -> Result<(Segment, String)> {
        let segment = Segment::decode(name, object)?;
        self.belongs(name, &segment.head)?;
        Ok((segment, sealed::sum_of(object)))
    }

    fn belongs(&self, name: &str, head: &Head) -> Result<()> {
        if head.chain == self.chain && name == place::segment(&head.chain, head.sequence) {
            return Ok(());
        }
        Err(BackupError::damaged(name, "it is a segment of another place"))
    }

    /// Which segment is the first that reaches beyond so many frames. A head alone is not sealed: whoever acts
    /// on this looks at the whole segment first.
    ///
    /// # Errors
    /// When a head cannot be read.
    pub async fn first_beyond(&self, frames: u64) -> Result<usize> {
        let (mut low, mut high) = (0, self.names.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            let Some(name) = self.names.get(middle) else { break };
            if self.head(name).await?.to() > frames {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(low)
    }

    async fn head(&self, name: &str) -> Result<Head> {
        let mut start = self.target.start(name, HEAD_BYTES).await?;
        let needed = Head::bytes(name, &start)?;
        if needed > start.len() as u64 {
            start = self.target.start(name, needed).await?;
        }
        let head = Head::read(name, &start)?;
        self.belongs(name, &head)?;
        Ok(head)
    }
}
