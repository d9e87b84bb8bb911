//! A baseline of an earlier session: the endpoint drifts between sessions, and a red is confirmed by fresh answers.

use promptgate_core::gate::decide;
use promptgate_core::model::{Analysis, Cell as Value, Ended, Matrix, Role, StoredBaseline};
use rand::{Rng as _, RngExt as _};
use rand_chacha::ChaCha8Rng;

use super::{Cell, Share};
use crate::simulation::{empty_analysis, rates};
use crate::suite::{Outcome, noisy_score, policy};

/// Cases of the simulated suite.
const CASES: usize = 30;

/// A drift between the session of the stored baseline and that of the candidate.
#[derive(Debug, Clone, Copy)]
struct Drift {
    /// Points that every answer loses.
    fixed: f64,
    /// Standard deviation of a random shift of the whole session.
    session: f64,
}

/// All cells: the prompt is unchanged.
pub(crate) fn cells() -> Vec<Cell> {
    let none = Drift { fixed: 0.0, session: 0.0 };
    let drifts = [
        ("no drift", none),
        ("2 points of drift", Drift { fixed: 0.02, ..none }),
        ("session noise of 1 point", Drift { session: 0.01, ..none }),
    ];
    let mut cells = Vec::new();
    for (name, drift) in drifts {
        let cell = |name: String, confirmed, promises| {
            let simulate = move |generator| simulate(generator, drift, confirmed);
            Cell { group: "reused baseline", name, simulate: Box::new(simulate), promises }
        };
        cells.push(cell(format!("{name}, the stored one decides"), false, Vec::new()));
        cells.push(cell(format!("{name}, confirmed"), true, vec![(Share::Red, 0.05)]));
    }
    cells
}

fn simulate(mut generator: ChaCha8Rng, drift: Drift, confirmed: bool) -> Outcome {
    let policy = policy(1, generator.next_u64());
    let rates = rates(&mut generator, CASES);
    let mut analysis = empty_analysis(policy.criteria.len(), CASES);
    analysis.stored_baseline = Some(StoredBaseline { decides: !confirmed, ..StoredBaseline::default() });
    let shift = drift.fixed + drift.session * normal(&mut generator);
    // Only the stored answers lack the drift.
    let mut answer = |role, stored: bool, case: usize| {
        let shift = if role == Role::Baseline && stored { 0.0 } else { shift };
        noisy_score(&mut generator, rates[case] - shift)
    };
    let mut repeats = policy.schedule().first();
    loop {
        let stored = analysis.stored_baseline.is_some();
        extend(&mut analysis, repeats, &mut |role, case| answer(role, stored, case));
        let mut decision = decide(&analysis, &policy, &Ended::Completed);
        if decision.is_unconfirmed() {
            // As many fresh answers of the baseline as the candidate has; the stored ones are not read any more.
            let fresh = (0..CASES).map(|case| {
                Some(
                    (0..repeats)
                        .map(|_| Value::Value(answer(Role::Baseline, false, case)))
                        .collect::<Vec<_>>(),
                )
            });
            analysis.metrics[0].scores.baseline = Some(fresh.collect());
            analysis.stored_baseline = None;
            decision = decide(&analysis, &policy, &Ended::Completed);
        }
        match decision.next {
            Some(next) => repeats = next.repeats,
            None => return Outcome { verdict: decision.verdict, repeats },
        }
    }
}

/// Adds the trials of both variants up to `repeats`.
fn extend(analysis: &mut Analysis, repeats: u32, answer: &mut impl FnMut(Role, usize) -> f64) {
    let before = analysis.repeats;
    let metric = &mut analysis.metrics[0];
    let mut fill = |matrix: &mut Matrix, role| {
        let rows = matrix.rows().flatten().enumerate().map(|(case, row)| {
            let more = (before..repeats).map(|_| Value::Value(answer(role, case)));
            Some(row.iter().copied().chain(more).collect::<Vec<_>>())
        });
        *matrix = rows.collect();
    };
    fill(&mut metric.scores.candidate, Role::Candidate);
    metric.scores.baseline.iter_mut().for_each(|baseline| fill(baseline, Role::Baseline));
    (metric.repeats, metric.baseline_repeats) = (repeats, repeats);
    analysis.repeats = repeats;
}

/// A standard normal number (Box and Muller 1958).
fn normal(generator: &mut ChaCha8Rng) -> f64 {
    let (radius, angle): (f64, f64) = (1.0 - generator.random::<f64>(), generator.random());
    (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
}
