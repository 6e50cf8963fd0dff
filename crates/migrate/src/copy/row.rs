//! A sum over rows that does not mind their order: of each row a hash over the text forms
//! of its values, of all rows the sum of these. Equal on every engine.

use backstay_schema::value::Value;
use sha2::{Digest, Sha256};

/// Rows and their sum.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Checksum {
    pub(super) rows: u64,
    sum: u128,
}

impl Checksum {
    pub(super) fn add(&mut self, row: &[Value]) {
        let mut hash = Sha256::new();
        for value in row {
            let text = value.to_text();
            // NULL and an empty text are two things, and so are "a", "bc" and "ab", "c"
            hash.update([u8::from(!value.is_null())]);
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        }
        let mut first = [0_u8; 16];
        for (to, from) in first.iter_mut().zip(hash.finalize()) {
            *to = from;
        }
        self.rows += 1;
        self.sum = self.sum.wrapping_add(u128::from_be_bytes(first));
    }

    pub(super) fn hexadecimal(&self) -> String {
        format!("{:032x}", self.sum)
    }
}
