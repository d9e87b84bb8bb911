//! A suite of 2,000 cases with 12 tags, of which 50 cases of two tags break: the kind of run in which chance moves far more
//! cases than the change does.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::builders::{analysis, metric};
use crate::model::{Analysis, CaseFacts};

pub(super) const CASES: usize = 2_000;
pub(super) const TRULY_BROKEN: usize = 50;
pub(super) const TAGS: [&str; 12] = [
    "battery",
    "helmet",
    "range",
    "shipping",
    "refund",
    "warranty",
    "login",
    "billing",
    "repair",
    "lights",
    "brakes",
    "recycling",
];
/// The tags of the cases that break.
pub(super) const BROKEN_TAGS: [&str; 2] = ["battery", "helmet"];

/// The runs of a simulated cell: 2,000, or `fewer` where `PROMPTGATE_ALL_RUNS=1` does not ask for all of them.
pub(super) fn runs(fewer: usize) -> usize {
    if std::env::var("PROMPTGATE_ALL_RUNS").is_ok_and(|value| value == "1") { 2_000 } else { fewer }
}

/// Random numbers of one seed.
pub(super) struct Random(ChaCha8Rng);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// From 0 to 1, 1 excluded.
    pub(super) fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Normal, by the method of Box and Muller.
    pub(super) fn normal(&mut self, mean: f64, deviation: f64) -> f64 {
        let (radius, angle) =
            ((-2.0 * (1.0 - self.uniform()).ln()).sqrt(), std::f64::consts::TAU * self.uniform());
        mean + deviation * radius * angle.cos()
    }

    /// 0/1 scores of one case that passes with this chance.
    pub(super) fn trials(&mut self, chance: f64, repeats: usize) -> Vec<f64> {
        (0..repeats).map(|_| f64::from(u8::from(self.uniform() < chance))).collect()
    }

    /// The pass rate of a case: normal around 0.9, from 0.3 to 1.
    pub(super) fn pass_rate(&mut self) -> f64 {
        self.normal(0.9, 0.1).clamp(0.3, 1.0)
    }
}

/// A run of the suite and the cases that truly break: they pass always with the baseline and never with the candidate.
/// All other cases pass as often as before.
pub(super) fn tagged_suite(seed: u64, repeats: usize) -> (Analysis, Vec<usize>) {
    let mut random = Random::new(seed);
    let mut rates: Vec<(f64, f64)> =
        (0..CASES).map(|_| random.pass_rate()).map(|rate| (rate, rate)).collect();
    let tag = |case: usize| TAGS[case % TAGS.len()];
    let mut eligible: Vec<usize> = (0..CASES).filter(|case| BROKEN_TAGS.contains(&tag(*case))).collect();
    let broken: Vec<usize> = (0..TRULY_BROKEN)
        .map(|_| eligible.swap_remove((random.uniform() * eligible.len() as f64) as usize))
        .collect();
    broken.iter().for_each(|case| rates[*case] = (1.0, 0.0));
    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    for (before, after) in rates {
        theirs.push(random.trials(before, repeats));
        ours.push(random.trials(after, repeats));
    }
    let mut run = analysis(vec![metric("faithfulness", &ours, Some(&theirs))]);
    let tagged =
        |(case, facts): (usize, &CaseFacts)| CaseFacts { tags: vec![tag(case).to_owned()], ..facts.clone() };
    run.cases = run.cases.iter().enumerate().map(tagged).collect();
    (run, broken)
}
