//! Criteria as rows of text.

use super::number::{self, NONE};
use crate::v1::{Bound, Criterion, CriterionVerdict, MetricKind, Report, Requirement, Rule};
use promptgate_core::model::EVEN;

/// A criterion as a row.
pub(crate) struct CriterionRow<'a> {
    pub(crate) id: &'a str,
    pub(crate) estimate: String,
    pub(crate) interval: String,
    /// The rule that applied: `≥ 0.800`, or `no drop > 0.05`.
    pub(crate) required: String,
    pub(crate) verdict: CriterionVerdict,
    /// The group it may be folded into: every trial passes, so the row holds no further information.
    fold: Option<FoldKind>,
}

/// Kinds of criteria that are folded where every trial passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FoldKind {
    Check,
    Case,
}

/// Criteria for display: the informative ones as rows, the others folded.
pub(crate) struct Criteria<'a> {
    /// Criteria that did not pass, then those with an interval or a count.
    pub(crate) listed: Vec<CriterionRow<'a>>,
    /// Groups of two or more criteria that every trial passes.
    pub(crate) folded: Vec<Folded<'a>>,
}

/// A group of criteria of one kind that every trial passes.
pub(crate) struct Folded<'a> {
    /// `10 checks`.
    pub(crate) label: String,
    pub(crate) rows: Vec<CriterionRow<'a>>,
}

/// Returns the criteria for display, failures first.
pub(crate) fn criteria(report: &Report) -> Criteria<'_> {
    let mut listed = criterion_rows(report);
    let mut folded = Vec::new();
    for (kind, noun) in [(FoldKind::Check, "check"), (FoldKind::Case, "must-pass case")] {
        if listed.iter().filter(|row| row.fold == Some(kind)).count() < 2 {
            continue;
        }
        let (rows, rest): (Vec<_>, Vec<_>) = listed.into_iter().partition(|row| row.fold == Some(kind));
        listed = rest;
        folded.push(Folded { label: number::counted(rows.len() as u64, noun), rows });
    }
    Criteria { listed, folded }
}

fn criterion_rows(report: &Report) -> Vec<CriterionRow<'_>> {
    let mut rows: Vec<_> = report.criteria.iter().collect();
    rows.sort_by_key(|criterion| verdict_rank(criterion.verdict));
    rows.into_iter().map(|criterion| criterion_row(report, criterion)).collect()
}

/// The order of verdicts, failures first.
pub(crate) fn verdict_rank(verdict: CriterionVerdict) -> u8 {
    match verdict {
        CriterionVerdict::Fail => 0,
        CriterionVerdict::Incomplete => 1,
        CriterionVerdict::Inconclusive => 2,
        CriterionVerdict::Pass => 3,
    }
}

/// Whether a criterion was decided by comparison alone, without a test.
pub(crate) fn is_literal(criterion: &Criterion) -> bool {
    matches!(criterion.method.as_str(), "literal" | "point")
}

/// The rule of a comparison: a pass rules out a drop beyond tolerance and resolution, a fail shows one beyond the tolerance.
/// A literal comparison knows the tolerance alone.
fn no_drop(report: &Report, criterion: &Criterion, tolerance: f64) -> String {
    let allowed = allowed(report, criterion, tolerance);
    if allowed > 0.0 { format!("no drop > {}", number::trimmed(allowed, 6)) } else { "no drop".to_owned() }
}

/// The drop that the rule of a comparison allows.
fn allowed(report: &Report, criterion: &Criterion, tolerance: f64) -> f64 {
    let is_literal = is_literal(criterion) || report.policy.rule == Rule::Point;
    match criterion.verdict {
        CriterionVerdict::Pass | CriterionVerdict::Inconclusive | CriterionVerdict::Incomplete
            if !is_literal =>
        {
            tolerance + report.policy.resolution
        }
        _ => tolerance,
    }
}

/// Formats one criterion.
fn criterion_row<'a>(report: &Report, criterion: &'a Criterion) -> CriterionRow<'a> {
    let requirement = report.policy.criteria.iter().find(|of| of.id == criterion.id).map(|of| of.requirement);
    let kind = report.metrics.iter().find(|metric| metric.name == criterion.metric).map(|metric| metric.kind);
    let counts = criterion.kind == "broken_cases";
    let relative = matches!(requirement, Some(Requirement::Limit { bound: Bound::MaxIncrease(_), .. }));
    let difference =
        matches!(requirement, Some(Requirement::NotWorse { .. })) || criterion.kind == "baseline";
    let at_most =
        counts || criterion.kind == "limit" || matches!(requirement, Some(Requirement::Limit { .. }));
    let show = |value: f64| match kind {
        _ if counts => format!("{value:.0}"),
        Some(kind) if difference => number::signed(kind, value),
        Some(kind) => number::value(kind, value),
        None if difference => number::signed(MetricKind::Judge, value),
        None => number::value(MetricKind::Judge, value),
    };
    let sign = if at_most { "≤" } else { "≥" };
    let required = match (requirement, criterion.required) {
        (Some(Requirement::EveryTrial | Requirement::MustPass { .. }), _) => "every trial".to_owned(),
        (Some(Requirement::NoNewFailures), _) => "no new failure".to_owned(),
        (Some(Requirement::Limit { bound: Bound::MaxIncrease(share), .. }), _) if relative => {
            format!("at most {:+.0} %", share * 100.0)
        }
        (Some(Requirement::NotWorse { tolerance }), _) => no_drop(report, criterion, tolerance),
        (Some(Requirement::WinRate { tolerance }), _) => {
            format!("{sign} {}", show((EVEN - allowed(report, criterion, tolerance)).max(0.0)))
        }
        (_, Some(required)) => format!("{sign} {}", show(required)),
        (_, None) => NONE.to_owned(),
    };
    let fold = match requirement {
        _ if criterion.verdict != CriterionVerdict::Pass || criterion.estimate.is_none_or(|of| of < 1.0) => {
            None
        }
        Some(Requirement::EveryTrial | Requirement::NoNewFailures) => Some(FoldKind::Check),
        Some(Requirement::MustPass { .. }) => Some(FoldKind::Case),
        _ => None,
    };
    CriterionRow {
        fold,
        id: &criterion.id,
        estimate: criterion.estimate.map_or_else(|| NONE.to_owned(), show),
        interval: number::bounds(criterion.lower, criterion.upper, show),
        required,
        verdict: criterion.verdict,
    }
}
