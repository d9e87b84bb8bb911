//! The review of a golden set: `promptgate.dataset-check/v1`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::history::SkippedReport;
use super::plan::Drop;
use promptgate_core::model::{CaseHistory, DatasetFacts, DatasetFinding};

/// The value of `schema` in every review of this version.
pub const SCHEMA: &str = "promptgate.dataset-check/v1";

/// The review of a suite's dataset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "promptgate dataset check v1")]
pub struct DatasetCheck {
    /// Always `promptgate.dataset-check/v1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// Name of the suite.
    pub name: String,
    /// The dataset.
    pub dataset: DatasetFacts,
    /// Number of cases that are criteria of their own.
    pub must_pass: usize,
    /// The saved reports; null where none was named.
    pub evidence: Option<Evidence>,
    /// The smallest drop that the suite detects, for each judged metric of the newest report of this dataset; empty without one.
    pub drops: Vec<Drop>,
    /// The findings, in the order of the list of codes.
    pub findings: Vec<DatasetFinding>,
    /// Number of findings that are warnings.
    pub warnings: usize,
    /// The exit code: 10 for a warning with `--strict`, else 0.
    pub exit_code: u8,
}

/// Saved reports of a suite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DatasetEvidence")]
pub struct Evidence {
    /// The reports whose results are counted, oldest first.
    pub reports: Vec<String>,
    /// The reports whose results are not counted.
    pub skipped: Vec<SkippedReport>,
    /// Number of distinct combinations of prompt, model and application in them.
    pub variants: usize,
    /// Reports of a case from which its results say whether it discriminates.
    pub minimum: usize,
    /// Whether the simulated model answered, whose results do not measure a prompt.
    pub simulated: bool,
    /// The results of each case that is in a report, in dataset order.
    pub cases: Vec<CaseHistory>,
}

/// The JSON Schema of [`DatasetCheck`], draft 2020-12.
pub fn schema() -> Value {
    super::schema_of::<DatasetCheck>("dataset-check")
}
