//! Faults of the endpoint: those that hit bad answers only, so that a retry replaces them, and random ones.

use promptgate_core::model::{Cell as Value, FirstAttempt, Role};
use rand::{Rng as _, RngExt as _};
use rand_chacha::ChaCha8Rng;

use super::{Cell, Share};
use crate::simulation::{empty_analysis, rates};
use crate::suite::{self, Graded, MEAN_RATE, Outcome, noisy_score, policy};

/// Cases of the simulated suite.
const CASES: usize = 30;

/// Attempts of a call after an error status.
const ATTEMPTS: u32 = 6;

/// Attempts of a call after a timeout: it is redrawn once.
const ATTEMPTS_AFTER_TIMEOUT: u32 = 2;

/// An endpoint with faults.
#[derive(Debug, Clone, Copy)]
struct Endpoint {
    /// The probability that an attempt with a bad answer fails.
    on_bad: f64,
    /// The probability that any attempt fails, for both variants.
    random: f64,
    /// Attempts of a call.
    attempts: u32,
    /// What a failed first attempt makes of the trial.
    failed: FirstAttempt,
}

/// All cells.
pub(crate) fn cells() -> Vec<Cell> {
    let statuses = Endpoint { on_bad: 0.0, random: 0.0, attempts: ATTEMPTS, failed: FirstAttempt::Contested };
    let random = |random| Endpoint { random, ..statuses };
    let selective = |on_bad| Endpoint { on_bad, ..statuses };
    let timeouts =
        Endpoint { attempts: ATTEMPTS_AFTER_TIMEOUT, failed: FirstAttempt::TimedOut, ..selective(1.0) };
    let mut cells = vec![
        cell("unchanged, no faults", 0.0, random(0.0), vec![(Share::Red, 0.05), (Share::Undecided, 0.02)]),
        cell("-10, no faults", 0.10, random(0.0), vec![(Share::Green, 0.01)]),
        cell("-10, 500 to bad answers", 0.10, selective(1.0), vec![(Share::Green, 0.01)]),
        cell("-10, 500 to half of them", 0.10, selective(0.5), vec![(Share::Green, 0.01)]),
        cell("-10, bad answers over the timeout", 0.10, timeouts, vec![(Share::Green, 0.01)]),
        cell("-5, 500 to bad answers", 0.05, selective(1.0), vec![(Share::Green, 0.05)]),
    ];
    for percent in [1_u32, 2, 3, 5] {
        let rate = f64::from(percent) / 100.0;
        let name = format!("unchanged, {percent} % random faults");
        cells.push(cell(&name, 0.0, random(rate), vec![(Share::Red, 0.05)]));
    }
    cells
}

/// A candidate that is `drop` worse because some of its answers are bad, behind an endpoint.
fn cell(name: &str, drop: f64, endpoint: Endpoint, promises: Vec<(Share, f64)>) -> Cell {
    let simulate = move |generator| simulate(generator, drop, endpoint);
    Cell { group: "faults", name: name.to_owned(), simulate: Box::new(simulate), promises }
}

fn simulate(mut generator: ChaCha8Rng, drop: f64, endpoint: Endpoint) -> Outcome {
    let policy = policy(1, generator.next_u64());
    let rates = rates(&mut generator, CASES);
    suite::run(&policy, empty_analysis(policy.criteria.len(), CASES), |position| {
        let bad = if position.role == Role::Candidate { drop / MEAN_RATE } else { 0.0 };
        call(&mut generator, endpoint, rates[position.case], bad)
    })
}

/// One call with its retries. A bad answer has score 0.
fn call(generator: &mut ChaCha8Rng, endpoint: Endpoint, rate: f64, bad: f64) -> Graded {
    let mut first_attempt = FirstAttempt::Clean;
    for _ in 0..endpoint.attempts {
        let is_bad = generator.random_bool(bad);
        let fault = if is_bad { endpoint.on_bad.max(endpoint.random) } else { endpoint.random };
        if !generator.random_bool(fault) {
            let score = if is_bad { 0.0 } else { noisy_score(generator, rate) };
            return Graded { cell: Value::Value(score), first_attempt };
        }
        first_attempt = endpoint.failed;
    }
    Graded { cell: Value::Missing, first_attempt }
}
