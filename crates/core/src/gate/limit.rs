//! Limits on latency, tokens and cost, absolute or relative to the baseline.

use crate::model::{Bound, MetricKind, Need, Rule, Statistic};
use crate::stats::{
    Estimate, Repeated, nearest_rank, quantile_bounds, quantile_p_above, suite_mean, t_bounds,
};

use super::evidence::{Context, EXACT, Evidence, Ruling, literal_verdict};
use super::fill::FilledScores;
use super::mean_test::{MeanTest, not_worse};
use super::means::{candidate_estimate, contrast};
use super::schedule::Look;

/// The shortest latency that counts, in seconds: its logarithm is finite.
const MIN_LATENCY: f64 = 1e-6;

/// The method of a relative percentile limit that lacks trials.
pub(super) const TOO_FEW_TRIALS: &str = "order statistics (too few trials for an interval)";

/// Overshoots above this share of the limit must be ruled out.
const SLACK: f64 = 0.05;

/// The evidence on a limit. `None` if it is relative and there is no baseline.
pub(super) fn limit(
    context: &Context,
    filled: &FilledScores,
    kind: MetricKind,
    (statistic, bound): (Statistic, Bound),
) -> Option<Evidence> {
    match statistic {
        Statistic::Mean => mean_limit(context, filled, bound),
        Statistic::P50 => match bound {
            Bound::MaxIncrease(increase) if kind == MetricKind::Latency => {
                median_ratio(context, filled, increase)
            }
            _ => percentile_limit(context, filled, 0.50, bound),
        },
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
        fixed_variance: 0.0,
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
        if let Bound::MaxIncrease(_) = bound {
            // Two percentiles of few trials differ by chance alone, so they are not compared literally.
            return Some(too_few_trials(context, filled, level, p, evidence));
        }
        "literal (too few trials for an interval)".clone_into(&mut evidence.method);
        return Some(evidence);
    };
    evidence.in_family = true;
    evidence.p = Some(p);
    "order statistics".clone_into(&mut evidence.method);
    evidence.ruling = Ruling::Statistical { ruled_out: meets && overshoot <= slack(context, limit) + EXACT };
    Some(evidence)
}

/// A relative limit on a percentile of fewer trials than its interval needs: undecided, unless the excess is shown.
fn too_few_trials(
    context: &Context,
    filled: &FilledScores,
    level: f64,
    p: f64,
    evidence: Evidence,
) -> Evidence {
    let trials = filled
        .candidate
        .values()
        .len()
        .min(filled.baseline.as_ref().map_or(0, |baseline| baseline.values().len()));
    let per_repeat = trials as f64 / f64::from(context.repeats.max(1));
    // Half of alpha for each side, as for the bounds.
    let needed = |alpha: f64| (alpha / 2.0).ln() / level.ln();
    let settles = |look: Look| per_repeat * f64::from(look.repeats) >= needed(look.alpha);
    let more = context.schedule.repeats_to_settle(context.repeats, context.run_alpha, settles);
    let more = more.filter(|_| !context.baseline_reused).map(|total| (total - context.repeats) as usize);
    Evidence {
        p: Some(p),
        in_family: true,
        method: TOO_FEW_TRIALS.to_owned(),
        ruling: Ruling::Statistical { ruled_out: false },
        need: more.map(Need::Repeats),
        ..evidence
    }
}

/// A relative limit on the median of latencies: log latencies are permuted within each case, so that slow cases and rare
/// slow answers do not hide the ratio. It passes if the median meets the limit and a larger ratio is ruled out.
fn median_ratio(context: &Context, filled: &FilledScores, increase: f64) -> Option<Evidence> {
    let baseline = filled.baseline.as_ref()?;
    let (factor, level) = (1.0 + increase, 0.50);
    let ours = nearest_rank(&ascending(filled.candidate.values()), level)?;
    let theirs = nearest_rank(&ascending(baseline.values()), level)?;
    let limit = factor * theirs;
    let meets = ours <= limit + EXACT;
    if context.rule == Rule::Point {
        let point = Evidence::literal(ours, limit, literal_verdict(meets));
        return Some(Evidence { method: "point".to_owned(), ..point });
    }
    // Negated, so that a loss is a lower value.
    let logs = |scores: &Repeated| -> Repeated {
        scores.rows().map(|row| row.iter().map(|value| -value.max(MIN_LATENCY).ln())).collect()
    };
    let logs = FilledScores {
        candidate: logs(&filled.candidate),
        baseline: Some(logs(baseline)),
        may_vary: false,
        is_certain: false,
        ..filled.clone()
    };
    let slack = if context.resolution == 0.0 { 0.0 } else { SLACK.ln_1p() };
    let narrow = Context { resolution: slack, ..*context };
    let evidence = not_worse(&narrow, &logs, factor.ln());
    let reported = |bound: Option<f64>, outer: fn(f64, f64) -> f64| {
        bound.map(|bound| outer(ours, theirs * (-bound).exp()))
    };
    let ruling = match evidence.ruling {
        Ruling::Statistical { ruled_out } => Ruling::Statistical { ruled_out: ruled_out && meets },
        // Every latency of a case is the same.
        Ruling::Literal(_) => Ruling::Literal(literal_verdict(meets)),
    };
    Some(Evidence {
        estimate: Some(ours),
        lower: reported(evidence.upper, f64::min),
        upper: reported(evidence.lower, f64::max),
        required: limit,
        // A median within the limit is no miss.
        p: evidence.p.map(|p| if meets { 1.0 } else { p }),
        ruling,
        ..evidence
    })
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
