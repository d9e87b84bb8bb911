//! `ci.json`: what `promptgate ci` leaves for those who come after it, the comment and the merge of shards.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::files::{Links, read_text};
use promptgate_report::v1;

/// Its name in the folder of the reports.
pub(super) const NAME: &str = "ci.json";
/// The version of its form.
pub(super) const SCHEMA: u32 = 1;
/// The largest one that is read, in bytes.
const LIMIT: u64 = 1 << 20;

/// What became of the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    Pass,
    Fail,
    Inconclusive,
    Incomplete,
    Unchanged,
    /// There was no key, and none was needed.
    NotEvaluated,
    /// It could not begin, or broke off.
    Error,
}

impl Verdict {
    /// The word, as in `ci.json`.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
            Self::Incomplete => "incomplete",
            Self::Unchanged => "unchanged",
            Self::NotEvaluated => "not_evaluated",
            Self::Error => "error",
        }
    }
}

impl From<v1::Verdict> for Verdict {
    fn from(verdict: v1::Verdict) -> Self {
        match verdict {
            v1::Verdict::Pass => Self::Pass,
            v1::Verdict::Fail => Self::Fail,
            v1::Verdict::Inconclusive => Self::Inconclusive,
            v1::Verdict::Incomplete => Self::Incomplete,
            v1::Verdict::Unchanged => Self::Unchanged,
        }
    }
}

/// The file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Facts {
    pub(super) schema: u32,
    pub(super) verdict: Verdict,
    #[serde(default)]
    pub(super) exit_code: u8,
    /// The kind of the event: `pull_request`, `push`, …
    #[serde(default)]
    pub(super) event: String,
    pub(super) pull_request: Option<u64>,
    /// The commit that the change is compared with, in full.
    pub(super) base: Option<String>,
    /// The commit of the change.
    pub(super) head: Option<String>,
    /// The code of the first reason.
    pub(super) reason: Option<String>,
    /// `K/N`; null for the whole.
    pub(super) shard: Option<String>,
    /// The file with the body of the comment; null for a shard, of which nothing is said before all are joined.
    pub(super) comment: Option<String>,
}

/// Reads it.
///
/// # Errors
/// In words: it is not there, a link, of another schema, or not what `promptgate ci` writes.
pub(super) fn read(path: &Path) -> Result<Facts, String> {
    let text = read_text(path, "file", LIMIT, Links::Refuse)?;
    let another = |error: serde_json::Error| format!("this is not what `promptgate ci` writes: {error}");
    let value: serde_json::Value = serde_json::from_str(&text).map_err(another)?;
    // Of another version the rest may look otherwise.
    match value.get("schema").and_then(serde_json::Value::as_u64) {
        Some(schema) if schema != u64::from(SCHEMA) => {
            Err(format!("schema {schema} is not known, only {SCHEMA} is"))
        }
        _ => serde_json::from_value(value).map_err(another),
    }
}
