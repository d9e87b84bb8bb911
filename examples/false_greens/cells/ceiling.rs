//! Suites at the end of the scale: a few equal repeats do not show that there is no noise.

use promptgate_core::model::{Cell as Value, Role};
use promptgate_core::text::counted;
use rand::{Rng as _, RngExt as _};
use rand_chacha::ChaCha8Rng;

use super::{Cell, Share};
use crate::simulation::empty_analysis;
use crate::suite::{self, Outcome, policy};

/// All cells: the baseline always scores 1, the candidate fails a share of its answers.
pub(crate) fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for (cases, green) in [(1, 0.03), (5, 0.03), (10, 0.03), (20, 0.03)] {
        cells.push(cell(
            &format!("-5 at {}", counted(cases as u64, "case")),
            cases,
            0.05,
            vec![(Share::Green, green)],
        ));
    }
    cells.push(cell("-10 at 1 case", 1, 0.10, vec![(Share::Green, 0.01)]));
    // How many repeats a suite without a failure needs.
    for cases in [5, 10, 20] {
        let promises = vec![(Share::Red, 0.05), (Share::Undecided, 0.02)];
        cells.push(cell(&format!("unchanged at {cases} cases"), cases, 0.0, promises));
    }
    cells
}

fn cell(name: &str, cases: usize, drop: f64, promises: Vec<(Share, f64)>) -> Cell {
    let simulate = move |generator| simulate(generator, cases, drop);
    Cell { group: "ceiling", name: name.to_owned(), simulate: Box::new(simulate), promises }
}

fn simulate(mut generator: ChaCha8Rng, cases: usize, drop: f64) -> Outcome {
    let policy = policy(1, generator.next_u64());
    suite::run(&policy, empty_analysis(policy.criteria.len(), cases), |position| {
        let fails = position.role == Role::Candidate && generator.random_bool(drop);
        Value::Value(if fails { 0.0 } else { 1.0 })
    })
}
