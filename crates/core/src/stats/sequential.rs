//! Group sequential designs: alpha spending and boundary constants.

use std::f64::consts::PI;

use super::{normal_cdf, normal_quantile};

/// Points of the Gauss-Legendre rule: 64 give twelve digits for up to twenty looks.
const POINTS: usize = 64;
/// Standard deviations below 0 where the integration starts; the tail beyond is below 1e-18.
const LEFT: f64 = 9.0;
/// Maximum number of looks that [`constant`] supports.
const MAX_LOOKS: usize = 20;

/// The share of `alpha` for each look, linear in the information: alpha_j = alpha (k_j - k_(j-1)) / k_last,
/// from k_0 = 0 (Lan and DeMets 1983, linear spending function). Each look is tested at its own share, which is valid
/// whatever the dependence. `repeats` are the k_j. `None` unless they increase and alpha is in 0..1.
pub fn spend(repeats: &[usize], alpha: f64) -> Option<Vec<f64>> {
    let last = *repeats.last()? as f64;
    let mut before = 0;
    let mut shares = Vec::with_capacity(repeats.len());
    for &now in repeats {
        if now <= before {
            return None;
        }
        shares.push(alpha * ((now - before) as f64 / last));
        before = now;
    }
    (alpha > 0.0 && alpha < 1.0).then_some(shares)
}

/// Pocock's constant c: with `looks` at equal steps, rejecting as soon as z >= c keeps the one-sided error at
/// `alpha` (Pocock 1977). By the recursion of Armitage, McPherson and Rowe (1969). `None` for no look, more than 20
/// looks, or an alpha not in 0..0.5.
pub fn pocock_constant(looks: usize, alpha: f64) -> Option<f64> {
    constant(looks, alpha, |look| (look as f64).sqrt())
}

/// O'Brien and Fleming's constant c: with K `looks` at equal steps, rejecting as soon as z >= c sqrt(K / k) at
/// look k keeps the one-sided error at `alpha` (O'Brien and Fleming 1979). Otherwise like [`pocock_constant`].
pub fn obrien_fleming_constant(looks: usize, alpha: f64) -> Option<f64> {
    constant(looks, alpha, |_| (looks as f64).sqrt())
}

/// The factor c at which a walk of `looks` standard normal steps crosses c `shape(step)` at any step with
/// probability `alpha`.
fn constant(looks: usize, alpha: f64, shape: impl Fn(usize) -> f64) -> Option<f64> {
    if looks == 0 || looks > MAX_LOOKS || !(alpha > 0.0 && alpha < 0.5) {
        return None;
    }
    let rule = gauss_legendre();
    let bounds = |factor: f64| (1..=looks).map(|look| factor * shape(look)).collect::<Vec<f64>>();
    // The quantile of a single look is a lower bound, that of an equal share of alpha per look an upper one.
    let (mut low, mut high) = (normal_quantile(1.0 - alpha), normal_quantile(1.0 - alpha / looks as f64));
    while high - low > 1e-13 * high {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            break;
        }
        if crossing(&bounds(middle), &rule) > alpha { low = middle } else { high = middle }
    }
    Some(f64::midpoint(low, high))
}

/// The probability that a walk of standard normal steps reaches its bound at any step, by propagating the density of the
/// walks that are still below from step to step (Armitage, McPherson and Rowe 1969; Jennison and Turnbull 2000).
fn crossing(bounds: &[f64], rule: &[(f64, f64)]) -> f64 {
    let mut crossed = 0.0;
    // Positions of the walks still below the bounds, with their probability.
    let mut walks = vec![(0.0, 1.0)];
    for (step, &bound) in bounds.iter().enumerate() {
        crossed += walks.iter().map(|(place, weight)| weight * normal_cdf(place - bound)).sum::<f64>();
        if step + 1 == bounds.len() {
            break;
        }
        let left = -LEFT * ((step + 1) as f64).sqrt();
        let (middle, half) = (f64::midpoint(left, bound), (bound - left) / 2.0);
        walks = rule
            .iter()
            .map(|(node, weight)| {
                let place = middle + half * node;
                let density: f64 = walks.iter().map(|(from, mass)| mass * normal_density(place - from)).sum();
                (place, half * weight * density)
            })
            .collect();
    }
    crossed
}

fn normal_density(x: f64) -> f64 {
    (-x * x / 2.0).exp() / (2.0 * PI).sqrt()
}

/// Nodes and weights of the Gauss-Legendre rule on -1..1: roots of the Legendre polynomial by Newton's method from the
/// standard initial guess (Abramowitz and Stegun 1964, 25.4.29 and 22.16.6).
fn gauss_legendre() -> Vec<(f64, f64)> {
    let order = POINTS as f64;
    (0..POINTS)
        .map(|index| {
            let mut root = (PI * (index as f64 + 0.75) / (order + 0.5)).cos();
            let mut slope = 1.0;
            for _ in 0..20 {
                let (mut before, mut value) = (1.0, root);
                for degree in 2..=POINTS {
                    let degree = degree as f64;
                    let next = ((2.0 * degree - 1.0) * root * value - (degree - 1.0) * before) / degree;
                    (before, value) = (value, next);
                }
                slope = order * (root * value - before) / (root * root - 1.0);
                root -= value / slope;
            }
            (root, 2.0 / ((1.0 - root * root) * slope * slope))
        })
        .collect()
}
