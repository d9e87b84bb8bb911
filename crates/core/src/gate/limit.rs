//! Limits on latency, tokens and cost: at most a bound, absolute or relative to the baseline.

use crate::model::Scope;
use crate::stats::{
    Estimate, nearest_rank, population_mean, quantile_bounds, quantile_p_above, suite_contrast, suite_mean,
    t_bounds,
};

use super::evidence::{Context, EXACT, Evidence, Ruling, literally};
use super::fill::Filled;
use super::weigh::{Question, weigh};
use super::{Bound, Rule, Statistic};

/// The overshoot that must be ruled out, as a share of the limit.
const SLACK: f64 = 0.05;

/// Decides a limit. `None` where it is relative and there is no baseline.
pub(super) fn limit(
    context: &Context,
    filled: &Filled,
    statistic: Statistic,
    bound: Bound,
) -> Option<Evidence> {
    match statistic {
        Statistic::Mean => mean_limit(context, filled, bound),
        Statistic::P50 => percentile_limit(context, filled, 0.50, bound),
        Statistic::P95 => percentile_limit(context, filled, 0.95, bound),
    }
}

/// The share of the limit that may stay open; none where the policy asks for proof.
fn slack(context: &Context, limit: f64) -> f64 {
    if context.resolution == 0.0 { 0.0 } else { SLACK * limit }
}

/// Mean over cases, by the mirror image of a threshold. A relative one looks at candidate - (1 + increase)
/// baseline, which keeps the pairing.
fn mean_limit(context: &Context, filled: &Filled, bound: Bound) -> Option<Evidence> {
    let repeats = filled.repeats();
    let scope = context.scope(repeats);
    let (estimate, offset): (Estimate, f64) = match bound {
        Bound::Absolute(_) => {
            let estimate = match scope {
                Scope::Suite => suite_mean(&filled.candidate),
                Scope::Population => {
                    population_mean(&filled.candidate.row_means(), filled.clusters.as_deref())
                }
            };
            (estimate, 0.0)
        }
        Bound::MaxIncrease(increase) => {
            let baseline = filled.baseline.as_ref()?;
            let factor = 1.0 + increase;
            let estimate = match scope {
                Scope::Suite => suite_contrast(&filled.candidate, baseline, &filled.shared, factor),
                Scope::Population => {
                    let means = filled.candidate.row_means();
                    let contrasts: Vec<f64> = means
                        .iter()
                        .zip(baseline.row_means())
                        .map(|(ours, theirs)| ours - factor * theirs)
                        .collect();
                    population_mean(&contrasts, filled.clusters.as_deref())
                }
            };
            // Shown as the candidate's mean against a limit, not as a contrast against 0.
            (estimate, factor * suite_mean(baseline).mean)
        }
    };
    let limit = match bound {
        Bound::Absolute(limit) => limit,
        Bound::MaxIncrease(_) => offset,
    };
    let shifted = Estimate { mean: estimate.mean + offset, ..estimate };
    let mirrored = shifted.negated();
    let question = Question {
        scope,
        estimate: mirrored,
        bounds: t_bounds(mirrored, context.alpha),
        required: -limit,
        slack: slack(context, limit),
        must_meet: true,
        repeats,
        units: filled.units(),
        certain: false,
        gains: !(context.baseline_reused && matches!(bound, Bound::MaxIncrease(_))),
        test: None,
    };
    let mut evidence = weigh(context, &question);
    if !estimate.standard_error.is_finite() && context.rule == Rule::Evidence {
        // One case once: no interval, so the number itself against the limit.
        evidence.ruling = Ruling::Literal(literally(shifted.mean <= limit + EXACT));
        evidence.in_family = false;
        "literal (too few values for an interval)".clone_into(&mut evidence.method);
    }
    let (lower, upper) = (evidence.upper.map(|upper| -upper), evidence.lower.map(|lower| -lower));
    Some(Evidence { estimate: Some(shifted.mean), lower, upper, required: limit, ..evidence })
}

/// A percentile over trials, with bounds from order statistics; literal where there are none.
fn percentile_limit(context: &Context, filled: &Filled, level: f64, bound: Bound) -> Option<Evidence> {
    let sorted = ascending(filled.candidate.values());
    let estimate = nearest_rank(&sorted, level)?;
    let bounds = quantile_bounds(&sorted, level, context.alpha);
    // (limit, upper bound to hold against it, p)
    let (limit, proof, p) = match bound {
        Bound::Absolute(limit) => {
            (limit, bounds.upper.map(|upper| upper - limit), quantile_p_above(&sorted, level, limit))
        }
        Bound::MaxIncrease(increase) => {
            let theirs = ascending(filled.baseline.as_ref()?.values());
            let factor = 1.0 + increase;
            // Half of alpha for each side: then both bounds hold at once.
            let ours_half = quantile_bounds(&sorted, level, context.alpha / 2.0);
            let theirs_half = quantile_bounds(&theirs, level, context.alpha / 2.0);
            let proof = ours_half.upper.zip(theirs_half.lower).map(|(upper, lower)| upper - factor * lower);
            (factor * nearest_rank(&theirs, level)?, proof, relative_p(&sorted, &theirs, level, factor))
        }
    };
    let meets = estimate <= limit + EXACT;
    let mut evidence = Evidence {
        lower: bounds.lower,
        upper: bounds.upper,
        ..Evidence::literal(estimate, limit, literally(meets))
    };
    if context.rule == Rule::Point {
        "point".clone_into(&mut evidence.method);
        return Some(evidence);
    }
    let Some(overshoot) = proof else {
        "literal (too few trials for an interval)".clone_into(&mut evidence.method);
        return Some(evidence);
    };
    evidence.in_family = true;
    evidence.p = Some(p);
    "order statistics".clone_into(&mut evidence.method);
    evidence.ruling = Ruling::Weighed { ruled_out: meets && overshoot <= slack(context, limit) + EXACT };
    Some(evidence)
}

/// The smallest alpha at which the candidate's lower bound lies above `factor` times the baseline's upper one,
/// each at half of it, by bisection; 1 where there is none.
fn relative_p(ours: &[f64], theirs: &[f64], level: f64, factor: f64) -> f64 {
    let apart = |alpha: f64| {
        let lower = quantile_bounds(ours, level, alpha / 2.0).lower;
        let upper = quantile_bounds(theirs, level, alpha / 2.0).upper;
        lower.zip(upper).is_some_and(|(lower, upper)| lower > factor * upper)
    };
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    if !apart(high) {
        return 1.0;
    }
    for _ in 0..50 {
        let middle = f64::midpoint(low, high);
        if apart(middle) { high = middle } else { low = middle }
    }
    high
}

fn ascending(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}
