//! What the template writes: rows of tables and items of lists, as text.

use serde::Serialize;

/// A row of the criteria.
#[derive(Serialize)]
pub(in crate::report) struct CriterionLine {
    pub(in crate::report) id: String,
    pub(in crate::report) estimate: String,
    pub(in crate::report) interval: String,
    pub(in crate::report) required: String,
    pub(in crate::report) verdict: &'static str,
}

/// Criteria that every trial passes, as one row, and their names.
#[derive(Serialize)]
pub(in crate::report) struct FoldedLine {
    pub(in crate::report) label: String,
    pub(in crate::report) row: CriterionLine,
    pub(in crate::report) names: Vec<String>,
    pub(in crate::report) left_out: usize,
}

/// A row of the metrics.
#[derive(Serialize)]
pub(in crate::report) struct MetricLine {
    pub(in crate::report) name: String,
    pub(in crate::report) candidate: String,
    pub(in crate::report) baseline: String,
    pub(in crate::report) difference: String,
    pub(in crate::report) interval: String,
    pub(in crate::report) missing: usize,
}

/// A folded list of cases.
#[derive(Serialize)]
pub(in crate::report) struct Group {
    pub(in crate::report) title: String,
    pub(in crate::report) rows: Vec<CaseLine>,
}

/// One of the things that were compared.
#[derive(Serialize)]
pub(in crate::report) struct Fact {
    pub(in crate::report) label: &'static str,
    pub(in crate::report) text: String,
}

/// A row of a list of cases.
#[derive(Serialize)]
pub(in crate::report) struct CaseLine {
    pub(in crate::report) id: String,
    pub(in crate::report) query: String,
    pub(in crate::report) status: &'static str,
    pub(in crate::report) baseline: String,
    pub(in crate::report) candidate: String,
    pub(in crate::report) difference: String,
    pub(in crate::report) failing: String,
    pub(in crate::report) reason: String,
}
