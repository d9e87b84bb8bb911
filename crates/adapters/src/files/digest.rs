//! Content digests of cases, independent of file format, and digests of raw bytes.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use promptgate_core::model::Case;

/// Returns the digest of the cases, as `sha256:…`.
///
/// Each case is serialized as one line of JSON with sorted keys and no whitespace. File format, key order, line
/// endings, blank lines and source locations have no effect; the order of the cases does.
pub fn digest(cases: &[Case]) -> String {
    let mut hasher = Sha256::new();
    for case in cases {
        let mut content = case_content(case);
        content.sort_all_objects();
        hasher.update(content.to_string().as_bytes());
        hasher.update(b"\n");
    }
    format_digest(&hasher.finalize())
}

/// Returns the digest of raw bytes, as `sha256:…`.
pub fn digest_of_bytes(bytes: &[u8]) -> String {
    format_digest(&Sha256::digest(bytes))
}

fn format_digest(bytes: &[u8]) -> String {
    let hexadecimal: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hexadecimal}")
}

fn case_content(case: &Case) -> Value {
    let mut content = json!({
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
    });
    // Absent where they are not set, so that the digests of other datasets stay as they are.
    if case.must_pass_strict {
        content["must_pass"] = "strict".into();
    }
    if case.may_refuse {
        content["may_refuse"] = true.into();
    }
    content
}
