//! Score tests of two shares.

use super::{Share, Stratum, TwoSample};
use crate::stats::describe::sum;

/// Score test of H0: p_t - p_c = -`margin` against "greater", stratified with the weights nc nt / (nc + nt).
///
/// With margin 0 the variance of a stratum comes from its pooled share: the statistic of Cochran (1954), whose square is
/// that of Mantel and Haenszel (1959) without the factor N / (N - 1). With a margin above 0 it comes from the shares that
/// are most likely under H0 (Farrington and Manning 1990). Without any variation under H0, z is 0.
///
/// Strata with an empty side count nothing. `None` if no stratum is left, if there are more successes than units, or if
/// the margin is not in 0..1. With few failures of a small side the statistic is skewed: with 100 units of 2,000 that fail
/// in 2 %, z is above 2.7 about four times as often as a normal one. For a test of harm use
/// [`share_p_worse`](crate::stats::share_p_worse).
pub fn share_test(strata: &[Stratum<Share>], margin: f64) -> Option<TwoSample> {
    let possible = |side: Share| side.successes <= side.n;
    let valid = strata.iter().all(|stratum| possible(stratum.control) && possible(stratum.treatment));
    if !valid || !(0.0..1.0).contains(&margin) {
        return None;
    }
    let rows: Vec<Row> = strata.iter().filter_map(|stratum| Row::new(*stratum, margin)).collect();
    if rows.is_empty() {
        return None;
    }
    let information = sum(rows.iter().map(|row| row.weight));
    let estimate = sum(rows.iter().map(|row| row.weight * row.difference)) / information;
    let variance = sum(rows.iter().map(|row| row.weight * row.unit_variance));
    let standard_error = variance.sqrt() / information;
    let z = if standard_error > 0.0 { (estimate + margin) / standard_error } else { 0.0 };
    Some(TwoSample { estimate, standard_error, z, information })
}

/// A stratum with both sides.
struct Row {
    weight: f64,
    difference: f64,
    /// The variance of the difference under H0, times the weight.
    unit_variance: f64,
}

impl Row {
    fn new(Stratum { control, treatment }: Stratum<Share>, margin: f64) -> Option<Self> {
        if control.n == 0 || treatment.n == 0 {
            return None;
        }
        let (nc, nt) = (control.n as f64, treatment.n as f64);
        let (pc, pt) = (control.successes as f64 / nc, treatment.successes as f64 / nt);
        let ratio = nt / (nc + nt);
        Some(Self {
            weight: nc * ratio,
            difference: pt - pc,
            unit_variance: null_variance(pc, pt, ratio, margin),
        })
    }
}

/// The variance of p_t - p_c under p_t - p_c = -`margin`, times nc nt / (nc + nt), where `ratio` is nt / (nc + nt) and
/// `control` and `treatment` are the observed shares.
fn null_variance(control: f64, treatment: f64, ratio: f64, margin: f64) -> f64 {
    let (pc, pt) = restricted(control, treatment, ratio, margin);
    variance(pc, pt, ratio)
}

/// The variance of the difference of two shares, times nc nt / (nc + nt).
pub(in crate::stats) fn variance(control: f64, treatment: f64, ratio: f64) -> f64 {
    ratio * control * (1.0 - control) + (1.0 - ratio) * treatment * (1.0 - treatment)
}

/// The shares of control and treatment that are most likely under p_t = p_c - `margin`: the root of the cubic of
/// Farrington and Manning (1990, appendix), with group 1 as the treatment.
pub(in crate::stats) fn restricted(control: f64, treatment: f64, ratio: f64, margin: f64) -> (f64, f64) {
    if margin == 0.0 {
        let pooled = ratio * treatment + (1.0 - ratio) * control;
        return (pooled, pooled);
    }
    // Divided by 1 + theta = N / nt, so that no coefficient overflows with lopsided groups.
    let (near, far) = (ratio, 1.0 - ratio);
    let shift = -margin;
    let b = -(1.0 + near * treatment + far * control + shift * (1.0 + near));
    let c = near * shift * shift + shift * (2.0 * near * treatment + 1.0) + near * treatment + far * control;
    let d = -near * treatment * shift * (1.0 + shift);
    let v = b.powi(3) / 27.0 - b * c / 6.0 + d / 2.0;
    let u = (b * b / 9.0 - c / 3.0).max(0.0).sqrt().copysign(v);
    let cosine = if u == 0.0 { 0.0 } else { (v / u.powi(3)).clamp(-1.0, 1.0) };
    let root = 2.0 * u * ((std::f64::consts::PI + cosine.acos()) / 3.0).cos() - b / 3.0;
    // Rounding may leave the interval in which both are shares.
    let treatment = root.clamp(0.0, 1.0 - margin);
    (treatment + margin, treatment)
}
