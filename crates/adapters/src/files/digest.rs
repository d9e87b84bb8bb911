//! Content digests of cases, independent of file format, and digests of raw bytes.

use std::collections::BTreeMap;

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

/// Returns the places of cases that are equal apart from id, tags and group, in dataset order. Cases of one group are known
/// to be alike and left out.
pub fn equal_cases(cases: &[Case]) -> Vec<Vec<usize>> {
    let mut sets: BTreeMap<[u8; 32], Vec<usize>> = BTreeMap::new();
    for (index, case) in cases.iter().enumerate() {
        let mut content = case_content(case);
        for key in ["id", "tags", "group"] {
            content.as_object_mut().map(|map| map.remove(key));
        }
        content.sort_all_objects();
        sets.entry(Sha256::digest(content.to_string().as_bytes()).into()).or_default().push(index);
    }
    let group = |index: &usize| cases.get(*index).and_then(|case| case.group.as_ref());
    let grouped = |set: &Vec<usize>| {
        let first = set.first().and_then(group);
        first.is_some() && set.iter().all(|index| group(index) == first)
    };
    let mut equal: Vec<Vec<usize>> =
        sets.into_values().filter(|set| set.len() > 1 && !grouped(set)).collect();
    equal.sort();
    equal
}

/// Warns about equal cases: they are asked again, and show nothing new.
pub(super) fn equal_rows(cases: &[Case]) -> Option<String> {
    const MAX_SETS: usize = 3;
    const MAX_IDS: usize = 5;
    let mut equal: Vec<Vec<&Case>> = equal_cases(cases)
        .into_iter()
        .map(|set| set.into_iter().filter_map(|index| cases.get(index)).collect())
        .collect();
    if equal.is_empty() {
        return None;
    }
    equal.sort_by_key(|set| set.first().and_then(|case| case.place.line));
    let more = |count: usize| if count == 0 { String::new() } else { format!(" and {count} more") };
    let listed = |set: &Vec<&Case>| {
        let ids: Vec<&str> = set.iter().take(MAX_IDS).map(|case| case.id.as_str()).collect();
        format!("{}{}", ids.join(", "), more(set.len().saturating_sub(MAX_IDS)))
    };
    let shown: Vec<String> = equal.iter().take(MAX_SETS).map(listed).collect();
    Some(format!(
        "equal rows: {}{}; apart from id, tags and group they are the same, so they add no evidence",
        shown.join("; "),
        more(equal.len().saturating_sub(MAX_SETS))
    ))
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
    if !case.expected_sources.is_empty() {
        content["expected_sources"] = case.expected_sources.clone().into();
    }
    if case.may_refuse {
        content["may_refuse"] = true.into();
    }
    if !case.messages.is_empty() {
        content["messages"] = json!(case.messages);
    }
    if !case.turns.is_empty() {
        content["turns"] = json!(case.turns);
    }
    if !case.images.is_empty() {
        content["images"] = json!(case.images);
    }
    content
}
