//! Other rules on the same traffic: a test at the fixed level at each look, and a confidence sequence.
//!
//! The traffic is that of the default canary for its shortest time. Both look at faithfulness alone, every six hours.

use promptgate_core::stats::{Share, Stratum, normal_quantile, share_test};
use promptgate_release::rollout::default_canary;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

const ALPHA: f64 = 0.05;
/// The sample size at which the confidence sequence is narrowest.
const OPTIMUM: f64 = 5_000.0;
/// Samples of each variant before the first look.
const LEAST: u64 = 20;
const CADENCE_SECONDS: u64 = 6 * 3_600;

/// Whether each would have rolled back.
#[derive(Clone, Copy, Default)]
pub(crate) struct Rivals {
    pub(crate) naive: bool,
    pub(crate) sequence: bool,
}

/// Simulates the shortest default canary.
pub(crate) fn rolled_back(per_day: f64, control: f64, treatment: f64, seed: u64) -> Rivals {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut draw = |n: u64, rate: f64| (0..n).filter(|_| random.random_bool(rate)).count() as u64;
    let empty = Share { successes: 0, n: 0 };
    let mut strata: Vec<Stratum<Share>> = Vec::new();
    let mut rivals = Rivals::default();
    let all = (per_day * CADENCE_SECONDS as f64 / 86_400.0).round() as u64;
    for step in default_canary() {
        strata.push(Stratum { control: empty, treatment: empty });
        let share = f64::from(step.basis_points) / 10_000.0;
        for _ in 0..step.hold_seconds / CADENCE_SECONDS {
            let treated = draw(all, share);
            let (good, good_control) = (draw(treated, treatment), draw(all - treated, control));
            let Some(last) = strata.last_mut() else { continue };
            last.treatment =
                Share { successes: last.treatment.successes + good, n: last.treatment.n + treated };
            last.control =
                Share { successes: last.control.successes + good_control, n: last.control.n + all - treated };
            let n = |side: fn(&Stratum<Share>) -> u64| strata.iter().map(side).sum::<u64>();
            let (treated, untreated) = (n(|pair| pair.treatment.n), n(|pair| pair.control.n));
            if treated.min(untreated) < LEAST {
                continue;
            }
            let Some(test) = share_test(&strata, 0.0) else { continue };
            rivals.naive |= -test.z >= normal_quantile(1.0 - ALPHA);
            rivals.sequence |= upper(test.estimate, test.standard_error, treated + untreated) < 0.0;
        }
    }
    rivals
}

/// The upper end of the one-sided asymptotic confidence sequence of a difference (Waudby-Smith et al. 2021,
/// arXiv:2103.06476, in the form of GrowthBook's gbstats).
fn upper(difference: f64, standard_error: f64, n: u64) -> f64 {
    let n = n as f64;
    let alpha = 2.0 * ALPHA;
    let rho2 = (-2.0 * alpha.ln() + (-2.0 * alpha.ln() + 1.0).ln()) / OPTIMUM;
    let scale = n * rho2 + 1.0;
    let width = 2.0 * scale / (n * n * rho2) * (1.0 + scale.sqrt() / (2.0 * ALPHA)).ln();
    difference + standard_error * n.sqrt() * width.sqrt()
}
