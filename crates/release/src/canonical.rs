//! Canonical JSON (RFC 8785), over which digests are computed.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::Digest;

/// The canonical JSON of a value whose maps have text keys and whose numbers are finite.
pub(crate) fn to_string(value: &impl Serialize) -> String {
    // Only a key that is not text, or a number that is not finite, cannot be written; the types of this crate have none.
    serde_jcs::to_string(value).unwrap_or_default()
}

/// The SHA-256 of the canonical JSON of a value.
pub(crate) fn digest(value: &impl Serialize) -> Digest {
    Digest::from_bytes(Sha256::digest(to_string(value).as_bytes()).as_slice())
}
