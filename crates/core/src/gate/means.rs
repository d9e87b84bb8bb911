//! Means and differences of means with their bounds, in either scope.

use crate::model::{CorrectedMean, EVEN, Scope};
use crate::stats::{
    Bounds, Estimate, LabeledMoments, Repeated, VarianceFloor, corrected_mean, population_mean,
    suite_contrast, suite_difference_above, suite_mean, suite_mean_above, t_bounds, tango, wilson,
};

use super::evidence::Context;
use super::fill::FilledScores;

/// Minimum number of independent units for a pass in the population's scope.
pub(super) const MIN_UNITS: usize = 10;

/// An estimated mean with its bounds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounded {
    pub(super) estimate: Estimate,
    /// The estimate behind the lower bound: near the ends of the scale its variance has a floor.
    pub(super) cautious: Estimate,
    pub(super) bounds: Bounds,
}

impl Bounded {
    /// The mean and its bounds, moved by a constant.
    fn shifted(self, by: f64) -> Self {
        let moved = |of: Estimate| Estimate { mean: of.mean + by, ..of };
        let Bounds { lower, upper } = self.bounds;
        Self {
            estimate: moved(self.estimate),
            cautious: moved(self.cautious),
            bounds: Bounds { lower: lower.map(|lower| lower + by), upper: upper.map(|upper| upper + by) },
        }
    }

    /// Bounds from Student's t. Without any noise both bounds are cautious.
    pub(super) fn new(estimate: Estimate, floored: Estimate, alpha: f64) -> Self {
        let lower = |of: Estimate| t_bounds(of, alpha).lower;
        // A floor has no estimation error, so it may narrow t by more than it widens the standard error.
        let is_lower = lower(floored).zip(lower(estimate)).is_none_or(|(floored, plain)| floored < plain);
        let cautious = if is_lower { floored } else { estimate };
        let upper = if estimate.standard_error == 0.0 { cautious } else { estimate };
        Self {
            estimate,
            cautious,
            bounds: Bounds { lower: lower(cautious), upper: t_bounds(upper, alpha).upper },
        }
    }
}

/// The candidate's mean in a scope.
pub(super) fn candidate_estimate(filled: &FilledScores, scope: Scope) -> Estimate {
    match scope {
        Scope::Suite => suite_mean(&filled.candidate),
        Scope::Population => population_mean(&filled.candidate.row_means(), filled.clusters.as_deref()),
    }
}

/// The mean of the candidate minus `factor` times the baseline in a scope. `None` if the scores are not paired.
pub(super) fn contrast(filled: &FilledScores, scope: Scope, factor: f64) -> Option<Estimate> {
    let baseline = filled.baseline.as_ref()?;
    Some(match scope {
        Scope::Suite => suite_contrast(&filled.candidate, baseline, &filled.shared, factor),
        Scope::Population => population_mean(&case_contrasts(filled, factor), filled.clusters.as_deref()),
    })
}

/// The candidate's mean in a scope, with bounds; Wilson's for 0/1 scores of a population.
pub(super) fn candidate_mean(filled: &FilledScores, scope: Scope, context: &Context) -> Bounded {
    let estimate = candidate_estimate(filled, scope);
    if let Some(counts) = BinaryCounts::of(filled, scope) {
        let bounds = wilson(counts.candidate_passes, counts.cases, context.alpha);
        return Bounded { estimate, cautious: estimate, bounds };
    }
    Bounded::new(estimate, cautious_mean(filled, scope, context, estimate), context.alpha)
}

/// The candidate's mean behind a lower bound.
fn cautious_mean(filled: &FilledScores, scope: Scope, context: &Context, estimate: Estimate) -> Estimate {
    match (scope, filled.floor(context)) {
        (Scope::Suite, floor) => suite_mean_above(&filled.candidate, floor),
        (Scope::Population, Some(floor)) => population_above(estimate, filled, floor),
        (Scope::Population, None) => estimate,
    }
}

/// The candidate's mean corrected by labels, with bounds of Student's t.
pub(super) struct CorrectedBounds {
    pub(super) bounded: Bounded,
    /// The correction as reported.
    pub(super) correction: CorrectedMean,
    /// The part of the variance behind the lower bound that the labels bring, which repeats do not reduce.
    pub(super) label_variance: f64,
}

/// Corrects the candidate's mean. Whatever the labels show, the variance that they bring to the lower bound is at least that
/// of scores of which the resolution is wrong: a few labels without a disagreement do not show that there are none.
pub(super) fn corrected(
    filled: &FilledScores,
    scope: Scope,
    context: &Context,
    labels: &LabeledMoments,
) -> CorrectedBounds {
    let estimate = candidate_estimate(filled, scope);
    let cautious = cautious_mean(filled, scope, context, estimate);
    // The suite's own cases are all that its scope is about.
    let lambda = labels.lambda((scope == Scope::Population).then(|| filled.units()));
    let least = VarianceFloor::new(context.resolution).variance() / labels.answers as f64;
    CorrectedBounds {
        bounded: Bounded::new(
            corrected_mean(estimate, labels, lambda, 0.0),
            corrected_mean(cautious, labels, lambda, least),
            context.alpha,
        ),
        correction: CorrectedMean { judged: estimate.mean, lambda, labels: labels.answers },
        label_variance: labels.rectifier_variance(lambda).max(least),
    }
}

