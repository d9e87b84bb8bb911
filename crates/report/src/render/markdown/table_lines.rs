//! What the template writes: rows of tables and items of lists, as text.

use serde::Serialize;

/// A row of the criteria.
#[derive(Serialize)]
pub(crate) struct CriterionLine {
    pub(crate) id: String,
    pub(crate) estimate: String,
    pub(crate) interval: String,
    pub(crate) required: String,
    pub(crate) verdict: &'static str,
}

/// Criteria that every trial passes, as one row, and their names.
#[derive(Serialize)]
pub(crate) struct FoldedLine {
    pub(crate) label: String,
    pub(crate) row: CriterionLine,
    pub(crate) names: Vec<String>,
    pub(crate) left_out: usize,
}

/// A row of the metrics.
#[derive(Serialize)]
pub(crate) struct MetricLine {
    pub(crate) name: String,
    pub(crate) candidate: String,
    pub(crate) baseline: String,
    pub(crate) difference: String,
    pub(crate) interval: String,
    pub(crate) missing: usize,
}

/// A folded list of cases.
#[derive(Serialize)]
pub(crate) struct Group {
    pub(crate) title: String,
    pub(crate) rows: Vec<CaseLine>,
}

/// One of the things that were compared.
#[derive(Serialize)]
pub(crate) struct Fact {
    pub(crate) label: &'static str,
    pub(crate) text: String,
}

/// A row of a list of cases.
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
