//! A verdict that a person overrode.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Verdict;

/// A verdict that a person overrode on a pull request: the job passes, and the run is no evidence for a promotion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Override {
    /// The login of the person.
    pub by: String,
    /// When the person set the label: RFC 3339, UTC.
    pub at: String,
    /// The label.
    pub label: String,
    /// The verdict without the override, which is that of the report.
    pub verdict_without: Verdict,
}

impl Override {
    /// The sentence that reports state first.
    pub fn notice(&self) -> String {
        format!(
            "overridden by @{} with the label {}; the verdict was {}, and this run does not count as evidence for a promotion",
            self.by,
            self.label,
            self.verdict_without.as_str().to_uppercase()
        )
    }
}
