//! Rows of the tables and lists in `report.md`.

use serde::Serialize;

/// A criterion.
#[derive(Serialize)]
pub(crate) struct CriterionLine {
    pub(crate) id: String,
    pub(crate) estimate: String,
    pub(crate) interval: String,
    pub(crate) required: String,
    pub(crate) verdict: &'static str,
}

/// Criteria that every trial passes, folded into one row.
#[derive(Serialize)]
pub(crate) struct FoldedLine {
    pub(crate) label: String,
    pub(crate) row: CriterionLine,
    pub(crate) names: Vec<String>,
    pub(crate) left_out: usize,
}

/// A metric.
#[derive(Serialize)]
pub(crate) struct MetricLine {
    pub(crate) name: String,
    pub(crate) candidate: String,
    pub(crate) baseline: String,
    pub(crate) difference: String,
    pub(crate) interval: String,
    pub(crate) missing: usize,
}

/// A collapsible list of cases.
#[derive(Serialize)]
pub(crate) struct CaseGroup {
    pub(crate) title: String,
    pub(crate) rows: Vec<CaseLine>,
}

/// A labelled fact about the run.
#[derive(Serialize)]
pub(crate) struct RunFact {
    pub(crate) label: &'static str,
    pub(crate) text: String,
}

/// A case.
#[derive(Serialize)]
pub(crate) struct CaseLine {
    pub(crate) id: String,
    pub(crate) query: String,
    pub(crate) status: &'static str,
    pub(crate) baseline: String,
    pub(crate) candidate: String,
    pub(crate) difference: String,
    pub(crate) failing: String,
    pub(crate) reason: String,
}
