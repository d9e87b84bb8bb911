//! One-sided bounds. A pair of bounds at alpha is a two-sided interval at 2 alpha.

use super::paired::tango_score;
use super::{Estimate, beta_quantile, binomial_cdf, normal_quantile, student_t_quantile};

/// A lower and an upper bound, each one-sided.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bounds {
    /// The lower bound; `None` if none exists.
    pub lower: Option<f64>,
    /// The upper bound; `None` if none exists.
    pub upper: Option<f64>,
}

impl Bounds {
    /// Both bounds, each `None` unless finite.
    fn new(lower: f64, upper: f64) -> Self {
        Self { lower: lower.is_finite().then_some(lower), upper: upper.is_finite().then_some(upper) }
    }
}

/// Student's t: mean -+ t(1 - alpha, df) SE. Without noise both bounds are the mean, with an unknown standard error there
/// are none.
pub fn t_bounds(estimate: Estimate, alpha: f64) -> Bounds {
    if estimate.standard_error == 0.0 {
        return Bounds::new(estimate.mean, estimate.mean);
    }
    let reach = student_t_quantile(1.0 - alpha, estimate.degrees_of_freedom) * estimate.standard_error;
    Bounds::new(estimate.mean - reach, estimate.mean + reach)
}

/// Wilson's score interval for a share (Wilson 1927).
pub fn wilson(successes: usize, trials: usize, alpha: f64) -> Bounds {
    if trials == 0 {
        return Bounds::default();
    }
    let (n, share) = (trials as f64, successes as f64 / trials as f64);
    let z = normal_quantile(1.0 - alpha);
    let centre = (share + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let reach = z / (1.0 + z * z / n) * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    let lower = if successes == 0 { 0.0 } else { (centre - reach).max(0.0) };
    let upper = if successes == trials { 1.0 } else { (centre + reach).min(1.0) };
    Bounds::new(lower, upper)
}

/// The exact interval for a share (Clopper and Pearson 1934).
pub fn clopper_pearson(successes: usize, trials: usize, alpha: f64) -> Bounds {
    if trials == 0 {
        return Bounds::default();
    }
    let (hits, misses) = (successes as f64, (trials - successes.min(trials)) as f64);
    let lower = if successes == 0 { 0.0 } else { beta_quantile(alpha, hits, misses + 1.0) };
    let upper = if successes == trials { 1.0 } else { beta_quantile(1.0 - alpha, hits + 1.0, misses) };
    Bounds::new(lower, upper)
}

/// The score interval for the difference of paired shares, (gains - losses) / cases (Tango 1998), by bisection.
pub fn tango(cases: usize, losses: usize, gains: usize, alpha: f64) -> Bounds {
    if cases == 0 {
        return Bounds::default();
    }
    let z = normal_quantile(1.0 - alpha);
    let solve = |target: f64| {
        let (mut low, mut high) = (-1.0_f64, 1.0_f64);
        for _ in 0..100 {
            let middle = f64::midpoint(low, high);
            // The score decreases as the difference grows.
            if tango_score(cases, losses, gains, middle) > target { low = middle } else { high = middle }
        }
        f64::midpoint(low, high)
    };
    Bounds::new(solve(z), solve(-z))
}

/// Distribution-free bounds for the percentile `level` from order statistics: `sorted[l - 1]` with the largest
/// l such that P(Bin(n, level) <= l - 1) <= alpha, and `sorted[u - 1]` with the smallest u such that
/// P(Bin(n, level) <= u - 1) >= 1 - alpha (Conover 1999). An upper bound needs level^n <= alpha: 59 values for
/// the 95th percentile at 0.05.
pub fn quantile_bounds(sorted: &[f64], level: f64, alpha: f64) -> Bounds {
    let n = sorted.len();
    // The first count whose cumulative probability satisfies the condition; n if none does.
    let first_at = |reached: &dyn Fn(f64) -> bool| {
        let (mut low, mut high) = (0, n);
        while low < high {
            let middle = low + (high - low) / 2;
            if reached(binomial_cdf(middle, n, level)) { high = middle } else { low = middle + 1 }
        }
        low
    };
    // The number of counts with a cumulative probability of at most alpha is l.
    let lower = first_at(&|probability| probability > alpha + 1e-15);
    let upper = first_at(&|probability| probability >= 1.0 - alpha - 1e-15);
    Bounds {
        lower: lower.checked_sub(1).and_then(|at| sorted.get(at)).copied(),
        upper: sorted.get(upper).copied(),
    }
}

/// One-sided p of "the percentile `level` is above `limit`", distribution-free: P(Bin(n, level) <= number of
/// values at or below the limit).
pub fn quantile_p_above(sorted: &[f64], level: f64, limit: f64) -> f64 {
    binomial_cdf(sorted.partition_point(|value| *value <= limit), sorted.len(), level)
}
