//! `ci.json`, which `promptgate ci` writes for `promptgate comment` and for the merge of shards.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::app::files::{Links, read_text};
pub(in crate::app) use promptgate_report::suites::SuiteVerdict as Verdict;

/// The name of the file.
pub(in crate::app) const NAME: &str = "ci.json";
/// The version of the format.
pub(in crate::app) const SCHEMA: u32 = 1;
/// Largest file that is read, in bytes.
const LIMIT: u64 = 1 << 20;

/// The content of `ci.json`.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::app) struct CiFacts {
    pub(in crate::app) schema: u32,
    pub(in crate::app) verdict: Verdict,
    #[serde(default)]
    pub(in crate::app) exit_code: u8,
    /// The kind of the event: `pull_request`, `push`, …
    #[serde(default)]
    pub(in crate::app) event: String,
    pub(in crate::app) pull_request: Option<u64>,
    /// The commit that the change is compared with, in full.
    pub(in crate::app) base: Option<String>,
    /// The commit of the change.
    pub(in crate::app) head: Option<String>,
    /// The code of the first reason.
    pub(in crate::app) reason: Option<String>,
    /// The login of the person who overrode the verdict; absent where nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::app) overridden_by: Option<String>,
    /// `K/N`; null for the whole.
    pub(in crate::app) shard: Option<String>,
    /// The file with the body of the comment; null for a shard.
    pub(in crate::app) comment: Option<String>,
}

/// Reads the file.
///
/// # Errors
/// A message where it is missing, a link, of another version, or not a ci.json.
pub(in crate::app) fn read(path: &Path) -> Result<CiFacts, String> {
    let text = read_text(path, "file", LIMIT, Links::Refuse)?;
    let invalid = |error: serde_json::Error| format!("not a ci.json of `promptgate ci`: {error}");
    let value: serde_json::Value = serde_json::from_str(&text).map_err(invalid)?;
    // Other fields may differ in another version.
    match value.get("schema").and_then(serde_json::Value::as_u64) {
        Some(schema) if schema != u64::from(SCHEMA) => {
            Err(format!("unknown schema {schema}, expected {SCHEMA}"))
        }
        _ => serde_json::from_value(value).map_err(invalid),
    }
}
