//! Distributions from statrs, with NaN in place of a panic for invalid parameters.

use statrs::distribution::{Beta, ContinuousCDF, DiscreteCDF, Hypergeometric, Normal, StudentsT};

/// Degrees of freedom above which Student's t is expanded around the normal distribution.
const MANY_DEGREES: f64 = 10_000.0;

/// P(Z <= x) of the standard normal distribution.
pub fn normal_cdf(x: f64) -> f64 {
    Normal::standard().cdf(x)
}

/// The standard normal quantile; infinite at 0 and 1, NaN outside 0..=1.
pub fn normal_quantile(probability: f64) -> f64 {
    if !(0.0..=1.0).contains(&probability) {
        return f64::NAN;
    }
    Normal::standard().inverse_cdf(probability)
}

/// P(T <= x) of Student's t; the normal distribution at infinite degrees of freedom, NaN if they are not above 0.
pub fn student_t_cdf(x: f64, degrees_of_freedom: f64) -> f64 {
    if degrees_of_freedom.is_infinite() {
        return normal_cdf(x);
    }
    StudentsT::new(0.0, 1.0, degrees_of_freedom).map_or(f64::NAN, |t| t.cdf(x))
}

/// The quantile of Student's t; NaN outside 0..=1 or if the degrees of freedom are not above 0. Above 10,000 degrees of
/// freedom it uses the expansion around the normal quantile (Abramowitz and Stegun 1964, 26.7.5), because statrs loses
/// digits there: only four are right at 566,000.
pub fn student_t_quantile(probability: f64, degrees_of_freedom: f64) -> f64 {
    if !(0.0..=1.0).contains(&probability) {
        return f64::NAN;
    }
    if degrees_of_freedom > MANY_DEGREES {
        return near_normal_quantile(normal_quantile(probability), degrees_of_freedom);
    }
    StudentsT::new(0.0, 1.0, degrees_of_freedom).map_or(f64::NAN, |t| t.inverse_cdf(probability))
}

/// The quantile of Student's t at the probability whose normal quantile is `z`.
fn near_normal_quantile(z: f64, degrees_of_freedom: f64) -> f64 {
    if z.is_infinite() || degrees_of_freedom.is_infinite() {
        return z;
    }
    let (square, small) = (z * z, degrees_of_freedom.recip());
    let first = (square + 1.0) / 4.0;
    let second = ((5.0 * square + 16.0) * square + 3.0) / 96.0;
    let third = (((3.0 * square + 19.0) * square + 17.0) * square - 15.0) / 384.0;
    z * (1.0 + small * (first + small * (second + small * third)))
}

/// The quantile of the beta distribution; NaN if it does not exist.
pub fn beta_quantile(probability: f64, a: f64, b: f64) -> f64 {
    if !(0.0..=1.0).contains(&probability) {
        return f64::NAN;
    }
    Beta::new(a, b).map_or(f64::NAN, |beta| beta.inverse_cdf(probability))
}

/// P(X <= successes) in `trials` trials that each succeed with `probability`, by the regularised incomplete
/// beta function.
pub fn binomial_cdf(successes: usize, trials: usize, probability: f64) -> f64 {
    if successes >= trials {
        return 1.0;
    }
    if probability <= 0.0 {
        return 1.0;
    }
    if probability >= 1.0 {
        return 0.0;
    }
    Beta::new((trials - successes) as f64, (successes + 1) as f64)
        .map_or(f64::NAN, |beta| beta.cdf(1.0 - probability))
}

/// P(X <= picked) for `draws` draws without replacement from `all`, of which `marked` are marked; NaN if more are drawn or
/// marked than exist.
pub fn hypergeometric_cdf(picked: usize, draws: usize, marked: usize, all: usize) -> f64 {
    // The sum of terms may exceed 1 by rounding.
    Hypergeometric::new(all as u64, marked as u64, draws as u64)
        .map_or(f64::NAN, |counts| counts.cdf(picked as u64).min(1.0))
}
