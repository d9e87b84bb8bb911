//! Pure numbers: estimates, intervals, tests and power. Knows nothing of cases, variants or verdicts.
//!
//! Every function names the source of its formula. Nothing here panics: impossible input gives an infinite
//! standard error, a p of 1 or `None`, as each function says. What the numbers mean for a verdict is left to
//! the gate.

mod agreement;
mod correction;
mod describe;
mod distribution;
mod interval;
mod krippendorff;
mod multiplicity;
mod paired;
mod permutation;
mod power;
mod quadrature;
mod rank;
mod sequential;

pub use agreement::{Confusion, Weighting, agreement, cohen_kappa, gwet_ac1, weighted_kappa};
pub use correction::{Accuracy, Corrected, prediction_powered_mean, rogan_gladen};
pub use describe::{Repeated, correlation, mean, nearest_rank, pooled_variance, sample_variance};
pub use distribution::{
    beta_quantile, binomial_cdf, noncentral_t_cdf, normal_cdf, normal_quantile, student_t_cdf,
    student_t_quantile,
};
pub use interval::{
    Bounds, clopper_pearson, jeffreys, quantile_bounds, quantile_p_above, quantile_p_below, t_bounds, tango,
    wilson,
};
pub use krippendorff::{Level, krippendorff_alpha};
pub use multiplicity::holm;
pub use paired::{
    Estimate, broken_case_p, fisher_p_fewer, mcnemar_mid_p, mcnemar_p_differs, mcnemar_p_worse,
    population_mean, proportion_p_below, suite_contrast, suite_mean, tango_p_worse,
};
pub use permutation::{Permuted, sign_flip, within_cases};
pub use power::{
    cases_needed, cases_needed_exactly, detectable_shift, power_constant, power_of_t, repeats_needed,
    units_to_settle, unseen_failure_share,
};

pub use rank::{kendall_tau_b, spearman};
pub use sequential::{crossing, obrien_fleming_constant, pocock_constant};

#[cfg(test)]
mod tests;
