//! A validated, non-empty, ordered set of cases.

use serde::{Deserialize, Serialize};

use super::Case;

/// The golden dataset: non-empty, in file order, ids unique.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// Where it came from and what it holds.
    pub facts: DatasetFacts,
    /// The cases in file order.
    pub cases: Vec<Case>,
}

/// Provenance of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetFacts {
    /// The path as configured.
    pub path: String,
    /// The format found: `jsonl`, `json`, `csv` or `yaml`.
    pub format: String,
    /// `sha256:…` over the canonical content of the cases that are evaluated.
    pub digest: String,
    /// Number of cases that are evaluated.
    pub cases: usize,
}
