//! One simulated run: a suite of cases with known pass rates, answered, judged and decided look by look.
//!
//! Each case has a rate at which a statement of an answer is supported, drawn from a Beta distribution with mean 0.85 and
//! standard deviation 0.127. The score of an answer is the share of its statements that are supported. With fewer
//! statements, scores vary more between repeats of a case: that is the noise. A drop is subtracted from the rate of every
//! case. The naive rule passes if every metric's mean at the first look is at least the baseline's.

use promptgate_core::gate::{Criterion, Policy, Requirement, decide};
use promptgate_core::model::{Cell, Ended, Matrix, Verdict};
use rand::{Rng as _, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::simulation::{self, empty_analysis, name};

/// The minimum of each metric if there are two. The truth is far above it.
const MINIMUM: f64 = 0.60;

/// How much scores vary between the repeats of a case.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Noise {
    /// 1 to 6 statements: a standard deviation of 0.21 within a case.
    Noisy,
    /// 4 to 10 statements: 0.13.
    Moderate,
    /// 12 to 30 statements: 0.08.
    Quiet,
}

impl Noise {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Noisy => "noisy",
            Self::Moderate => "moderate",
            Self::Quiet => "quiet",
        }
    }

    fn statements(self) -> std::ops::RangeInclusive<u32> {
        match self {
            Self::Noisy => 1..=6,
            Self::Moderate => 4..=10,
            Self::Quiet => 12..=30,
        }
    }
}

/// Parameters of a simulation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    pub(crate) noise: Noise,
    pub(crate) cases: usize,
    /// Reduction of the candidate's rate on every case.
    pub(crate) drop: f64,
    /// One metric has only the comparison with the baseline, two also have a minimum each.
    pub(crate) metrics: usize,
    /// Repeats of the last look; the first is at 3.
    pub(crate) max_repeats: u32,
}

/// Result of a run.
pub(crate) struct Outcome {
    pub(crate) verdict: Verdict,
    /// Repeats of the last look.
    pub(crate) repeats: u32,
    pub(crate) naive_pass: bool,
}

/// Simulates run number `run`.
pub(crate) fn run(setting: Setting, seed: u64, run: u64) -> Outcome {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(run);
    let policy = policy(setting, generator.next_u64());
    let truth: Vec<Vec<f64>> =
        (0..setting.metrics).map(|_| simulation::rates(&mut generator, setting.cases)).collect();
    let mut analysis = empty_analysis(setting.metrics, setting.cases);
    let mut graded: Vec<String> = (0..setting.metrics).map(name).collect();
    let mut repeats = policy.schedule().first();
    let mut naive_pass = None;
    loop {
        for (metric, rates) in analysis.metrics.iter_mut().zip(&truth) {
            let is_graded = graded.contains(&metric.name);
            let before = analysis.repeats;
            let mut fill = |matrix: &mut Matrix, drop: f64| {
                let rows = matrix.rows().flatten().zip(rates).map(|(row, rate)| {
                    let rate = (rate - drop).max(0.0);
                    let more = (before..repeats).map(|_| match is_graded {
                        true => Cell::Value(score(&mut generator, setting.noise, rate)),
                        false => Cell::NotAsked,
                    });
                    Some(row.iter().copied().chain(more).collect::<Vec<_>>())
                });
                *matrix = rows.collect();
            };
            fill(&mut metric.scores.candidate, setting.drop);
            metric.scores.baseline.iter_mut().for_each(|baseline| fill(baseline, 0.0));
            if is_graded {
                (metric.repeats, metric.baseline_repeats) = (repeats, repeats);
            }
        }
        analysis.repeats = repeats;
        let decision = decide(&analysis, &policy, &Ended::Completed);
        let differences = || decision.metrics.iter().filter_map(|metric| metric.difference);
        naive_pass.get_or_insert_with(|| differences().all(|difference| difference.mean >= 0.0));
        match decision.next {
            Some(next) => (repeats, graded) = (next.repeats, next.metrics),
            None => {
                let naive_pass = naive_pass.unwrap_or_default();
                return Outcome { verdict: decision.verdict, repeats, naive_pass };
            }
        }
    }
}

/// The share of supported statements of one answer.
fn score(generator: &mut ChaCha8Rng, noise: Noise, rate: f64) -> f64 {
    let statements = generator.random_range(noise.statements());
    let supported = (0..statements).filter(|_| generator.random_bool(rate)).count();
    supported as f64 / f64::from(statements)
}

fn policy(setting: Setting, seed: u64) -> Policy {
    let criterion = |metric: usize, kind: &str, requirement| Criterion {
        id: format!("{}.{kind}", name(metric)),
        metric: name(metric),
        tag: None,
        requirement,
        labels: None,
    };
    let mut criteria = Vec::new();
    for metric in 0..setting.metrics {
        if setting.metrics > 1 {
            criteria.push(criterion(metric, "min", Requirement::Minimum { value: MINIMUM }));
        }
        criteria.push(criterion(metric, "baseline", Requirement::NotWorse { tolerance: 0.0 }));
    }
    simulation::policy(criteria, setting.max_repeats, seed)
}
