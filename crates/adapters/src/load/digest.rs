//! Digests of what is evaluated, independent of how it was written down.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use promptgate_core::model::Case;

/// `sha256:…` over the content of cases in their order.
///
/// Each case is written as JSON with sorted keys and without white space, one a line. The file format, the order
/// of keys, line endings, blank lines and places do not matter; the order of the cases does.
pub fn digest(cases: &[Case]) -> String {
    let mut hasher = Sha256::new();
    for case in cases {
        hasher.update(canonical(content(case)).to_string().as_bytes());
        hasher.update(b"\n");
    }
    named(&hasher.finalize())
}

/// `sha256:…` of bytes as they are.
pub fn digest_of_bytes(bytes: &[u8]) -> String {
    named(&Sha256::digest(bytes))
}

fn named(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::from("sha256:");
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn content(case: &Case) -> Value {
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

/// The same value with the keys of every object sorted.
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
