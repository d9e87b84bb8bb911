//! Random numbers for simulations.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use crate::stats::binomial_cdf;

/// A binomial distribution, drawn from by inversion.
pub(in crate::stats) struct Binomial(Vec<f64>);

impl Binomial {
    pub(in crate::stats) fn new(trials: u64, share: f64) -> Self {
        let trials = usize::try_from(trials).expect("a simulated sample");
        Self((0..trials).map(|count| binomial_cdf(count, trials, share)).collect())
    }

    pub(in crate::stats) fn draw(&self, random: &mut ChaCha8Rng) -> u64 {
        let uniform = uniform(random);
        self.0.partition_point(|cumulative| *cumulative <= uniform) as u64
    }
}

/// A number from 0 to below 1.
pub(in crate::stats) fn uniform(random: &mut ChaCha8Rng) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}
