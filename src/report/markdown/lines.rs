//! What the template writes: rows of tables and items of lists, as text.

use serde::Serialize;

/// The size of the effect.
#[derive(Serialize)]
pub(super) struct Effect {
    /// `regression`, `drop` or `none`.
    pub(super) kind: &'static str,
    pub(super) metric: String,
    pub(super) baseline: String,
    pub(super) candidate: String,
    pub(super) difference: String,
    pub(super) interval: String,
}

/// A row of the criteria.
#[derive(Serialize)]
pub(super) struct CriterionLine {
    pub(super) id: String,
    pub(super) estimate: String,
    pub(super) interval: String,
    pub(super) required: String,
    pub(super) verdict: &'static str,
}

/// Criteria that every trial passes, as one row, and their names.
#[derive(Serialize)]
pub(super) struct FoldedLine {
    pub(super) label: String,
    pub(super) row: CriterionLine,
    pub(super) names: Vec<String>,
    pub(super) left_out: usize,
}

/// A row of the metrics.
#[derive(Serialize)]
pub(super) struct MetricLine {
    pub(super) name: String,
    pub(super) candidate: String,
    pub(super) baseline: String,
    pub(super) difference: String,
    pub(super) interval: String,
    pub(super) missing: usize,
}

/// A row of the looks.
#[derive(Serialize)]
pub(super) struct LookLine {
    pub(super) repeats: u32,
    pub(super) alpha: String,
    pub(super) verdict: &'static str,
    pub(super) because: String,
}

/// A row of the metrics by tag.
#[derive(Serialize)]
pub(super) struct SliceLine {
    pub(super) tag: String,
    pub(super) metric: String,
    pub(super) cases: usize,
    pub(super) candidate: String,
    pub(super) baseline: String,
    pub(super) difference: String,
    pub(super) interval: String,
}

/// How a judged metric goes with the length of the answers.
#[derive(Serialize)]
pub(super) struct LengthLine {
    pub(super) metric: String,
    pub(super) candidate: String,
    pub(super) differences: String,
}

/// A folded list of cases.
#[derive(Serialize)]
pub(super) struct Group {
    pub(super) title: String,
    pub(super) rows: Vec<CaseLine>,
}

/// One of the things that were compared.
#[derive(Serialize)]
pub(super) struct Fact {
    pub(super) label: &'static str,
    pub(super) text: String,
}

/// A row of a list of cases.
#[derive(Serialize)]
pub(super) struct CaseLine {
    pub(super) id: String,
    pub(super) query: String,
    pub(super) status: &'static str,
    pub(super) baseline: String,
    pub(super) candidate: String,
    pub(super) difference: String,
    pub(super) failing: String,
    pub(super) reason: String,
}
