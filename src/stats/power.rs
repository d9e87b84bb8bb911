//! How much evidence a plan buys, and how much more a question needs.

use super::{noncentral_t_cdf, normal_quantile, student_t_quantile};

/// Power that every figure here is given for.
const POWER: f64 = 0.8;

/// c = (z(1 - alpha) + z(0.80))^2, one-sided: 6.182557 at alpha 0.05.
pub fn power_constant(alpha: f64) -> f64 {
    (normal_quantile(1.0 - alpha) + normal_quantile(POWER)).powi(2)
}

/// Cases to see a drop of `delta` with 80 % power when cases are a sample: c sd^2 / delta^2, by the normal
/// approximation; `sd` is that of the differences between cases.
pub fn cases_needed(sd: f64, delta: f64, alpha: f64) -> f64 {
    power_constant(alpha) * sd * sd / (delta * delta)
}

/// The power of the one-sided t test over `cases` cases: that of a drop of `delta` where differences between cases
/// have the standard deviation `sd`. `None` below 2 cases, or without a spread.
pub fn power_of_t(cases: usize, sd: f64, delta: f64, alpha: f64) -> Option<f64> {
    if cases < 2 || sd.is_nan() || sd <= 0.0 {
        return None;
    }
    let degrees_of_freedom = (cases - 1) as f64;
    let critical = student_t_quantile(1.0 - alpha, degrees_of_freedom);
    let shift = delta / sd * (cases as f64).sqrt();
    noncentral_t_cdf(critical, degrees_of_freedom, shift).map(|below| 1.0 - below)
}

/// Cases to see a drop of `delta` with 80 % power by the t test: [`cases_needed`] as a start, then one by one.
/// `None` where no number up to a million would do.
pub fn cases_needed_exactly(sd: f64, delta: f64, alpha: f64) -> Option<usize> {
    let start = cases_needed(sd, delta, alpha);
    if start.is_nan() || start >= 1e6 {
        return None;
    }
    (start.ceil().max(2.0) as usize..=1_000_000)
        .find(|cases| power_of_t(*cases, sd, delta, alpha).is_none_or(|power| power >= POWER))
}

/// Repeats of both variants to see a drop of `delta` of this suite with 80 % power: 2 c s2 / (n delta^2);
/// `variance` is that within a case.
pub fn repeats_needed(variance: f64, cases: usize, delta: f64, alpha: f64) -> f64 {
    2.0 * power_constant(alpha) * variance / (cases as f64 * delta * delta)
}

/// The smallest shift seen with 80 % power at a given standard error: sqrt(c) SE.
pub fn detectable_shift(standard_error: f64, alpha: f64) -> f64 {
    power_constant(alpha).sqrt() * standard_error
}

/// The share of failing traffic that `cases` cases without a failure cannot exclude: 1 - alpha^(1/n), the exact
/// one-sided bound; 1 without cases.
pub fn unseen_failure_share(cases: usize, alpha: f64) -> f64 {
    if cases == 0 { 1.0 } else { 1.0 - alpha.powf(1.0 / cases as f64) }
}

/// About how many repeats (or cases) in all bring the distance between estimate and bound, now `reach` with
/// `units`, down to `margin`: units (reach / margin)^2, rounded up, at least one more than there are; widths
/// shrink with the square root of the number. `None` where no number would do, or more than a million.
pub fn units_to_settle(units: usize, reach: f64, margin: f64) -> Option<usize> {
    if margin <= 0.0 || !reach.is_finite() {
        return None;
    }
    let needed = units as f64 * (reach / margin).powi(2);
    (needed < 1e6).then(|| (needed.ceil() as usize).max(units + 1))
}
