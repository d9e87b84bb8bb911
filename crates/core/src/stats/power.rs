//! How much evidence a plan buys, and how much more a question needs.

use super::distribution::{MAX_NONCENTRAL, binomial_mass};
use super::{binomial_cdf, noncentral_t_cdf, normal_quantile, student_t_quantile};

/// Power that every figure here is given for.
const POWER: f64 = 0.8;
/// A p this little above alpha is equal to it but for rounding.
const TIE: f64 = 1e-12;
/// No plan of more cases is worked out.
const MAX_CASES: usize = 1_000_000;

/// c = (z(1 - alpha) + z(0.80))^2, one-sided: 6.182557 at alpha 0.05.
pub fn power_constant(alpha: f64) -> f64 {
    (normal_quantile(1.0 - alpha) + normal_quantile(POWER)).powi(2)
}

/// Cases to see a drop of `delta` with 80 % power when cases are a sample: c sd^2 / delta^2, by the normal
/// approximation; `sd` is that of the differences between cases.
pub fn cases_needed(sd: f64, delta: f64, alpha: f64) -> f64 {
    power_constant(alpha) * sd * sd / (delta * delta)
}

/// The variance of the differences between cases when each variant is repeated: `between` + 2 `within` /
/// repeats (Miller 2024). `between` is the variance of the cases' true differences, `within` that of the
/// repeats of a case. `None` without repeats.
pub fn variance_of_differences(between: f64, within: f64, repeats: usize) -> Option<f64> {
    (repeats > 0).then(|| between + 2.0 * within / repeats as f64)
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

/// The power of the one-sided t test at `alpha` to see a drop of `drop` with `cases` differences of standard
/// deviation `sd`: P(T > t(1 - alpha, n - 1)) of the noncentral t with noncentrality drop sqrt(n) / sd. A
/// noncentrality beyond 100 counts as 100. `None` with fewer than two cases, an `sd` not above 0, or an alpha
/// not within 0..0.5.
pub fn power_t(cases: usize, sd: f64, drop: f64, alpha: f64) -> Option<f64> {
    if cases < 2 || !(sd > 0.0 && sd.is_finite() && drop.is_finite() && alpha > 0.0 && alpha < 0.5) {
        return None;
    }
    let freedom = (cases - 1) as f64;
    let noncentrality = (drop / sd * (cases as f64).sqrt()).clamp(-MAX_NONCENTRAL, MAX_NONCENTRAL);
    let power = 1.0 - noncentral_t_cdf(student_t_quantile(1.0 - alpha, freedom), freedom, noncentrality);
    power.is_finite().then_some(power)
}

/// As [`cases_needed`], by the noncentral t: the fewest cases with 80 % power, found by going up from the
/// normal approximation, which is always too kind. `None` where [`power_t`] is, where `drop` is not above 0, or
/// where more than a million would be needed.
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

/// The smallest drop seen with 80 % power by the t test with `cases` differences of standard deviation `sd`:
/// as [`detectable_shift`], by the noncentral t, by bisection. `None` where [`power_t`] is, or where even a
/// noncentrality of 100 has less power, as with two cases and a very small alpha.
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

/// The power of the exact one-sided McNemar test at `alpha` over `cases` paired answers that are lost with
/// probability `loss` and gained with probability `gain`, the number of discordant pairs being left to chance.
/// `None` where these are no probabilities of exclusive events or alpha is not within 0..1.
pub fn power_mcnemar(cases: usize, loss: f64, gain: f64, alpha: f64) -> Option<f64> {
    let discordant = loss + gain;
    if !(loss >= 0.0 && gain >= 0.0 && discordant <= 1.0 + 1e-12 && alpha > 0.0 && alpha < 1.0) {
        return None;
    }
    if discordant == 0.0 {
        return Some(0.0);
    }
    let (discordant, gained) = (discordant.min(1.0), gain / discordant);
    // Rejected with fewer gains than this; the bound rises with the number of discordant pairs.
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
