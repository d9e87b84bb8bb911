//! Token counts that a server reports.

use serde_json::Value;

/// Larger token counts are errors of the server.
const MAX_TOKENS: u64 = 1 << 40;

/// Returns a count; `None` where it is missing, negative or implausible, which is not 0.
pub(super) fn count(value: Option<&Value>) -> Option<u64> {
    value.and_then(Value::as_u64).filter(|count| *count <= MAX_TOKENS)
}
