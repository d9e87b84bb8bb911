//! Every metric as reported, and what a reader should know beside the verdict.

use crate::model::{
    Analysis, CriterionOutcome, Interval, Judged, Matrix, MetricKind, MetricScores, MetricSummary, Scope,
};
use crate::stats::{Bounds, Estimate, detectable_shift, pooled_variance, suite_mean, unseen_failure_share};

use super::evidence::{Context, Parameter};
use super::explain::{percent, points};
use super::fill::{Fill, Filled, Selection};
use super::length::{self, length_correlation};
use super::slices;
use super::weigh::{candidate_mean, mean_difference};
use super::{Policy, Rule};

/// Below so many cases t bounds are too kind near the ends of the scale.
const FEW_CASES: usize = 20;

/// Every metric, from the grades there are, with bounds in both scopes.
pub(super) fn summaries(analysis: &Analysis, policy: &Policy, context: &Context) -> Vec<MetricSummary> {
    let tags = slices::tags(analysis);
    analysis.metrics.iter().map(|metric| summary(analysis, policy, context, metric, &tags)).collect()
}

fn select<'a>(analysis: &'a Analysis, metric: &'a MetricScores, paired: bool) -> Selection<'a> {
    Selection { analysis, metric, tag: None, paired, gaps_from_fail_fast: false }
}

fn summary(
    analysis: &Analysis,
    policy: &Policy,
    context: &Context,
    metric: &MetricScores,
    tags: &[&str],
) -> MetricSummary {
    let alone = select(analysis, metric, false).fill(Fill::Observed);
    let counts = select(analysis, metric, true).counts();
    let theirs = metric.scores.baseline.is_some().then(|| baseline_alone(analysis, metric));
    let both = metric.scores.baseline.is_some().then(|| select(analysis, metric, true).fill(Fill::Observed));
    // The difference decides; where nothing is paired, the candidate's own repeats tell.
    let compared = both.as_ref().filter(|both| !both.candidate.is_empty());
    // By the repeats that were planned, as for the criteria: a missing grade does not turn the question.
    let planned = match metric.scores.baseline {
        Some(_) => metric.repeats.min(metric.baseline_repeats),
        None => metric.repeats,
    };
    let scope = context.scope(planned as usize);
    let mean = |filled: &Filled| {
        let found = (!filled.candidate.is_empty()).then(|| candidate_mean(filled, scope, context.alpha));
        found.map(|found| interval(metric.kind, Parameter::Mean, found))
    };
    let difference = |scope| {
        let found = mean_difference(compared?, scope, context.alpha)?;
        Some(interval(metric.kind, Parameter::Difference, found))
    };
    let other = match scope {
        Scope::Suite => Scope::Population,
        Scope::Population => Scope::Suite,
    };
    let rows = alone.candidate.rows().chain(theirs.iter().flat_map(|theirs| theirs.candidate.rows()));
    MetricSummary {
        name: metric.name.clone(),
        kind: metric.kind,
        candidate: mean(&alone),
        candidate_cases: alone.candidate.len(),
        candidate_missing: counts.candidate_missing,
        baseline: theirs.as_ref().and_then(mean),
        baseline_cases: theirs.as_ref().map_or(0, |theirs| theirs.candidate.len()),
        baseline_missing: if metric.scores.baseline.is_some() { counts.baseline_missing } else { 0 },
        difference: difference(scope),
        other_difference: difference(other),
        scope,
        within_case_sd: pooled_variance(rows).map(f64::sqrt),
        slices: slices::slices(analysis, context, metric, scope, tags),
        length_correlation: length_correlation(analysis, metric),
        judged: Judged::default(),
        smallest_detectable_drop: smallest_drop(context, policy, metric, &alone, both.as_ref(), scope),
    }
}

/// The baseline's own matrix, read like a candidate's.
fn baseline_alone(analysis: &Analysis, metric: &MetricScores) -> Filled {
    let empty = Matrix::default();
    let matrix = metric.scores.baseline.as_ref().unwrap_or(&empty);
    let mut filled =
        Filled { candidate: Default::default(), baseline: None, shared: Vec::new(), clusters: None };
    let mut kept = Vec::new();
    for (case, facts) in analysis.cases.iter().enumerate() {
        let matrix = if facts.shared { &metric.scores.candidate } else { matrix };
        let Some(row) = matrix.row(case) else { continue };
        let values = row.iter().filter_map(|cell| cell.value());
        if values.clone().next().is_some() {
            filled.candidate.push(values);
            filled.shared.push(false);
            kept.push(case);
        }
    }
    filled.clusters = select(analysis, metric, false).clusters(&kept);
    filled
}

/// The smallest drop found with 80 % power: against the baseline where there is one, else of the mean. In the
/// suite's scope by the last look of the schedule, whether or not the run had to go that far.
fn smallest_drop(
    context: &Context,
    policy: &Policy,
    metric: &MetricScores,
    alone: &Filled,
    both: Option<&Filled>,
    scope: Scope,
) -> Option<f64> {
    if !matches!(metric.kind, MetricKind::Check | MetricKind::Judge) {
        return None;
    }
    let (estimate, repeats) = match both {
        Some(both) => (mean_difference(both, scope, context.alpha)?.0, both.repeats()),
        None => (candidate_mean(alone, scope, context.alpha).0, alone.repeats()),
    };
    // No noise in two repeats, or no spread over cases, says too little.
    let told = estimate.standard_error > 0.0 || (scope == Scope::Suite && repeats >= 3);
    let last = policy.schedule().looks(context.alpha).pop()?;
    // Noise shrinks with repeats, the spread over cases does not.
    let shrunk = match scope {
        Scope::Suite if !context.repeats_cached => (repeats as f64 / f64::from(last.repeats)).sqrt().min(1.0),
        _ => 1.0,
    };
    (told && estimate.standard_error.is_finite())
        .then(|| detectable_shift(estimate.standard_error * shrunk, last.alpha))
}

