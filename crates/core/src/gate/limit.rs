//! Limits on latency, tokens and cost, absolute or relative to the baseline.

use crate::model::{Bound, Rule, Statistic};
use crate::stats::{Estimate, nearest_rank, quantile_bounds, quantile_p_above, suite_mean, t_bounds};

use super::evidence::{Context, EXACT, Evidence, Ruling, literal_verdict};
use super::fill::FilledScores;
use super::mean_test::MeanTest;
use super::means::{candidate_estimate, contrast};

/// Overshoots above this share of the limit must be ruled out.
const SLACK: f64 = 0.05;

/// The evidence on a limit. `None` if it is relative and there is no baseline.
pub(super) fn limit(
    context: &Context,
    filled: &FilledScores,
    statistic: Statistic,
    bound: Bound,
) -> Option<Evidence> {
    match statistic {
        Statistic::Mean => mean_limit(context, filled, bound),
        Statistic::P50 => percentile_limit(context, filled, 0.50, bound),
        Statistic::P95 => percentile_limit(context, filled, 0.95, bound),
    }
}

/// The overshoot above which all must be ruled out: 0 if the policy has a resolution of 0.
fn slack(context: &Context, limit: f64) -> f64 {
    if context.resolution == 0.0 { 0.0 } else { SLACK * limit }
}

/// A limit on the mean over cases: a threshold on the negated mean. A relative limit tests
/// candidate - (1 + increase) baseline, which keeps the pairing.
fn mean_limit(context: &Context, filled: &FilledScores, bound: Bound) -> Option<Evidence> {
    let repeats = filled.repeats();
    let scope = context.scope(repeats);
    // The offset reports the candidate's mean against a limit, not a contrast against 0.
    let (estimate, offset, limit) = match bound {
        Bound::Absolute(limit) => (candidate_estimate(filled, scope), 0.0, limit),
        Bound::MaxIncrease(increase) => {
            let factor = 1.0 + increase;
            let offset = factor * suite_mean(filled.baseline.as_ref()?).mean;
            (contrast(filled, scope, factor)?, offset, offset)
        }
    };
    let shifted = Estimate { mean: estimate.mean + offset, ..estimate };
    let mirrored = shifted.negated();
    let test = MeanTest {
        scope,
        estimate: mirrored,
        cautious: mirrored,
        bounds: t_bounds(mirrored, context.alpha),
        required: -limit,
        slack: slack(context, limit),
        must_meet: true,
        repeats,
        cases: filled.candidate.len(),
        units: filled.units(),
        certain: false,
        may_vary: false,
        gains_by_repeats: !(context.baseline_reused && matches!(bound, Bound::MaxIncrease(_))),
        p: None,
    };
    let mut evidence = test.evidence(context);
    if !estimate.standard_error.is_finite() && context.rule == Rule::Evidence {
        // A single case has no interval, so its value is compared with the limit.
        evidence.ruling = Ruling::Literal(literal_verdict(shifted.mean <= limit + EXACT));
        evidence.in_family = false;
        "literal (too few values for an interval)".clone_into(&mut evidence.method);
    }
    let (lower, upper) = (evidence.upper.map(|upper| -upper), evidence.lower.map(|lower| -lower));
    Some(Evidence { estimate: Some(shifted.mean), lower, upper, required: limit, ..evidence })
}

/// A limit on a percentile over trials, with bounds from order statistics; a literal comparison if there are none.
fn percentile_limit(context: &Context, filled: &FilledScores, level: f64, bound: Bound) -> Option<Evidence> {
    let sorted = ascending(filled.candidate.values());
    let estimate = nearest_rank(&sorted, level)?;
    let bounds = quantile_bounds(&sorted, level, context.alpha);
    // (limit, upper bound of the overshoot, p)
    let (limit, overshoot, p) = match bound {
        Bound::Absolute(limit) => {
            (limit, bounds.upper.map(|upper| upper - limit), quantile_p_above(&sorted, level, limit))
        }
        Bound::MaxIncrease(increase) => {
            let theirs = ascending(filled.baseline.as_ref()?.values());
            let factor = 1.0 + increase;
            // Half of alpha for each side, so that both bounds hold together.
            let ours_half = quantile_bounds(&sorted, level, context.alpha / 2.0);
            let theirs_half = quantile_bounds(&theirs, level, context.alpha / 2.0);
            let overshoot =
                ours_half.upper.zip(theirs_half.lower).map(|(upper, lower)| upper - factor * lower);
            (factor * nearest_rank(&theirs, level)?, overshoot, relative_p(&sorted, &theirs, level, factor))
        }
    };
    let meets = estimate <= limit + EXACT;
    let mut evidence = Evidence {
        lower: bounds.lower,
        upper: bounds.upper,
        ..Evidence::literal(estimate, limit, literal_verdict(meets))
    };
    if context.rule == Rule::Point {
        "point".clone_into(&mut evidence.method);
        return Some(evidence);
    }
    let Some(overshoot) = overshoot else {
        "literal (too few trials for an interval)".clone_into(&mut evidence.method);
        return Some(evidence);
    };
    evidence.in_family = true;
    evidence.p = Some(p);
    "order statistics".clone_into(&mut evidence.method);
    evidence.ruling = Ruling::Statistical { ruled_out: meets && overshoot <= slack(context, limit) + EXACT };
    Some(evidence)
}

/// The smallest alpha at which the candidate's lower bound is above `factor` times the baseline's upper bound, each at half
/// of that alpha, by bisection; 1 if there is none.
fn relative_p(ours: &[f64], theirs: &[f64], level: f64, factor: f64) -> f64 {
    let exceeds = |alpha: f64| {
        let lower = quantile_bounds(ours, level, alpha / 2.0).lower;
        let upper = quantile_bounds(theirs, level, alpha / 2.0).upper;
        lower.zip(upper).is_some_and(|(lower, upper)| lower > factor * upper)
    };
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    if !exceeds(high) {
        return 1.0;
    }
    for _ in 0..50 {
        let middle = f64::midpoint(low, high);
        if exceeds(middle) { high = middle } else { low = middle }
    }
    high
}

fn ascending(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}
