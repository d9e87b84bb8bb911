//! Every metric as reported.

use crate::model::{
    Analysis, Interval, Judged, Matrix, MetricKind, MetricScores, MetricSummary, Policy, Scope,
    VariantSummary,
};
use crate::stats::{Repeated, detectable_shift, pooled_variance};

use super::attribution::carried_by;
use super::evidence::{Context, Parameter};
use super::fill::{Fill, FilledScores, Selection};
use super::length_bias::length_correlation;
use super::means::{Bounded, candidate_mean, mean_difference};
use super::slices;

/// Every metric, from existing grades, with bounds in both scopes.
pub(super) fn summaries(analysis: &Analysis, policy: &Policy, context: &Context) -> Vec<MetricSummary> {
    let tags = slices::tags(analysis);
    let summary = |(index, metric)| MetricSummary {
        carried_by: carried_by(analysis, index, policy.seed),
        ..summary(analysis, policy, context, metric, &tags)
    };
    analysis.metrics.iter().enumerate().map(summary).collect()
}

fn summary(
    analysis: &Analysis,
    policy: &Policy,
    context: &Context,
    metric: &MetricScores,
    tags: &[&str],
) -> MetricSummary {
    let candidate = Selection::all(analysis, metric, false).fill(Fill::Observed);
    let paired = Selection::all(analysis, metric, true);
    let counts = paired.counts();
    let has_baseline = metric.scores.baseline.is_some();
    let baseline = has_baseline.then(|| baseline_scores(analysis, metric));
    let both = has_baseline.then(|| paired.fill(Fill::Observed));
    let compared = both.as_ref().filter(|both| !both.candidate.is_empty());
    // From the planned repeats, as for criteria, so that a missing grade does not change the scope.
    let planned = match metric.scores.baseline {
        Some(_) => metric.repeats.min(metric.baseline_repeats),
        None => metric.repeats,
    };
    let scope = context.scope(planned as usize);
    let variant = |filled: &FilledScores, repeats, missing| {
        let estimated = (!filled.candidate.is_empty()).then(|| candidate_mean(filled, scope, context));
        let mean = estimated.map(|estimated| interval(metric.kind, Parameter::Mean, estimated));
        VariantSummary {
            mean: mean.map(|mean| mean.mean),
            lower: mean.and_then(|mean| mean.lower),
            upper: mean.and_then(|mean| mean.upper),
            n: filled.candidate.len(),
            repeats,
            missing,
        }
    };
    let difference = |scope| {
        let estimated = mean_difference(compared?, scope, context)?;
        Some(interval(metric.kind, Parameter::Difference, estimated))
    };
    let other = match scope {
        Scope::Suite => Scope::Population,
        Scope::Population => Scope::Suite,
    };
    let rows =
        candidate.candidate.rows().chain(baseline.iter().flat_map(|baseline| baseline.candidate.rows()));
    MetricSummary {
        name: metric.name.clone(),
        kind: metric.kind,
        candidate: variant(&candidate, metric.repeats, counts.candidate_missing),
        // A baseline of which every grade is missing is reported with their number, not as absent.
        baseline: baseline
            .as_ref()
            .map(|baseline| variant(baseline, metric.baseline_repeats, counts.baseline_missing)),
        difference: difference(scope),
        other_scope_difference: difference(other),
        scope,
        repeats: metric.repeats,
        noise: pooled_variance(rows).map(f64::sqrt),
        slices: slices::slices(analysis, context, metric, scope, tags),
        carried_by: None,
        length_correlation: length_correlation(analysis, metric),
        judged: (metric.kind == MetricKind::Judge).then(Judged::default),
        smallest_detectable_drop: smallest_drop(context, policy, metric, &candidate, both.as_ref(), scope),
    }
}

/// The baseline's scores in place of a candidate's.
fn baseline_scores(analysis: &Analysis, metric: &MetricScores) -> FilledScores {
    let empty = Matrix::default();
    let matrix = metric.scores.baseline.as_ref().unwrap_or(&empty);
    let (mut scores, mut included) = (Repeated::default(), Vec::new());
    for (case, facts) in analysis.cases.iter().enumerate() {
        let matrix = if facts.shared { &metric.scores.candidate } else { matrix };
        let Some(row) = matrix.row(case) else { continue };
        let values = row.iter().filter_map(|cell| cell.value());
        if values.clone().next().is_some() {
            scores.push(values);
            included.push(case);
        }
    }
    FilledScores {
        candidate: scores,
        baseline: None,
        shared: vec![false; included.len()],
        clusters: Selection::all(analysis, metric, false).clusters(&included),
        may_vary: false,
        pairwise: false,
        is_certain: false,
    }
}

/// The smallest drop detected with 80 % power: against the baseline, or of the mean without one. In the suite's scope at
/// the last look of the schedule, even if the run did not get that far.
fn smallest_drop(
    context: &Context,
    policy: &Policy,
    metric: &MetricScores,
    candidate: &FilledScores,
    both: Option<&FilledScores>,
    scope: Scope,
) -> Option<f64> {
    if !matches!(metric.kind, MetricKind::Check | MetricKind::Judge) {
        return None;
    }
    let (estimate, repeats) = match both {
        Some(both) => (mean_difference(both, scope, context)?.cautious, both.repeats()),
        None => (candidate_mean(candidate, scope, context).cautious, candidate.repeats()),
    };
    // No noise in two repeats, or no spread over cases, is too little evidence.
    let known = estimate.standard_error > 0.0 || (scope == Scope::Suite && repeats >= 3);
    let last = policy.schedule().looks(context.alpha).pop()?;
    // Noise shrinks with repeats, spread over cases does not.
    let shrunk = match scope {
        Scope::Suite if !context.repeats_cached => (repeats as f64 / f64::from(last.repeats)).sqrt().min(1.0),
        _ => 1.0,
    };
    (known && estimate.standard_error.is_finite())
        .then(|| detectable_shift(estimate.standard_error * shrunk, last.alpha))
}

/// An estimate with its reported bounds.
pub(super) fn interval(
    kind: MetricKind,
    parameter: Parameter,
    Bounded { estimate, bounds, .. }: Bounded,
) -> Interval {
    let reported = |bound: Option<f64>| bound.map(|bound| parameter.reported(kind, bound));
    Interval { mean: estimate.mean, lower: reported(bounds.lower), upper: reported(bounds.upper) }
}
