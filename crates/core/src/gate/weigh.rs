//! Means against requirements: thresholds and the comparison with the baseline.

use crate::model::{Need, Scope};
use crate::stats::{
    Bounds, Estimate, population_mean, proportion_p_below, sign_flip, student_t_cdf, student_t_quantile,
    suite_contrast, suite_mean, t_bounds, tango, tango_p_worse, units_to_settle, wilson, within_cases,
};

use super::evidence::{Context, EXACT, Evidence, Ruling, literally};
use super::fill::Filled;
use super::{Look, Rule};

/// Below this many independent units a population is not vouched for.
const MIN_UNITS: usize = 10;

/// A mean with all that its verdict needs; the requirement has the form "at least".
#[derive(Debug, Clone, Copy)]
pub(super) struct Question {
    /// The scope that decides.
    pub(super) scope: Scope,
    /// The estimate.
    pub(super) estimate: Estimate,
    /// Its bounds.
    pub(super) bounds: Bounds,
    /// What is required.
    pub(super) required: f64,
    /// The shortfall that must be ruled out.
    pub(super) slack: f64,
    /// Whether the estimate has to meet the requirement too.
    pub(super) must_meet: bool,
    /// Repeats of the case that has fewest.
    pub(super) repeats: usize,
    /// Independent units of a population.
    pub(super) units: usize,
    /// Whether the estimate is certain by construction.
    pub(super) certain: bool,
    /// Whether further repeats tell more of it: not where the baseline's are those of an earlier run.
    pub(super) gains: bool,
    /// The p and its method; `None`: the tail of t.
    pub(super) test: Option<(f64, &'static str)>,
}

/// Weighs a mean against its requirement.
pub(super) fn weigh(context: &Context, question: &Question) -> Evidence {
    let Question { estimate, bounds, required, .. } = *question;
    let meets = estimate.mean >= required - EXACT;
    let mut evidence = Evidence {
        lower: bounds.lower,
        upper: bounds.upper,
        ..Evidence::literal(estimate.mean, required, literally(meets))
    };
    if context.rule == Rule::Point {
        "point".clone_into(&mut evidence.method);
        return evidence;
    }
    evidence.in_family = true;
    let noiseless = estimate.standard_error == 0.0;
    let literal = question.certain
        || match question.scope {
            Scope::Suite => noiseless && question.repeats >= 3,
            // A score or permutation test needs no standard error; the tail of t does.
            Scope::Population => noiseless && question.test.is_none() && question.units >= MIN_UNITS,
        };
    if literal {
        return evidence;
    }
    let tail = || {
        (
            student_t_cdf((estimate.mean - required) / estimate.standard_error, estimate.degrees_of_freedom),
            "t",
        )
    };
    let known = !noiseless && estimate.standard_error.is_finite();
    let test = question.test.or_else(|| known.then(tail));
    evidence.p = test.map(|(p, _)| p).filter(|p| p.is_finite());
    test.map_or("none", |(_, method)| method).clone_into(&mut evidence.method);
    let enough = match question.scope {
        Scope::Suite => !noiseless,
        Scope::Population => question.units >= MIN_UNITS,
    };
    let within = bounds.lower.is_some_and(|lower| lower >= required - question.slack - EXACT);
    let ruled_out = enough && within && (meets || !question.must_meet);
    evidence.ruling = Ruling::Weighed { ruled_out };
    if !ruled_out {
        evidence.need = need(context, question, meets, enough);
    } else if question.scope == Scope::Suite {
        let more = repeats_to_settle(context, question, estimate.mean - (required - question.slack));
        evidence.holds_from = more.map(|more| context.repeats as usize + more);
    }
    evidence
}

/// What would settle the question if the estimate stays where it is.
fn need(context: &Context, question: &Question, meets: bool, enough: bool) -> Option<Need> {
    let Question { estimate, bounds, required, slack, .. } = *question;
    // Down to the lower bound a pass is at stake, up to the upper one a fail.
    let below = bounds.lower.map(|lower| (estimate.mean - lower, estimate.mean - (required - slack)));
    let above = bounds.upper.map(|upper| (upper - estimate.mean, required - estimate.mean));
    let ways = match (meets, question.must_meet) {
        (true, _) => [below, None],
        (false, true) => [None, above],
        (false, false) => [below, above],
    };
    let ways = ways.into_iter().flatten();
    match question.scope {
        Scope::Suite if !enough => question.gains.then_some(Need::Repeats(1)),
        Scope::Suite => {
            let more = |(_, margin)| repeats_to_settle(context, question, margin);
            ways.filter_map(more).min().map(Need::Repeats)
        }
        // More cases leave the looks as they are.
        Scope::Population => {
            let total =
                ways.filter_map(|(reach, margin)| units_to_settle(question.units, reach, margin)).min();
            let fewest = (!enough).then_some(MIN_UNITS);
            total.max(fewest).map(|total| Need::Cases(total.saturating_sub(question.units).max(1)))
        }
    }
}

/// The repeats beyond those of this look until t reaches no further than `margin`, at the alpha of the look that reads
/// them: standard errors fall with the root of the repeats, degrees of freedom grow with them. `None` where repeats are
/// not to be had.
fn repeats_to_settle(context: &Context, question: &Question, margin: f64) -> Option<usize> {
    let Estimate { standard_error, degrees_of_freedom, .. } = question.estimate;
    let now = Some(context.repeats).filter(|now| *now >= 2 && margin > 0.0 && question.gains)?;
    let settles = |look: Look| {
        let freedom = degrees_of_freedom * f64::from(look.repeats - 1) / f64::from(now - 1);
        let error = standard_error * (f64::from(now) / f64::from(look.repeats)).sqrt();
        student_t_quantile(1.0 - look.alpha, freedom) * error <= margin
    };
    let total = context.schedule.repeats_to_settle(now, context.run_alpha, settles)?;
    Some((total - now) as usize)
}

/// The candidate's mean in a scope, with bounds; Wilson's for 0/1 scores of a population.
pub(super) fn candidate_mean(filled: &Filled, scope: Scope, alpha: f64) -> (Estimate, Bounds) {
    let estimate = match scope {
        Scope::Suite => suite_mean(&filled.candidate),
        Scope::Population => population_mean(&filled.candidate.row_means(), filled.clusters.as_deref()),
    };
    let bounds = match zeros_and_ones(filled, scope) {
        Some(Binary { candidate, cases, .. }) => wilson(candidate, cases, alpha),
        None => t_bounds(estimate, alpha),
    };
    (estimate, bounds)
}

/// The mean difference in a scope, with bounds; Tango's for 0/1 scores of a population. `None` where the scores
/// are not paired.
pub(super) fn mean_difference(filled: &Filled, scope: Scope, alpha: f64) -> Option<(Estimate, Bounds)> {
    let baseline = filled.baseline.as_ref()?;
    let estimate = match scope {
        Scope::Suite => suite_contrast(&filled.candidate, baseline, &filled.shared, 1.0),
        Scope::Population => population_mean(&differences(filled), filled.clusters.as_deref()),
    };
    let bounds = match zeros_and_ones(filled, scope) {
        Some(Binary { cases, losses, gains, .. }) => tango(cases, losses, gains, alpha),
        None => t_bounds(estimate, alpha),
    };
    Some((estimate, bounds))
}

/// A threshold: the candidate's mean is at least `required`.
pub(super) fn threshold(context: &Context, filled: &Filled, required: f64) -> Evidence {
    let repeats = filled.candidate.shortest();
    let scope = context.scope(repeats);
    let (estimate, bounds) = candidate_mean(filled, scope, context.alpha);
    let test = zeros_and_ones(filled, scope)
        .map(|binary| (proportion_p_below(binary.candidate, binary.cases, required), "wilson"));
    let question = Question {
        scope,
        estimate,
        bounds,
        required,
        slack: context.resolution,
        must_meet: true,
        repeats,
        units: filled.units(),
        certain: false,
        gains: true,
        test,
    };
    weigh(context, &question)
}

/// No regression: the mean difference is at least `-tolerance`.
pub(super) fn not_worse(context: &Context, filled: &Filled, tolerance: f64) -> Evidence {
    let repeats = filled.repeats();
    let scope = context.scope(repeats);
    let Some((estimate, bounds)) = mean_difference(filled, scope, context.alpha) else {
        return Evidence::none(-tolerance);
    };
    let own = filled.shared.iter().filter(|shared| !**shared).count();
    let test = if own == 0 || context.rule == Rule::Point {
        None
    } else {
        regression_test(context, filled, scope, tolerance, own)
    };
    let question = Question {
        scope,
        estimate,
        bounds,
        required: -tolerance,
        slack: context.resolution,
        must_meet: false,
        repeats,
        units: filled.units(),
        // The same requests throughout: the difference is 0 because it cannot be anything else.
        certain: own == 0,
        gains: !context.baseline_reused,
        test,
    };
    weigh(context, &question)
}

/// The p of a regression by permutation; `None` where that would take too many draws.
fn regression_test(
    context: &Context,
    filled: &Filled,
    scope: Scope,
    tolerance: f64,
    own: usize,
) -> Option<(f64, &'static str)> {
    let baseline = filled.baseline.as_ref()?;
    // The whole tolerance falls to the cases that can differ, since the mean is over all.
    let shift = tolerance * filled.shared.len() as f64 / own as f64;
    match scope {
        Scope::Suite => {
            let permuted = within_cases(&filled.candidate, baseline, &filled.shared, shift, context.seed)?;
            Some((permuted.p, if permuted.exact { "permutation" } else { "permutation (drawn)" }))
        }
        Scope::Population => {
            if let Some(binary) = zeros_and_ones(filled, scope)
                && tolerance > 0.0
            {
                return Some((tango_p_worse(binary.cases, binary.losses, binary.gains, -tolerance), "tango"));
            }
            let shifted = differences(filled);
            let moved =
                shifted.iter().zip(&filled.shared).map(|(d, shared)| if *shared { 0.0 } else { d + shift });
            let units = match &filled.clusters {
                None => moved.collect(),
                Some(clusters) => {
                    let mut totals = vec![0.0; filled.units()];
                    for (difference, cluster) in moved.zip(clusters) {
                        totals[*cluster] += difference;
                    }
                    totals
                }
            };
            let permuted = sign_flip(&units, filled.shared.len(), context.seed)?;
            Some((permuted.p, if permuted.exact { "sign-flip" } else { "sign-flip (drawn)" }))
        }
    }
}

/// The difference of each case's means.
fn differences(filled: &Filled) -> Vec<f64> {
    let theirs = filled.baseline.as_ref().map(|baseline| baseline.row_means()).unwrap_or_default();
    filled.candidate.row_means().iter().zip(&theirs).map(|(ours, theirs)| ours - theirs).collect()
}

/// Cases whose means are all 0 or 1, counted.
struct Binary {
    cases: usize,
    candidate: usize,
    losses: usize,
    gains: usize,
}

/// The counts of 0/1 scores of independent cases; `None` in the suite's scope, with clusters, or for any other
/// score.
fn zeros_and_ones(filled: &Filled, scope: Scope) -> Option<Binary> {
    if scope == Scope::Suite || filled.clusters.is_some() || filled.candidate.is_empty() {
        return None;
    }
    let read = |means: Vec<f64>| -> Option<Vec<bool>> {
        let bit = |mean: f64| if mean == 1.0 { Some(true) } else { (mean == 0.0).then_some(false) };
        means.into_iter().map(bit).collect()
    };
    let ours = read(filled.candidate.row_means())?;
    let theirs = match &filled.baseline {
        Some(baseline) => read(baseline.row_means())?,
        None => ours.clone(),
    };
    let count = |wanted: (bool, bool)| ours.iter().zip(&theirs).filter(|(a, b)| (**a, **b) == wanted).count();
    Some(Binary {
        cases: ours.len(),
        candidate: ours.iter().filter(|passed| **passed).count(),
        losses: count((false, true)),
        gains: count((true, false)),
    })
}
