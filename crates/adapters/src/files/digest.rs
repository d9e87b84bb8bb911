//! Content digests of cases, independent of file format, and digests of raw bytes.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use promptgate_core::model::Case;

/// Returns the digest of the cases, as `sha256:…`.
///
/// Each case is serialized as one line of JSON with sorted keys and no whitespace. File format, key order, line
/// endings, blank lines and source locations have no effect; the order of the cases does.
pub fn digest(cases: &[Case]) -> String {
    let mut hasher = Sha256::new();
    for case in cases {
        hasher.update(canonical(case_content(case)).to_string().as_bytes());
        hasher.update(b"\n");
    }
    format_digest(&hasher.finalize())
}

/// Returns the digest of raw bytes, as `sha256:…`.
pub fn digest_of_bytes(bytes: &[u8]) -> String {
    format_digest(&Sha256::digest(bytes))
}

fn format_digest(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::from("sha256:");
    for byte in bytes {
        // Writing to a string never fails.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn case_content(case: &Case) -> Value {
    json!({
        "id": case.id,
        "query": case.query,
        "context": case.context,
        "expected": case.expected,
        "checks": case.checks,
        "tags": case.tags,
        "group": case.group,
        "must_pass": case.must_pass,
        "must_answer": case.must_answer,
        "criteria": case.criteria,
        "vars": case.vars,
    })
}

/// Returns the value with the keys of every object sorted.
fn canonical(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(String, Value)> = map.into_iter().collect();
            entries.sort_by(|left, right| left.0.cmp(&right.0));
            Value::Object(
                entries.into_iter().map(|(key, value)| (key, canonical(value))).collect::<Map<_, _>>(),
            )
        }
        Value::Array(items) => Value::Array(items.into_iter().map(canonical).collect()),
        other => other,
    }
}
