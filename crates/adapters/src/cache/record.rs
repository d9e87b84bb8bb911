//! The value of an entry: timestamp, model and text behind a checksum.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

/// Bytes of the checksum: enough to detect damage, not tampering.
const CHECKSUM_BYTES: usize = 8;

/// Seconds by which the clocks of two machines may differ.
const MAX_CLOCK_SKEW: u64 = 300;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// Time of insertion, in seconds since 1970 (UTC).
    pub(super) at: u64,
    pub(super) model: String,
    pub(super) text: String,
}

impl Record {
    /// Whether the entry is older than `age`. One dated in the future is older than any: its clock was wrong, and it would
    /// never get old.
    pub(super) fn is_older_than(&self, age: Duration, now: u64) -> bool {
        self.at < now.saturating_sub(age.as_secs()) || self.at > now + MAX_CLOCK_SKEW
    }

    /// Encodes checksum, time, length of the model's name, name, text.
    pub(super) fn write(&self) -> Vec<u8> {
        let name = self.model.as_bytes();
        let length = u32::try_from(name.len()).unwrap_or(0);
        let name = name.get(..length as usize).unwrap_or_default();
        let time = self.at.to_le_bytes();
        let content = [&time, &length.to_le_bytes()[..], name, self.text.as_bytes()].concat();
        [&checksum(&content), content.as_slice()].concat()
    }

    /// Decodes a record; `None` where the checksum does not match.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (sum, rest) = bytes.split_at_checked(CHECKSUM_BYTES)?;
        if checksum(rest) != sum {
            return None;
        }
        let (at, rest) = rest.split_first_chunk::<8>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (model, text) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        let read = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
        Some(Self { at: u64::from_le_bytes(*at), model: read(model)?, text: read(text)? })
    }
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let digest = Sha256::digest(bytes);
    std::array::from_fn(|index| digest[index])
}

/// Returns the current time in seconds since 1970 (UTC).
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
