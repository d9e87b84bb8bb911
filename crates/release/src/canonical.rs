//! Canonical JSON (RFC 8785), over which digests are computed.
//!
//! The order of keys does not count, and numbers are doubles: 1.0 is 1 and -0.0 is 0. An integer that no double holds
//! exactly is written as text, as Appendix D of the RFC advises; otherwise two seeds could share a digest. Texts are taken
//! as they are, without Unicode normalization.

use std::fmt::Debug;

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::Digest;

/// The canonical JSON of a value.
///
/// # Errors
/// A key that is not text, or an error of the value's own `Serialize`.
pub(crate) fn to_string(value: &impl Serialize) -> Result<String, serde_json::Error> {
    let mut value = serde_json::to_value(value)?;
    write_inexact_integers_as_text(&mut value);
    serde_jcs::to_string(&value)
}

/// The canonical JSON of a value, or a description of a value that has none.
///
/// Types of this crate always have one. The description keeps different values of any other type apart: they never share
/// the digest of an empty text.
pub(crate) fn text(value: &(impl Serialize + Debug)) -> String {
    to_string(value).unwrap_or_else(|error| format!("{error}: {value:?}"))
}

/// The SHA-256 of the canonical JSON of a value.
pub(crate) fn digest(value: &(impl Serialize + Debug)) -> Digest {
    Digest::from_bytes(Sha256::digest(text(value).as_bytes()).as_slice())
}

/// Whether two values have the same canonical JSON.
pub(crate) fn same<T: Serialize + Debug + PartialEq>(left: &T, right: &T) -> bool {
    left == right || text(left) == text(right)
}

/// Whether two optional values are the same; null is a value.
pub(crate) fn same_option(left: Option<&Value>, right: Option<&Value>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => same(left, right),
        _ => left.is_none() && right.is_none(),
    }
}

fn write_inexact_integers_as_text(value: &mut Value) {
    match value {
        Value::Number(number) => {
            let integer = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
            if integer.is_some_and(|integer| !is_exact(integer)) {
                *value = Value::String(number.to_string());
            }
        }
        Value::Array(values) => values.iter_mut().for_each(write_inexact_integers_as_text),
        Value::Object(map) => map.values_mut().for_each(write_inexact_integers_as_text),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// Whether a double holds an integer of at most 64 bits exactly.
fn is_exact(integer: i128) -> bool {
    integer as f64 as i128 == integer
}
