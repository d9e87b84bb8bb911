//! A line of trials.jsonl, which is also a line of the spool of a run: a trial after the id of its case.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::super::document::described;
use super::Trial;
use super::requests::RequestDigests;
use promptgate_core::model::{CallFacts, CallOrigin, Message, Role};

/// Separates the fields of the case from the trial. Quotes in strings are escaped, and the role of a message is its first
/// field, so its first occurrence does.
const ROLE: &str = r#","role":"#;

/// The start of a line; all but `case` are on the first line of a case in trials.jsonl only.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct CaseFields {
    pub(super) case: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) query: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) context: Option<Arc<[String]>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) expected: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) requests: Option<RequestDigests>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) messages: BTreeMap<String, Arc<Message>>,
}

impl CaseFields {
    /// The line of a trial, given as JSON.
    pub(super) fn line(&self, trial: &str) -> serde_json::Result<String> {
        let mut line = serde_json::to_string(self)?;
        // One object out of two.
        line.pop();
        line.push(',');
        line.push_str(trial.strip_prefix('{').unwrap_or_default());
        line.push('\n');
        Ok(line)
    }
}

/// Reads a line.
///
/// # Errors
/// A message that says why it is not the line of a trial.
pub(super) fn parse(line: &[u8]) -> Result<(CaseFields, Trial), String> {
    let invalid = |error: serde_json::Error| format!("not a trial: {}", described(&error));
    let separated = str::from_utf8(line).ok().and_then(|line| line.split_once(ROLE));
    let (fields, trial) = separated.ok_or("not a trial: expected `case` and then `role`")?;
    let fields = serde_json::from_str(&format!("{fields}}}")).map_err(invalid)?;
    let trial = serde_json::from_str(&format!(r#"{{"role":{trial}"#)).map_err(invalid)?;
    Ok((fields, trial))
}

/// The JSON of the trial in a line, with this role; it is copied, not parsed.
pub(super) fn trial_json(line: &str, role: Role) -> Option<String> {
    let (_, trial) = line.trim_end().split_once(ROLE)?;
    let (written, rest) = trial.split_once(',')?;
    // The call comes next, an object of names alone.
    let call = rest.strip_prefix(r#""call":{"#).and_then(|rest| rest.split_once("},"));
    if let Some((_, rest)) = call.filter(|_| written.trim_matches('"') != role.as_str()) {
        let call = serde_json::to_string(&CallFacts::spared(CallOrigin::Shared)).ok()?;
        return Some(format!(r#"{{"role":"{}","call":{call},{rest}"#, role.as_str()));
    }
    Some(format!(r#"{{"role":"{}",{rest}"#, role.as_str()))
}

/// Whether a text is a line of trials.jsonl.
pub fn is_line(text: &[u8]) -> bool {
    parse(text).is_ok()
}
