//! Means and differences of means with their bounds, in either scope.

use crate::model::Scope;
use crate::stats::{Bounds, Estimate, population_mean, suite_contrast, suite_mean, t_bounds, tango, wilson};

use super::fill::FilledScores;

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
pub(super) fn candidate_mean(filled: &FilledScores, scope: Scope, alpha: f64) -> (Estimate, Bounds) {
    let estimate = candidate_estimate(filled, scope);
    let bounds = match BinaryCounts::of(filled, scope) {
        Some(counts) => wilson(counts.candidate_passes, counts.cases, alpha),
        None => t_bounds(estimate, alpha),
    };
    (estimate, bounds)
}

/// The mean difference in a scope, with bounds; Tango's for 0/1 scores of a population. `None` if the scores are not
/// paired.
pub(super) fn mean_difference(filled: &FilledScores, scope: Scope, alpha: f64) -> Option<(Estimate, Bounds)> {
    let estimate = contrast(filled, scope, 1.0)?;
    let bounds = match BinaryCounts::of(filled, scope) {
        Some(counts) => tango(counts.cases, counts.losses, counts.gains, alpha),
        None => t_bounds(estimate, alpha),
    };
    Some((estimate, bounds))
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
