//! Integrals of smooth functions.

/// Points and weights of Gauss and Legendre's rule over `from..to`, for smooth functions exact to rounding.
pub(super) fn gauss_legendre(points: usize, from: f64, to: f64) -> Vec<(f64, f64)> {
    let (middle, half) = ((from + to) / 2.0, (to - from) / 2.0);
    let n = points as f64;
    let point = |index: usize| {
        // Newton's steps to the root of the Legendre polynomial, from a start that is close to it.
        let mut x = (std::f64::consts::PI * (index as f64 + 0.75) / (n + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..20 {
            let (mut before, mut value) = (1.0, x);
            for degree in 2..=points {
                let degree = degree as f64;
                let next = ((2.0 * degree - 1.0) * x * value - (degree - 1.0) * before) / degree;
                (before, value) = (value, next);
            }
            slope = n * (x * value - before) / (x * x - 1.0);
            let step = value / slope;
            x -= step;
            if step.abs() < 1e-16 {
                break;
            }
        }
        (middle + half * x, half * 2.0 / ((1.0 - x * x) * slope * slope))
    };
    (0..points).map(point).collect()
}
