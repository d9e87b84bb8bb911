//! Exact tests of 0/1 answers.

use super::hypergeometric_cdf;

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
