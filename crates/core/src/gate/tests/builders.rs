//! Builders of analyses and policies.

use crate::gate::{Criterion, Policy, Requirement, Rule, decide};
use crate::model::{
    Analysis, CaseFacts, Cell, Contested, CriterionOutcome, Decision, Ended, Matrix, MetricKind,
    MetricScores, Scope, VariantScores,
};

/// A row of cells: NaN is a missing grade, infinity a cell that was not asked.
pub(super) fn row(values: &[f64]) -> Option<Vec<Cell>> {
    let cell = |value: &f64| match value {
        value if value.is_nan() => Cell::Missing,
        value if value.is_infinite() => Cell::NotAsked,
        value => Cell::Value(*value),
    };
    Some(values.iter().map(cell).collect())
}

pub(super) fn matrix(rows: &[Vec<f64>]) -> Matrix {
    rows.iter().map(|values| row(values)).collect()
}

pub(super) fn metric(name: &str, candidate: &[Vec<f64>], baseline: Option<&[Vec<f64>]>) -> MetricScores {
    let kind = match name {
        "latency" | "ttft" => MetricKind::Latency,
        "output_tokens" => MetricKind::OutputTokens,
        "cost_usd" => MetricKind::Cost,
        "length" => MetricKind::Length,
        name if name.starts_with("check.") => MetricKind::Check,
        _ => MetricKind::Judge,
    };
    let scores = VariantScores { candidate: matrix(candidate), baseline: baseline.map(matrix) };
    let repeats = |rows: &[Vec<f64>]| {
        let longest = rows.iter().map(Vec::len).max().unwrap_or(0);
        u32::try_from(longest).expect("few repeats")
    };
    let (repeats, baseline_repeats) = (repeats(candidate), baseline.map_or(0, repeats));
    MetricScores {
        name: name.to_owned(),
        kind,
        repeats,
        baseline_repeats,
        deterministic_repeats: 0,
        declared_deterministic: false,
        scores,
    }
}

pub(super) fn analysis(metrics: Vec<MetricScores>) -> Analysis {
    let first = &metrics.first().expect("a metric").scores;
    let cases = first.candidate.len();
    let repeats = first.candidate.rows().flatten().map(<[Cell]>::len).max().unwrap_or(0);
    let facts = |case| CaseFacts { id: format!("c{case}"), ..CaseFacts::default() };
    Analysis {
        cases: (0..cases).map(facts).collect(),
        repeats: u32::try_from(repeats).expect("few repeats"),
        has_baseline: metrics.iter().any(|metric| metric.scores.baseline.is_some()),
        metrics,
        fresh_times: Vec::new(),
        unreviewed_price: None,
        baseline_reused: false,
        sessions_differ: false,
        stored_baseline: None,
        refusals: None,
        repeats_cached: false,
        contested: Contested::default(),
    }
}

pub(super) fn criterion(id: &str, metric: &str, requirement: Requirement) -> Criterion {
    Criterion { id: id.to_owned(), metric: metric.to_owned(), tag: None, requirement, labels: None }
}

pub(super) fn minimum(metric: &str, required: f64) -> Criterion {
    criterion(&format!("{metric}.min"), metric, Requirement::Minimum { value: required })
}

pub(super) fn not_worse(metric: &str, tolerance: f64) -> Criterion {
    criterion(&format!("{metric}.baseline"), metric, Requirement::NotWorse { tolerance })
}

pub(super) fn policy(criteria: Vec<Criterion>) -> Policy {
    Policy {
        criteria,
        repeats: 1,
        max_repeats: 1,
        rule: Rule::Evidence,
        scope: Scope::Suite,
        confidence: 0.95,
        resolution: 0.05,
        max_missing: 0.02,
        seed: 1,
    }
}

/// The decision on a completed run, in one look at all repeats.
pub(super) fn completed(analysis: &Analysis, policy: &Policy) -> Decision {
    ended(analysis, policy, &Ended::Completed)
}

/// The decision on a run with this end, in one look at all repeats.
pub(super) fn ended(analysis: &Analysis, policy: &Policy, how: &Ended) -> Decision {
    let policy = Policy { repeats: analysis.repeats, max_repeats: analysis.repeats, ..policy.clone() };
    decide(analysis, &policy, how)
}

/// The outcome of a single criterion.
pub(super) fn single_outcome(metrics: Vec<MetricScores>, criterion: Criterion) -> CriterionOutcome {
    let decision = completed(&analysis(metrics), &policy(vec![criterion]));
    decision.criteria.into_iter().next().expect("one criterion")
}

/// The metric with repeats that are certain to be the same: temperature 0 is explicit, and texts do not differ.
pub(super) fn deterministic(metric: MetricScores) -> MetricScores {
    MetricScores { deterministic_repeats: metric.repeats.max(metric.baseline_repeats), ..metric }
}

/// The same row for each of `cases` cases.
pub(super) fn same(values: &[f64], cases: usize) -> Vec<Vec<f64>> {
    vec![values.to_vec(); cases]
}