/// The candidate's win rate in a scope, with bounds. A pair is one observation, so its noise is that of the candidate's
/// scores alone. Shared cases are ties for certain.
pub(super) fn win_rate(filled: &FilledScores, scope: Scope, context: &Context) -> Bounded {
    if scope == Scope::Population {
        return candidate_mean(filled, scope, context);
    }
    let mut unshared = Repeated::default();
    for (row, _) in filled.candidate.rows().zip(&filled.shared).filter(|(_, shared)| !**shared) {
        unshared.push(row.iter().copied());
    }
    if unshared.is_empty() {
        let tie = Estimate { mean: EVEN, standard_error: 0.0, degrees_of_freedom: f64::INFINITY };
        return Bounded::new(tie, tie, context.alpha);
    }
    let share = unshared.len() as f64 / filled.shared.len() as f64;
    let over_all = |of: Estimate| Estimate {
        mean: of.mean * share + EVEN * (1.0 - share),
        standard_error: of.standard_error * share,
        ..of
    };
    let cautious = suite_mean_above(&unshared, filled.floor(context));
    Bounded::new(over_all(suite_mean(&unshared)), over_all(cautious), context.alpha)
}

/// The mean difference in a scope, with bounds; Tango's for 0/1 scores of a population. `None` if the scores are not
/// paired.
pub(super) fn mean_difference(filled: &FilledScores, scope: Scope, context: &Context) -> Option<Bounded> {
    if filled.pairwise {
        return Some(win_rate(filled, scope, context).shifted(-EVEN));
    }
    let estimate = contrast(filled, scope, 1.0)?;
    if let Some(counts) = BinaryCounts::of(filled, scope) {
        let bounds = tango(counts.cases, counts.losses, counts.gains, context.alpha);
        return Some(Bounded { estimate, cautious: estimate, bounds });
    }
    let cautious = match (scope, filled.floor(context), &filled.baseline) {
        (Scope::Suite, Some(floor), Some(baseline)) => {
            suite_difference_above(&filled.candidate, baseline, &filled.shared, floor)
        }
        (Scope::Population, Some(floor), _) => population_above(estimate, filled, floor),
        _ => estimate,
    };
    Some(Bounded::new(estimate, cautious, context.alpha))
}

/// The estimate of a population for a lower bound: where its units do not differ, every case that the variants do not
/// share has at least the variance of the floor, and otherwise every case in which the candidate is at the end of the
/// scale. One noisy case takes nothing from the floor of the others.
fn population_above(estimate: Estimate, filled: &FilledScores, floor: VarianceFloor) -> Estimate {
    // With fewer units nothing passes.
    if filled.units() < MIN_UNITS {
        return estimate;
    }
    let end = 1.0 - floor.rho();
    let is_floored = |(ours, shared): &(&[f64], &bool)| {
        !**shared && (estimate.standard_error == 0.0 || ours.iter().all(|score| *score >= end))
    };
    let floored = filled.candidate.rows().zip(&filled.shared).filter(is_floored).count();
    let share = floored as f64 / filled.shared.len() as f64;
    let least = (floor.variance() / filled.units() as f64 * share).sqrt();
    Estimate { standard_error: estimate.standard_error.max(least), ..estimate }
}

/// The candidate's case mean minus `factor` times the baseline's, by case.
pub(super) fn case_contrasts(filled: &FilledScores, factor: f64) -> Vec<f64> {
    let theirs = filled.baseline.as_ref().map(|baseline| baseline.row_means()).unwrap_or_default();
    filled.candidate.row_means().iter().zip(&theirs).map(|(ours, theirs)| ours - factor * theirs).collect()
}

/// Counts of cases whose means are all 0 or 1.
pub(super) struct BinaryCounts {
    pub(super) cases: usize,
    pub(super) candidate_passes: usize,
    /// Cases that only the baseline passes.
    pub(super) losses: usize,
    /// Cases that only the candidate passes.
    pub(super) gains: usize,
}

impl BinaryCounts {
    /// The counts of independent cases; `None` in the suite's scope, with clusters, or with any other score.
    pub(super) fn of(filled: &FilledScores, scope: Scope) -> Option<Self> {
        if scope == Scope::Suite || filled.clusters.is_some() || filled.candidate.is_empty() {
            return None;
        }
        let passes = |means: Vec<f64>| -> Option<Vec<bool>> {
            let pass = |mean: f64| if mean == 1.0 { Some(true) } else { (mean == 0.0).then_some(false) };
            means.into_iter().map(pass).collect()
        };
        let ours = passes(filled.candidate.row_means())?;
        let theirs = match &filled.baseline {
            Some(baseline) => passes(baseline.row_means())?,
            None => ours.clone(),
        };
        let count = |pair: (bool, bool)| ours.iter().zip(&theirs).filter(|(a, b)| (**a, **b) == pair).count();
        Some(Self {
            cases: ours.len(),
            candidate_passes: ours.iter().filter(|passed| **passed).count(),
            losses: count((false, true)),
            gains: count((true, false)),
        })
    }
}
