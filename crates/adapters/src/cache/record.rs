//! The value of an entry: when it was kept, which model was asked, and the text of whoever kept it, behind a checksum.

use sha2::{Digest, Sha256};

/// Bytes of the checksum: enough to find damage, which is not an attack.
const CHECKSUM: usize = 8;

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// When it was kept, in seconds since 1970 (UTC).
    pub(super) at: u64,
    /// The model that was asked.
    pub(super) model: String,
    /// What was kept.
    pub(super) text: String,
}

impl Record {
    /// Checksum, time, length of the model's name, name, text.
    pub(super) fn write(&self) -> Vec<u8> {
        let name = self.model.as_bytes();
        let length = u32::try_from(name.len()).unwrap_or(0);
        let name = name.get(..length as usize).unwrap_or_default();
        let mut bytes = vec![0; CHECKSUM];
        bytes.extend(self.at.to_le_bytes());
        bytes.extend(length.to_le_bytes());
        bytes.extend(name);
        bytes.extend(self.text.as_bytes());
        let sum = checksum(bytes.get(CHECKSUM..).unwrap_or_default());
        for (place, byte) in bytes.iter_mut().zip(sum) {
            *place = byte;
        }
        bytes
    }

    /// The inverse; `None` for anything else, such as an entry of which a bit is not as it was written.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (sum, rest) = bytes.split_at_checked(CHECKSUM)?;
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

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM] {
    let digest = Sha256::digest(bytes);
    let mut sum = [0; CHECKSUM];
    for (place, byte) in sum.iter_mut().zip(digest) {
        *place = byte;
    }
    sum
}
