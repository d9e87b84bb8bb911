//! SHA-256 digests as text.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::InvalidReference;

/// A SHA-256 digest: `sha256:` and 64 lowercase hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

impl Digest {
    /// The digest of a text.
    pub fn of(text: &str) -> Self {
        Self::from_bytes(Sha256::digest(text.as_bytes()).as_slice())
    }

    /// The text of the 32 bytes of a digest.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        use fmt::Write as _;
        let mut text = String::with_capacity(71);
        text.push_str("sha256:");
        for byte in bytes {
            let _ = write!(text, "{byte:02x}"); // writing to a String cannot fail
        }
        Self(text)
    }

    /// The digest of the canonical JSON of a value.
    pub fn of_json(value: &(impl Serialize + fmt::Debug)) -> Self {
        crate::canonical::digest(value)
    }

    /// The first twelve digits, for people.
    pub fn short(&self) -> &str {
        &self.0[7..19]
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Digest {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix("sha256:").unwrap_or_default();
        let valid =
            digits.len() == 64 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if valid { Ok(Self(text.to_owned())) } else { Err(InvalidReference::Digest(text.to_owned())) }
    }
}

impl TryFrom<String> for Digest {
    type Error = InvalidReference;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
