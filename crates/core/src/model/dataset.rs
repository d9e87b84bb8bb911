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
}
