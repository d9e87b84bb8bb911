//! A simulated suite: cases of known truth, answered and judged look by look until the gate decides.
//!
//! Each case has a rate at which a statement of an answer is supported, drawn from a Beta distribution with mean 0.85 and
//! standard deviation 0.127. An answer has 1 to 6 statements, and its score is the share that is supported: a standard
//! deviation of 0.21 between the repeats of a case.

use promptgate_core::gate::{Criterion, Policy, Requirement, decide};
use promptgate_core::model::{
    Analysis, Cell, ContestedTrial, Ended, FirstAttempt, Matrix, Role, TrialPlace, Verdict,
};
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

use crate::simulation::{self, name};

/// The mean of the rates.
pub(crate) const MEAN_RATE: f64 = 0.85;

/// Result of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome {
    pub(crate) verdict: Verdict,
    /// Repeats of the last look.
    pub(crate) repeats: u32,
}

/// The trial to grade.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Position {
    pub(crate) role: Role,
    pub(crate) case: usize,
}

/// A graded trial.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Graded {
    pub(crate) cell: Cell,
    /// Its first attempt.
    pub(crate) first_attempt: FirstAttempt,
}

impl From<Cell> for Graded {
    /// A trial without failed attempts.
    fn from(cell: Cell) -> Self {
        Self { cell, first_attempt: FirstAttempt::Clean }
    }
}

/// The share of supported statements of one answer.
pub(crate) fn noisy_score(generator: &mut ChaCha8Rng, rate: f64) -> f64 {
    let statements = generator.random_range(1..=6_u32);
    let supported = (0..statements).filter(|_| generator.random_bool(rate.clamp(0.0, 1.0))).count();
    supported as f64 / f64::from(statements)
}

/// The policy "not worse than the baseline" on each of `metrics` metrics, with the default looks.
pub(crate) fn policy(metrics: usize, seed: u64) -> Policy {
    let criterion = |metric: usize| Criterion {
        id: format!("{}.baseline", name(metric)),
        metric: name(metric),
        tag: None,
        requirement: Requirement::NotWorse { tolerance: 0.0 },
        labels: None,
    };
    simulation::policy((0..metrics).map(criterion).collect(), 24, seed)
}

/// Answers and decides, look by look, until the verdict is final. `grade` grades one trial.
pub(crate) fn run<G: Into<Graded>>(
    policy: &Policy,
    mut analysis: Analysis,
    mut grade: impl FnMut(Position) -> G,
) -> Outcome {
    let mut repeats = policy.schedule().first();
    let mut graded: Vec<String> = analysis.metrics.iter().map(|metric| metric.name.clone()).collect();
    loop {
        extend(&mut analysis, repeats, &graded, &mut |position| grade(position).into());
        let decision = decide(&analysis, policy, &Ended::Completed);
        match decision.next {
            Some(next) => (repeats, graded) = (next.repeats, next.metrics),
            None => return Outcome { verdict: decision.verdict, repeats },
        }
    }
}

/// Adds the trials of both variants up to `repeats`. A metric that is not in `graded` is not asked.
fn extend(
    analysis: &mut Analysis,
    repeats: u32,
    graded: &[String],
    grade: &mut impl FnMut(Position) -> Graded,
) {
    let before = analysis.repeats;
    let mut contested = Vec::new();
    for metric in &mut analysis.metrics {
        let is_graded = graded.contains(&metric.name);
        let mut fill = |matrix: &mut Matrix, role| {
            let rows = matrix.rows().flatten().enumerate().map(|(case, row)| {
                let more = (before..repeats).map(|repeat| {
                    if !is_graded {
                        return Cell::NotAsked;
                    }
                    let Graded { cell, first_attempt } = grade(Position { role, case });
                    if first_attempt.is_contested() {
                        let at = TrialPlace { role, case, repeat };
                        contested
                            .push(ContestedTrial { at, timed_out: first_attempt == FirstAttempt::TimedOut });
                    }
                    cell
                });
                Some(row.iter().copied().chain(more).collect::<Vec<_>>())
            });
            *matrix = rows.collect();
        };
        fill(&mut metric.scores.candidate, Role::Candidate);
        metric.scores.baseline.iter_mut().for_each(|baseline| fill(baseline, Role::Baseline));
        if is_graded {
            (metric.repeats, metric.baseline_repeats) = (repeats, repeats);
        }
    }
    analysis.repeats = repeats;
    analysis.contested.trials.append(&mut contested);
}
