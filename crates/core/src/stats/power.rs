//! Power, detectable effects and sample sizes.

use super::distribution::{MAX_NONCENTRAL, binomial_mass};
use super::{binomial_cdf, noncentral_t_cdf, normal_quantile, student_t_quantile};

/// The power behind every figure in this module.
const POWER: f64 = 0.8;
/// Rounding error within which a p equals alpha.
const TIE: f64 = 1e-12;
/// Maximum number of cases that [`cases_needed_t`] tries.
const MAX_CASES: usize = 1_000_000;

/// c = (z(1 - alpha) + z(0.80))^2, one-sided: 6.182557 at alpha 0.05.
pub fn power_constant(alpha: f64) -> f64 {
    (normal_quantile(1.0 - alpha) + normal_quantile(POWER)).powi(2)
}

/// Cases needed to detect a drop of `delta` with 80 % power if cases are a sample: c sd^2 / delta^2, by the normal
/// approximation, where `sd` is that of the differences between cases. See [`power_constant`] for c.
pub fn cases_needed(sd: f64, delta: f64, alpha: f64) -> f64 {
    power_constant(alpha) * sd * sd / (delta * delta)
}

/// The variance of the differences between cases when each variant is repeated: `between` + 2 `within` /
/// repeats (Miller 2024). `between` is the variance of the cases' true differences, `within` that of the
/// repeats of a case. `None` for 0 repeats.
pub fn variance_of_differences(between: f64, within: f64, repeats: usize) -> Option<f64> {
    (repeats > 0).then(|| between + 2.0 * within / repeats as f64)
}

/// Repeats of both variants needed to detect a drop of `delta` of this suite with 80 % power: 2 c s2 / (n delta^2), where
/// `variance` is that within a case.
pub fn repeats_needed(variance: f64, cases: usize, delta: f64, alpha: f64) -> f64 {
    2.0 * power_constant(alpha) * variance / (cases as f64 * delta * delta)
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

/// The power of the one-sided t test at `alpha` for a drop of `drop` and `cases` differences of standard deviation `sd`:
/// P(T > t(1 - alpha, n - 1)) of the noncentral t with noncentrality drop sqrt(n) / sd, clamped to -100..=100. `None` with
/// fewer than two cases, an `sd` not above 0, or an alpha not in 0..0.5.
pub fn power_t(cases: usize, sd: f64, drop: f64, alpha: f64) -> Option<f64> {
    if cases < 2 || !(sd > 0.0 && sd.is_finite() && drop.is_finite() && alpha > 0.0 && alpha < 0.5) {
        return None;
    }
    let freedom = (cases - 1) as f64;
    let noncentrality = (drop / sd * (cases as f64).sqrt()).clamp(-MAX_NONCENTRAL, MAX_NONCENTRAL);
    let power = 1.0 - noncentral_t_cdf(student_t_quantile(1.0 - alpha, freedom), freedom, noncentrality);
    power.is_finite().then_some(power)
}

/// Like [`cases_needed`], by the noncentral t: the smallest number of cases with 80 % power. The search starts from the
/// normal approximation, which is always too low. `None` where [`power_t`] is, if `drop` is not above 0, or if more than a
/// million cases are needed.
pub fn cases_needed_t(sd: f64, drop: f64, alpha: f64) -> Option<usize> {
    if !(drop > 0.0 && drop.is_finite() && sd > 0.0 && alpha > 0.0 && alpha < 0.5) {
        return None;
    }
    let start = cases_needed(sd, drop, alpha);
    if start > MAX_CASES as f64 {
        return None;
    }
    let start = (start as usize).max(2);
    for cases in start..=MAX_CASES {
        if power_t(cases, sd, drop, alpha)? >= POWER {
            return Some(cases);
        }
    }
    None
}

/// The smallest drop detected with 80 % power by the t test with `cases` differences of standard deviation `sd`: like
/// [`detectable_shift`], by the noncentral t and bisection. `None` where [`power_t`] is, or if even a noncentrality of 100
/// has less power, as with two cases and a very small alpha.
pub fn detectable_drop_t(cases: usize, sd: f64, alpha: f64) -> Option<f64> {
    let scale = sd / (cases as f64).sqrt();
    let (mut low, mut high) = (0.0, MAX_NONCENTRAL * scale);
    if power_t(cases, sd, high, alpha)? < POWER {
        return None;
    }
    while high - low > 1e-14 * high {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            break;
        }
        if power_t(cases, sd, middle, alpha)? < POWER { low = middle } else { high = middle }
    }
    Some(high)
}

/// The power of the exact one-sided McNemar test at `alpha` over `cases` paired answers that are lost with probability
/// `loss` and gained with probability `gain`, with a random number of discordant pairs. `None` if these are not
/// probabilities of exclusive events, or alpha is not in 0..1.
pub fn power_mcnemar(cases: usize, loss: f64, gain: f64, alpha: f64) -> Option<f64> {
    let discordant = loss + gain;
    if !(loss >= 0.0 && gain >= 0.0 && discordant <= 1.0 + 1e-12 && alpha > 0.0 && alpha < 1.0) {
        return None;
    }
    if discordant == 0.0 {
        return Some(0.0);
    }
    let (discordant, gained) = (discordant.min(1.0), gain / discordant);
    // The test rejects with fewer gains than this limit, which rises with the number of discordant pairs.
    let mut limit = 0_usize;
    let mut power = 0.0;
    for pairs in 1..=cases {
        while limit < pairs && binomial_cdf(limit, pairs, 0.5) <= alpha + TIE {
            limit += 1;
        }
        if let Some(gains) = limit.checked_sub(1) {
            power += binomial_mass(pairs, cases, discordant) * binomial_cdf(gains, pairs, gained);
        }
    }
    Some(power.min(1.0))
}
