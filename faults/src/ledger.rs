//! [`Ledger`]: what a client was told about its rows, and [`Ledger::compare`] with what is
//! there. A write that was acknowledged must be there, one that was refused must not; of one
//! whose outcome is unknown either may be, but all of it or nothing.

use anyhow::{Result, bail};
use std::collections::BTreeMap;

/// A row: its writer and its number.
pub type Key = (u64, u64);

/// What a row holds; none when it is not there.
pub type State = Option<i64>;

/// What was written: the states that rows get, together.
pub type Write = Vec<(Key, State)>;

/// What the client was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// 2xx: it is durable.
    Done,
    /// It did not happen, and will not.
    Refused,
    /// It may have happened.
    Unknown,
}

/// What one client knows. Only it writes its rows.
#[derive(Debug, Default)]
pub struct Ledger {
    rows: BTreeMap<Key, State>,
    open: Vec<Write>,
    /// How often it was told what.
    pub counts: Counts,
}

/// How many writes ended how.
#[derive(Debug, Default, Clone, Copy)]
pub struct Counts {
    /// Acknowledged.
    pub done: u64,
    /// Refused.
    pub refused: u64,
    /// Unknown.
    pub unknown: u64,
}

impl Counts {
    /// The sum of both.
    pub const fn and(self, other: Self) -> Self {
        Self {
            done: self.done + other.done,
            refused: self.refused + other.refused,
            unknown: self.unknown + other.unknown,
        }
    }
}

impl Ledger {
    /// Records what the client was told about a write.
    pub fn record(&mut self, write: Write, told: Told) {
        match told {
            Told::Done => {
                self.counts.done += 1;
                self.rows.extend(write);
            }
            Told::Refused => self.counts.refused += 1,
            Told::Unknown => {
                self.counts.unknown += 1;
                self.open.push(write);
            }
        }
    }

    /// Rows that are known to be there and that no open write names.
    pub fn settled(&self) -> impl Iterator<Item = (Key, i64)> {
        let is_open = |key: &Key| self.open.iter().flatten().any(|(open, _)| open == key);
        self.rows.iter().filter_map(move |(key, state)| Some((*key, (*state)?)).filter(|_| !is_open(key)))
    }

    /// How many rows are known to be there.
    pub fn live(&self) -> usize {
        self.rows.values().flatten().count()
    }

    /// Compares with what is there, of this client's rows, and knows it from then on.
    ///
    /// # Errors
    /// When something acknowledged is missing, something refused is there, or half of a write is.
    pub fn compare(&mut self, there: &BTreeMap<Key, i64>) -> Result<()> {
        for write in std::mem::take(&mut self.open) {
            let before = |key: &Key| self.rows.get(key).copied().flatten();
            let happened = write.iter().all(|(key, state)| there.get(key).copied() == *state);
            let did_not = write.iter().all(|(key, _)| there.get(key).copied() == before(key));
            if happened {
                self.rows.extend(write);
            } else if !did_not {
                bail!("half of a write of unknown outcome is there: {write:?}");
            }
        }
        for (key, state) in &self.rows {
            let found = there.get(key).copied();
            if found != *state {
                bail!("row {key:?} was acknowledged as {state:?}, and is {found:?}");
            }
        }
        for (key, value) in there {
            if self.rows.get(key).copied().flatten().is_none() {
                bail!("row {key:?} = {value} is there, and was never acknowledged or was refused");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Ledger, Told};
    use std::collections::BTreeMap;

    fn there(rows: &[(u64, i64)]) -> BTreeMap<(u64, u64), i64> {
        rows.iter().map(|(number, value)| ((1, *number), *value)).collect()
    }

    #[test]
    fn what_was_acknowledged_must_be_there_as_it_was() {
        let mut ledger = Ledger::default();
        ledger.record(vec![((1, 1), Some(5))], Told::Done);
        assert!(ledger.compare(&there(&[])).is_err());
        assert!(ledger.compare(&there(&[(1, 6)])).is_err());
        assert!(ledger.compare(&there(&[(1, 5)])).is_ok());
        ledger.record(vec![((1, 1), None)], Told::Done);
        assert!(ledger.compare(&there(&[(1, 5)])).is_err());
        assert!(ledger.compare(&there(&[])).is_ok());
    }

    #[test]
    fn what_was_refused_must_not_be_there() {
        let mut ledger = Ledger::default();
        ledger.record(vec![((1, 1), Some(5))], Told::Refused);
        assert!(ledger.compare(&there(&[(1, 5)])).is_err());
        assert!(ledger.compare(&there(&[])).is_ok());
    }

    #[test]
    fn an_unknown_write_is_there_wholly_or_not_at_all() {
        let write = || vec![((1, 1), Some(5)), ((1, 2), Some(6))];
        for (rows, holds) in [(there(&[]), true), (there(&[(1, 5), (2, 6)]), true), (there(&[(1, 5)]), false)]
        {
            let mut ledger = Ledger::default();
            ledger.record(write(), Told::Unknown);
            assert_eq!(ledger.compare(&rows).is_ok(), holds, "{rows:?}");
        }
        // what was found once is known from then on
        let mut ledger = Ledger::default();
        ledger.record(write(), Told::Unknown);
        assert!(ledger.compare(&there(&[(1, 5), (2, 6)])).is_ok());
        assert!(ledger.compare(&there(&[])).is_err());
    }
}
