//! Power, detectable effects and sample sizes.

use super::normal_quantile;

/// The power behind every detectable effect.
pub(super) const POWER: f64 = 0.8;

/// c = (z(1 - alpha) + z(0.80))^2, one-sided: 6.182557 at alpha 0.05.
pub fn power_constant(alpha: f64) -> f64 {
    (normal_quantile(1.0 - alpha) + normal_quantile(POWER)).powi(2)
}

/// The smallest shift detected with 80 % power at a given standard error: sqrt(c) SE.
pub fn detectable_shift(standard_error: f64, alpha: f64) -> f64 {
    power_constant(alpha).sqrt() * standard_error
}

/// The share of failing traffic that `cases` cases without a failure cannot exclude: 1 - alpha^(1/n), the exact
/// one-sided bound; 1 without cases.
pub fn unseen_failure_share(cases: usize, alpha: f64) -> f64 {
    if cases == 0 { 1.0 } else { 1.0 - alpha.powf(1.0 / cases as f64) }
}

/// The approximate total number of units (repeats or cases) that reduces the distance between estimate and bound, now
/// `reach` at `units`, to `margin`: units (reach / margin)^2, rounded up, at least `units` + 1, because the distance
/// shrinks with the square root of the number. `None` if no number suffices, or more than a million are needed.
pub fn units_to_settle(units: usize, reach: f64, margin: f64) -> Option<usize> {
    if margin <= 0.0 || !reach.is_finite() {
        return None;
    }
    let needed = units as f64 * (reach / margin).powi(2);
    (needed < 1e6).then(|| (needed.ceil() as usize).max(units + 1))
}
