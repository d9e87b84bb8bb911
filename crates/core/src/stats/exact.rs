//! Exact tests of 0/1 answers.

use super::{binomial_cdf, hypergeometric_cdf};

/// One-sided exact p of "the candidate is worse": P(Bin(losses + gains, 1/2) >= losses) (McNemar 1947, exact form).
/// `losses` are answers that only the baseline passes, `gains` those that only the candidate passes.
pub fn mcnemar_p_worse(losses: usize, gains: usize) -> f64 {
    binomial_cdf(gains, losses + gains, 0.5)
}

/// Two-sided exact p of "the variants differ": twice the smaller tail, at most 1 (McNemar 1947, exact form).
pub fn mcnemar_p_differs(losses: usize, gains: usize) -> f64 {
    (2.0 * binomial_cdf(losses.min(gains), losses + gains, 0.5)).min(1.0)
}

/// Two-sided mid-p of "the variants differ": the observed count has half its weight (Lancaster 1961). Less conservative
/// than [`mcnemar_p_differs`], without a guaranteed level. Recommended by Fagerland, Lydersen and Laake (2013).
pub fn mcnemar_mid_p_differs(losses: usize, gains: usize) -> f64 {
    let (fewer, all) = (losses.min(gains), losses + gains);
    if losses == gains {
        return 1.0;
    }
    // Both tails without the observed count, plus that count once, which is half its weight in each tail.
    let below = fewer.checked_sub(1).map_or(0.0, |less| binomial_cdf(less, all, 0.5));
    below + binomial_cdf(fewer, all, 0.5)
}

/// One-sided exact p of "the candidate passes less often" for two independent groups of trials (Fisher 1935):
/// the chance that at most `passes` of the candidate's `trials` pass if all passes are assigned to trials at random.
/// 1 if a group is empty. Passes are capped at the number of trials.
pub fn fisher_p_worse(passes: usize, trials: usize, baseline_passes: usize, baseline_trials: usize) -> f64 {
    let (passes, baseline_passes) = (passes.min(trials), baseline_passes.min(baseline_trials));
    hypergeometric_cdf(passes, trials, passes + baseline_passes, trials + baseline_trials)
}

/// One-sided exact p that all `baseline` repeats of a case pass and all `candidate` repeats fail by chance:
/// 1 / C(baseline + candidate, candidate), the extreme table of [`fisher_p_worse`].
pub fn broken_case_p(baseline: usize, candidate: usize) -> f64 {
    fisher_p_worse(0, candidate, baseline, baseline)
}
