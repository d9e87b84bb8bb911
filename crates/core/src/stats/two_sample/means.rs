//! Welch's test of two means.

use super::{Moments, Stratum, TwoSample};
use crate::stats::describe::{clamp_variance, sum};
use crate::stats::{normal_quantile, student_t_cdf};

/// The largest z that is reported: near the normal quantile of the smallest positive number.
const MAX_Z: f64 = 37.5;

/// Welch's test (1947) of H0: mean_t - mean_c = -`margin` against "greater", stratified with the weights
/// nc nt / (nc + nt). The variance of each side in each stratum is its own; the degrees of freedom of the combined
/// variance are those of Satterthwaite (1946), and z is the normal quantile of the p of Student's t, so that the bounds of
/// a group sequential design hold with few units too (the significance levels of Jennison and Turnbull 2000, group sequential t-tests).
///
/// Weights do not depend on the scores. Weights of 1 / variance do: a sample of scores near their maximum has a high mean
/// and a small variance at once. With three steps of 380 + 20, 300 + 100 and 100 + 100 scores of a Beta(9, 1) distribution
/// they gave a false "greater" in 4.3 % of simulations at a level of 2 %, against 2.3 % with these.
///
/// `information` is in units, as for shares. Strata with fewer than two units on a side count nothing. Variances below
/// 1e-18 are rounding errors and count as 0. Without any variation, z is 0 if the difference is exactly -`margin`, else
/// its limit of +-37.5. `None` if no stratum is left, or if a mean, variance, the margin or the result is not finite or a
/// variance or the margin negative.
pub fn mean_test(strata: &[Stratum<Moments>], margin: f64) -> Option<TwoSample> {
    let counted = |stratum: &&Stratum<Moments>| stratum.control.n >= 2 && stratum.treatment.n >= 2;
    let rows: Vec<Row> = strata.iter().filter(counted).map(Row::new).collect::<Option<_>>()?;
    if rows.is_empty() || !(margin >= 0.0 && margin.is_finite()) {
        return None;
    }
    let information = sum(rows.iter().map(|row| row.weight));
    let estimate = sum(rows.iter().map(|row| row.weight / information * row.difference));
    // Variances of the sides' shares in the estimate, with their degrees of freedom.
    let parts = rows.iter().flat_map(|row| {
        let factor = (row.weight / information).powi(2);
        row.sides.map(|(variance, freedom)| (factor * variance, freedom))
    });
    let variance = sum(parts.clone().map(|(variance, _)| variance));
    let standard_error = variance.sqrt();
    if !(estimate.is_finite() && standard_error.is_finite()) {
        return None;
    }
    let distance = estimate + margin;
    let z = if distance == 0.0 {
        0.0
    } else if standard_error == 0.0 {
        MAX_Z.copysign(distance)
    } else {
        // Relative to the variance, so that squares of tiny variances do not vanish.
        let inverse = sum(parts.map(|(part, freedom)| (part / variance).powi(2) / freedom));
        normal_score(distance / standard_error, inverse.recip())
    };
    Some(TwoSample { estimate, standard_error, z, information })
}

/// The z with the same p as Student's `t`.
fn normal_score(t: f64, degrees_of_freedom: f64) -> f64 {
    let score = -normal_quantile(student_t_cdf(-t.abs(), degrees_of_freedom));
    // A p that underflows, or one that cannot be computed, is at the limit; z is never above t.
    let score = if score.is_nan() { 0.0 } else { score.clamp(0.0, MAX_Z) };
    score.copysign(t)
}

/// A stratum with at least two units a side.
struct Row {
    weight: f64,
    difference: f64,
    /// The variance of each mean, with its degrees of freedom.
    sides: [(f64, f64); 2],
}

impl Row {
    /// `None` if a number is not finite or a variance negative.
    fn new(Stratum { control, treatment }: &Stratum<Moments>) -> Option<Self> {
        let valid =
            |side: &Moments| side.mean.is_finite() && side.variance.is_finite() && side.variance >= 0.0;
        if !valid(control) || !valid(treatment) {
            return None;
        }
        let (nc, nt) = (control.n as f64, treatment.n as f64);
        Some(Self {
            weight: nc * (nt / (nc + nt)),
            difference: treatment.mean - control.mean,
            sides: [(control, nc), (treatment, nt)]
                .map(|(side, n)| (clamp_variance(side.variance) / n, n - 1.0)),
        })
    }
}
