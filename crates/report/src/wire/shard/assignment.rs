//! The assignment of cases to shards.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Maximum number of shards of a run.
pub const MAX_SHARDS: u32 = 10_000;

/// One shard of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Shard {
    /// The index, from 1.
    #[schemars(range(min = 1))]
    pub index: u32,
    /// The number of shards, at most 10,000.
    #[schemars(range(min = 1, max = 10_000))]
    pub of: u32,
}

impl Shard {
    /// A shard; `None` unless `index` is in 1 to `of`, and `of` at most [`MAX_SHARDS`].
    pub fn new(index: u32, of: u32) -> Option<Self> {
        ((1..=of).contains(&index) && of <= MAX_SHARDS).then_some(Self { index, of })
    }

    /// The index of the shard, out of `of`, to which the case with this id belongs: the first eight bytes of the SHA-256
    /// of the id as a big-endian number, modulo `of`, plus 1.
    ///
    /// The shard of an id does not depend on the other cases.
    pub fn index_of(id: &str, of: u32) -> u32 {
        let digest = Sha256::digest(id.as_bytes());
        let number = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        u32::try_from(number % u64::from(of.max(1))).map_or(1, |index| index + 1)
    }

    /// Whether the case with this id belongs to this shard.
    pub fn holds(self, id: &str) -> bool {
        Self::index_of(id, self.of) == self.index
    }

    /// The file name: `shard-3-of-8.json`.
    pub fn file_name(self) -> String {
        format!("shard-{}-of-{}.json", self.index, self.of)
    }

    /// The shard with this file name.
    pub fn of_file_name(name: &str) -> Option<Self> {
        let (index, of) = name.strip_prefix("shard-")?.strip_suffix(".json")?.split_once("-of-")?;
        Self::new(index.parse().ok()?, of.parse().ok()?)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

/// An invalid index or number of shards.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected k/n with k from 1 to n, and n at most {MAX_SHARDS}, such as 3/8")]
pub struct InvalidShard;

impl FromStr for Shard {
    type Err = InvalidShard;

    fn from_str(text: &str) -> Result<Self, InvalidShard> {
        // Only digits: `+3/8` is a typo.
        let number = |text: &str| text.bytes().all(|it| it.is_ascii_digit()).then(|| text.parse().ok())?;
        let (index, of) = text.split_once('/').ok_or(InvalidShard)?;
        number(index).zip(number(of)).and_then(|(index, of)| Self::new(index, of)).ok_or(InvalidShard)
    }
}
