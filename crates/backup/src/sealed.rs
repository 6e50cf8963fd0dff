//! An object at the target: its bytes and their SHA-256 after them, so that any flipped bit shows.

use crate::error::{BackupError, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha2::{Digest as _, Sha256};

/// Bytes of the checksum.
const SUM_BYTES: usize = 32;

/// The bytes with their checksum.
#[must_use]
pub fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    let sum = Sha256::digest(&bytes);
    bytes.extend_from_slice(&sum);
    bytes
}

/// The bytes of an object, if they are as they were sealed.
///
/// # Errors
/// [`BackupError::Damaged`].
pub fn open<'b>(object: &str, sealed: &'b [u8]) -> Result<&'b [u8]> {
    let (bytes, sum) = sealed
        .split_last_chunk::<SUM_BYTES>()
        .ok_or_else(|| BackupError::damaged(object, "it is shorter than its checksum"))?;
    if Sha256::digest(bytes).as_slice() != sum {
        return Err(BackupError::damaged(object, "its checksum differs"));
    }
    Ok(bytes)
}

/// The checksum of a sealed object, as text: what another object calls it by.
#[must_use]
pub fn sum_of(sealed: &[u8]) -> String {
    let sum = sealed.split_last_chunk::<SUM_BYTES>().map_or(&[][..], |(_, sum)| sum.as_slice());
    STANDARD_NO_PAD.encode(sum)
}

#[cfg(test)]
mod tests {
    use super::{open, seal, sum_of};

    #[test]
    fn every_flipped_bit_shows() {
        let sealed = seal(b"some bytes".to_vec());
        assert_eq!(open("a", &sealed).unwrap(), b"some bytes");
        for bit in 0..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(open("a", &flipped).is_err(), "bit {bit}");
        }
        for end in 0..sealed.len() {
            assert!(open("a", &sealed[..end]).is_err(), "cut to {end}");
        }
        assert_ne!(sum_of(&sealed), sum_of(&seal(b"other bytes".to_vec())));
    }
}
