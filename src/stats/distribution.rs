//! Distributions, by statrs, with impossible parameters answered by NaN instead of a panic.

use statrs::distribution::{Beta, ContinuousCDF, Normal, StudentsT};
use statrs::function::gamma::ln_gamma;

use super::quadrature::gauss_legendre;

/// Points of the integral behind the noncentral t.
const POINTS: usize = 200;
/// Its scale is followed for so many of its standard deviations.
const REACH: f64 = 12.0;

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

/// P(T <= x) of Student's t; the normal distribution at infinite degrees of freedom, NaN where they are not
/// above 0.
pub fn student_t_cdf(x: f64, degrees_of_freedom: f64) -> f64 {
    if degrees_of_freedom.is_infinite() {
        return normal_cdf(x);
    }
    StudentsT::new(0.0, 1.0, degrees_of_freedom).map_or(f64::NAN, |t| t.cdf(x))
}

/// The quantile of Student's t; NaN outside 0..=1 or where the degrees of freedom are not above 0.
pub fn student_t_quantile(probability: f64, degrees_of_freedom: f64) -> f64 {
    if !(0.0..=1.0).contains(&probability) {
        return f64::NAN;
    }
    if degrees_of_freedom.is_infinite() {
        return normal_quantile(probability);
    }
    StudentsT::new(0.0, 1.0, degrees_of_freedom).map_or(f64::NAN, |t| t.inverse_cdf(probability))
}

/// The quantile of the beta distribution; NaN where it does not exist.
pub fn beta_quantile(probability: f64, a: f64, b: f64) -> f64 {
    if !(0.0..=1.0).contains(&probability) {
        return f64::NAN;
    }
    Beta::new(a, b).map_or(f64::NAN, |beta| beta.inverse_cdf(probability))
}

/// P(X <= successes) of `trials` trials that each succeed with `probability`, by the regularised incomplete
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

/// Distribution function of the noncentral t: P(T <= x) with this noncentrality, integrated over the chi
/// distribution of the denominator. `None` for parameters that are none.
pub fn noncentral_t_cdf(x: f64, degrees_of_freedom: f64, noncentrality: f64) -> Option<f64> {
    if degrees_of_freedom.is_nan()
        || degrees_of_freedom <= 0.0
        || !x.is_finite()
        || !noncentrality.is_finite()
    {
        return None;
    }
    if degrees_of_freedom.is_infinite() {
        return Some(normal_cdf(x - noncentrality));
    }
    // The scale s = sqrt(chi^2 / df) is near 1, the nearer the more degrees of freedom.
    let half = degrees_of_freedom / 2.0;
    let spread = 1.0 / (2.0 * degrees_of_freedom).sqrt();
    let log_factor = std::f64::consts::LN_2 + half * half.ln() - ln_gamma(half);
    let density = |s: f64| (log_factor + (degrees_of_freedom - 1.0) * s.ln() - half * s * s).exp();
    let points = gauss_legendre(POINTS, (1.0 - REACH * spread).max(0.0), 1.0 + REACH * spread);
    let below: f64 =
        points.into_iter().map(|(s, weight)| weight * density(s) * normal_cdf(x * s - noncentrality)).sum();
    Some(below.clamp(0.0, 1.0))
}
