//! Boundaries for several looks at growing evidence, one-sided, in equal steps.
//!
//! The gate itself spends alpha in proportion to repeats and needs none of these; they are the yardstick that its
//! spending is held against.

use std::f64::consts::PI;

use super::quadrature::gauss_legendre;

/// Points of each integral; doubling them changes nothing in the first ten digits.
const POINTS: usize = 160;
/// Sums are followed down to so many standard deviations.
const FAR: f64 = 9.0;

/// The constant c of Pocock (1977): reject at look k where z_k >= c. `None` unless alpha is in 0..0.5 and looks in
/// 1..=20.
pub fn pocock_constant(looks: usize, alpha: f64) -> Option<f64> {
    constant(looks, alpha, |_| 1.0)
}

/// The constant c of O'Brien and Fleming (1979): reject at look k of K where z_k >= c sqrt(K / k). `None` as for
/// [`pocock_constant`].
pub fn obrien_fleming_constant(looks: usize, alpha: f64) -> Option<f64> {
    constant(looks, alpha, |look| (looks as f64 / look as f64).sqrt())
}

/// The factor of all boundaries at which they are crossed with probability alpha, by bisection.
fn constant(looks: usize, alpha: f64, shape: impl Fn(usize) -> f64) -> Option<f64> {
    if !((1..=20).contains(&looks) && alpha > 0.0 && alpha < 0.5) {
        return None;
    }
    let (mut low, mut high) = (0.0, 8.0);
    while high - low > 1e-12 {
        let middle = (low + high) / 2.0;
        let boundaries: Vec<f64> = (1..=looks).map(|look| middle * shape(look)).collect();
        if crossing(&boundaries) > alpha {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some((low + high) / 2.0)
}

/// The probability that z crosses one of these boundaries without any effect: the density of the sum of k standard
/// normal steps that has stayed below, carried on from look to look (Armitage, McPherson and Rowe 1969).
pub fn crossing(boundaries: &[f64]) -> f64 {
    let normal = |x: f64| (-x * x / 2.0).exp() / (2.0 * PI).sqrt();
    let mut stayed: Vec<(f64, f64)> = Vec::new();
    let mut probability = 1.0;
    for (index, boundary) in boundaries.iter().enumerate() {
        let steps = ((index + 1) as f64).sqrt();
        let from = -FAR * steps;
        let below = gauss_legendre(POINTS, from, (boundary * steps).max(from));
        // Each point with its weight times the density there.
        stayed = below
            .into_iter()
            .map(|(sum, weight)| {
                let density = match index {
                    0 => normal(sum),
                    _ => stayed.iter().map(|(before, mass)| mass * normal(sum - before)).sum(),
                };
                (sum, weight * density)
            })
            .collect();
        probability = stayed.iter().map(|(_, mass)| mass).sum();
    }
    (1.0 - probability).clamp(0.0, 1.0)
}
