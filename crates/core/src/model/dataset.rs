//! Datasets: validated, non-empty, ordered sets of cases.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Case, named};

named! {
    /// Format of a dataset.
    pub enum DatasetFormat {
        /// One JSON object per line.
        Jsonl = "jsonl",
        /// A JSON array of objects.
        Json = "json",
        /// Comma-separated values with a header.
        Csv = "csv",
        /// A YAML list of maps.
        Yaml = "yaml",
    }
}

/// A dataset: at least one case, in file order, with unique ids.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// Its provenance.
    pub facts: DatasetFacts,
    /// The cases in file order.
    pub cases: Vec<Case>,
}

/// Provenance of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Dataset")]
pub struct DatasetFacts {
    /// The path as configured.
    pub path: String,
    /// The format: `jsonl`, `json`, `csv` or `yaml`; for CSV with what separates its cells unless commas do.
    pub format: String,
    /// `sha256:…` over the canonical content of the cases that were evaluated.
    pub digest: String,
    /// Number of cases that were evaluated.
    pub cases: usize,
    /// The part that a partial run was limited to, which says nothing about the rest of the suite; absent for any other run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partial: Option<PartialDataset>,
}

/// The cases of a partial run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PartialDataset {
    /// How its cases were chosen.
    pub selected_by: CaseChoice,
    /// Number of cases of the whole dataset.
    pub of: usize,
    /// `digest` of the whole dataset.
    pub whole_digest: String,
}

named! {
    /// How the cases of a partial run were chosen.
    pub enum CaseChoice {
        /// By their ids: `--case`.
        Named = "case",
        /// By their results in an earlier report: `--only-failed`.
        OnlyFailed = "only_failed",
    }
}
