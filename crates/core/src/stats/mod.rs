//! Statistics: estimates, intervals, tests and power, independent of cases, variants and verdicts.
//!
//! Every function names the source of its formula. Nothing here panics: invalid input gives an infinite standard error, a
//! p of 1 or `None`, as each function documents. The gate turns the numbers into verdicts.

mod agreement;
mod correction;
mod describe;
mod distribution;
mod drift;
mod exact;
mod group_sequential;
mod interval;
mod multiplicity;
mod paired;
mod permutation;
mod power;
mod power_tuned;
mod rearrangements;
mod sequential;
mod sequential_power;
mod subgroups;
mod two_sample;

pub use agreement::{
    Confusion, Kappa, Level, Weighting, cohen_kappa, gwet_ac1, kendall_tau_b, krippendorff_alpha,
    percent_agreement, spearman, weighted_kappa,
};
pub use correction::{Corrected, ppi_mean, rogan_gladen};
pub use describe::{Repeated, correlation, mean, nearest_rank, pooled_variance, sample_variance};
pub use distribution::{
    beta_quantile, binomial_cdf, hypergeometric_cdf, normal_cdf, normal_quantile, student_t_cdf,
    student_t_quantile,
};
pub use drift::{Drift, RunMean, drift};
pub use exact::{broken_case_p, fisher_p_worse, sample_ratio_p, share_p_worse};
pub use group_sequential::{SequentialBounds, Spending, boundaries, crossing};
pub use interval::{Bounds, clopper_pearson, quantile_bounds, quantile_p_above, t_bounds, tango, wilson};
pub use multiplicity::{benjamini_hochberg, holm};
pub use paired::{
    Estimate, VarianceFloor, population_mean, proportion_p_below, suite_contrast, suite_difference_above,
    suite_mean, suite_mean_above, tango_p_worse,
};
pub use permutation::{PermutationTest, sign_flip, within_cases};
pub use power::{detectable_shift, power_constant, units_to_settle, unseen_failure_share};
pub use power_tuned::{LabeledMoments, corrected_mean};
pub use rearrangements::rearrangements;
pub use sequential::spend;
pub use sequential_power::{Arrivals, SharePlan};
pub use subgroups::lowest_group;
pub use two_sample::{Moments, Share, Stratum, TwoSample, mean_test, share_test};

#[cfg(test)]
mod tests;