/// An estimate with its bounds as they are reported.
pub(super) fn interval(
    kind: MetricKind,
    parameter: Parameter,
    (estimate, bounds): (Estimate, Bounds),
) -> Interval {
    let reported = |bound: Option<f64>| bound.map(|bound| parameter.reported(kind, bound));
    Interval { mean: estimate.mean, lower: reported(bounds.lower), upper: reported(bounds.upper) }
}

/// The largest share of missing grades of a gated metric in either variant, and whose it is.
pub(super) fn share_missing(analysis: &Analysis, policy: &Policy) -> Option<(f64, String)> {
    let gated =
        |metric: &&MetricScores| policy.criteria.iter().any(|criterion| criterion.metric == metric.name);
    let shares = analysis.metrics.iter().filter(gated).flat_map(|metric| {
        let counts = select(analysis, metric, metric.scores.baseline.is_some()).counts();
        let share = |missing: usize, graded: usize, whose: &str| {
            let all = missing + graded;
            (missing > 0)
                .then(|| (missing as f64 / all as f64, format!("the {whose}'s grades of {}", metric.name)))
        };
        [
            share(counts.candidate_missing, counts.candidate, "candidate"),
            share(counts.baseline_missing, counts.baseline, "baseline"),
        ]
    });
    shares.flatten().fold(None, |most: Option<(f64, String)>, next| match most {
        Some(most) if most.0 >= next.0 => Some(most),
        _ => Some(next),
    })
}

/// Things a reader should know.
pub(super) fn warnings(
    analysis: &Analysis,
    policy: &Policy,
    context: &Context,
    criteria: &[CriterionOutcome],
) -> Vec<String> {
    let mut warnings = Vec::new();
    if policy.rule == Rule::Point {
        warnings.push(
            "rule: point compares plain averages; it fails an unchanged prompt about half of the time and lets \
             real drops through"
                .to_owned(),
        );
    }
    if analysis.repeats_cached {
        warnings.push(
            "all repeats of a variant are the same text although its temperature is above 0: a cache seems to \
             answer, so repeats count as one"
                .to_owned(),
        );
    }
    if context.scope == Scope::Suite && (analysis.repeats < 2 || analysis.repeats_cached) {
        warnings.push(
            "with one repeat the noise of answers and judge is not known; decided as if the cases were a sample of \
             traffic (scope: population)"
                .to_owned(),
        );
    }
    let cases = analysis.cases.len();
    if cases < FEW_CASES {
        let drop = match policy.resolution {
            0.0 => "a small drop".to_owned(),
            resolution => format!("a drop of {}", points(resolution)),
        };
        warnings.push(format!(
            "{cases} {} few: below {FEW_CASES}, scores near the ends of the scale let {drop} pass more often than \
             intended (up to 17 % of the time at 10)",
            if cases == 1 { "case is" } else { "cases are" },
        ));
    }
    let unseen = unseen_failure_share(cases, context.alpha);
    if cases > 0 && unseen >= 0.01 {
        warnings.push(format!(
            "{cases} {} without a failure could not exclude that {} of traffic fails",
            if cases == 1 { "case" } else { "cases" },
            percent(unseen)
        ));
    }
    if analysis.sessions_differ {
        warnings.push(
            "the baseline was answered in an earlier session: drift since then counts as a difference, and the rate \
             of false failures depends on that one draw"
                .to_owned(),
        );
    }
    warnings.extend(noiseless(analysis, policy, context, criteria));
    let permuted = criteria.iter().filter(|outcome| outcome.kind == "baseline" && outcome.method == "t");
    warnings.extend(
        permuted
            .map(|outcome| format!("{}: too many scores to permute; its p is from Student's t", outcome.id)),
    );
    warnings.extend(
        analysis
            .metrics
            .iter()
            .filter_map(|metric| length::warning(&metric.name, length_correlation(analysis, metric)?)),
    );
    warnings
}

/// Judged metrics without any noise that gate, over all cases or a slice, and whether that is thin evidence.
fn noiseless(
    analysis: &Analysis,
    policy: &Policy,
    context: &Context,
    criteria: &[CriterionOutcome],
) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (criterion, outcome) in policy.criteria.iter().zip(criteria) {
        let judged = analysis.metric(&criterion.metric).filter(|metric| metric.kind == MetricKind::Judge);
        let Some(metric) = judged.filter(|_| outcome.method == "literal") else { continue };
        let selection = Selection { tag: criterion.tag.as_deref(), ..select(analysis, metric, false) };
        let filled = selection.fill(Fill::Observed);
        // The same requests on both sides are compared literally too, however noisy their answers.
        let quiet = suite_mean(&filled.candidate).standard_error == 0.0;
        if !quiet || context.scope(analysis.repeats as usize) != Scope::Suite {
            continue;
        }
        let trials = filled.candidate.values().len();
        // So many clean trials rule out a failing share of the resolution: ln(alpha) / ln(1 - rho).
        let enough = context.alpha.ln() / (1.0 - policy.resolution).ln();
        let thin = if enough.is_finite() && (trials as f64) < enough {
            format!("; {trials} trials are thin evidence, {} would be enough", enough.ceil())
        } else {
            String::new()
        };
        let slice = criterion.tag.as_ref().map(|tag| format!(" on cases tagged {tag}")).unwrap_or_default();
        let warning = format!(
            "{}{slice} shows no noise between repeats, so it is compared as it is{thin}",
            metric.name
        );
        if !found.contains(&warning) {
            found.push(warning);
        }
    }
    found
}
