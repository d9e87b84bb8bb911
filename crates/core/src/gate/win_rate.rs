//! The win rate of the candidate over the baseline, from pairs of answers that a judge compared.
//!
//! A pair has one result s for both variants: 1, 0, or one half for a tie; the baseline's is 1 - s. So the two are not
//! independent, and a difference of two arms would count the noise of a pair at half its variance. The test is of
//! d = s - 1/2, one value for each pair, with the noise of d between repeats of a case. Where the variants are the same, d
//! is as likely as -d, so its signs are flipped: by pair in the suite's scope, by case or cluster in the population's.

use crate::model::{EVEN, Rule, Scope};
use crate::stats::{mean, proportion_p_below};

use super::evidence::{Context, Evidence};
use super::fill::FilledScores;
use super::mean_test::{MeanTest, sign_flip_p};
use super::means::{BinaryCounts, Bounded, win_rate};

/// No loss of preference: the win rate is at least one half less the tolerance.
pub(super) fn preferred(context: &Context, filled: &FilledScores, tolerance: f64) -> Evidence {
    let repeats = filled.candidate.shortest();
    let scope = context.scope(repeats);
    let Bounded { estimate, cautious, bounds } = win_rate(filled, scope, context);
    let unshared = filled.shared.iter().filter(|shared| !**shared).count();
    let p = if unshared == 0 || context.rule == Rule::Point {
        None
    } else {
        p_below(context, filled, scope, tolerance, unshared)
    };
    let test = MeanTest {
        scope,
        estimate,
        cautious,
        bounds,
        required: EVEN - tolerance,
        slack: context.resolution,
        must_meet: false,
        repeats,
        cases: filled.candidate.len(),
        units: filled.units(),
        // Shared answers can only tie.
        certain: unshared == 0,
        may_vary: filled.may_vary,
        gains_by_repeats: !context.baseline_reused,
        fixed_variance: 0.0,
        p,
    };
    test.evidence(context)
}

/// The p of a win rate below its requirement, with its method; `None` if that took too many draws.
fn p_below(
    context: &Context,
    filled: &FilledScores,
    scope: Scope,
    tolerance: f64,
    unshared: usize,
) -> Option<(f64, &'static str)> {
    if tolerance > 0.0
        && let Some(counts) = BinaryCounts::of(filled, scope)
    {
        let p = proportion_p_below(counts.candidate_passes, counts.cases, EVEN - tolerance);
        return Some((p, "wilson"));
    }
    // The tolerance is one of the mean over all cases, but only unshared cases can differ.
    let shift = tolerance * filled.shared.len() as f64 / unshared as f64 - EVEN;
    let rows = filled.candidate.rows().zip(&filled.shared).map(|(row, shared)| (row, *shared));
    let units: Vec<f64> = match scope {
        Scope::Suite => rows
            .filter(|(_, shared)| !shared)
            .flat_map(|(row, _)| row.iter().map(move |score| (score + shift) / row.len() as f64))
            .collect(),
        Scope::Population => {
            filled.by_unit(rows.map(|(row, shared)| if shared { 0.0 } else { mean(row) + shift }))
        }
    };
    sign_flip_p(context, filled, &units)
}
