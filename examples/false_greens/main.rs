//! False greens: how often `gate::decide` passes a candidate that is worse, and fails one that is unchanged, where an
//! endpoint, a ceiling or a stored baseline misleads it.
//!
//! ```text
//! cargo run --release --example false_greens -- [--runs 2000] [--seed 1] [--only NAME]
//! ```
//!
//! Prints a Markdown table with exact (Clopper-Pearson) 95 % intervals. The exit code is 1 if the lower bound of a share
//! exceeds what is promised for it.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "prints a table to standard output")]

#[path = "../simulation/arguments.rs"]
mod arguments;
mod cells;
#[path = "../simulation/share.rs"]
mod share;
#[path = "../simulation/mod.rs"]
mod simulation;
mod suite;

use std::process::ExitCode;

use promptgate_core::model::Verdict;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use arguments::Arguments;
use cells::{Cell, Share};
use share::{ExactShare, percent};
use suite::Outcome;

fn main() -> ExitCode {
    let Some(Arguments { runs, seed, only }) = Arguments::read(2_000) else {
        eprintln!("usage: false_greens [--runs RUNS] [--seed SEED] [--only NAME]");
        return ExitCode::from(2);
    };
    println!("{runs} runs per row, seed {seed}; shares in % with exact 95 % intervals.\n");
    println!("| group | scenario | pass | fail | undecided | repeats | bound |");
    println!("| --- | --- | --: | --: | --: | --: | --- |");
    let mut broken = Vec::new();
    let selected = |cell: &Cell| only.as_ref().is_none_or(|name| cell.label().contains(name));
    for cell in cells::all().iter().filter(|cell| selected(cell)) {
        let outcomes = simulate(cell, runs, seed);
        let counts =
            Share::ALL.map(|share| outcomes.iter().filter(|outcome| share.of(outcome.verdict)).count());
        let shares = counts.map(|count| ExactShare::of(count, runs));
        let repeats = outcomes.iter().map(|outcome| f64::from(outcome.repeats)).sum::<f64>() / runs as f64;
        let promised: Vec<String> = cell
            .promises
            .iter()
            .map(|(share, most)| format!("{} ≤ {}", share.name(), percent(*most)))
            .collect();
        let [green, red, undecided] = shares.map(|share| share.text);
        println!(
            "| {} | {} | {green} | {red} | {undecided} | {repeats:.1} | {} |",
            cell.group,
            cell.name,
            promised.join(", ")
        );
        for (share, most) in &cell.promises {
            let index = Share::ALL.iter().position(|other| other == share).unwrap_or_default();
            if ExactShare::of(counts[index], runs).lower > *most {
                broken.push(format!("{}: {} above {} %", cell.label(), share.name(), percent(*most)));
            }
        }
    }
    for broken in &broken {
        eprintln!("error: {broken}");
    }
    if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// All runs of a cell. Every run has its own random stream, so the result does not depend on the number of cores.
fn simulate(cell: &Cell, runs: usize, seed: u64) -> Vec<Outcome> {
    simulation::on_all_cores(runs, |run| {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(run);
        (cell.simulate)(generator)
    })
}

impl Share {
    /// Whether a verdict counts in this share.
    fn of(self, verdict: Verdict) -> bool {
        match self {
            Self::Green => verdict == Verdict::Pass,
            Self::Red => verdict == Verdict::Fail,
            Self::Undecided => !matches!(verdict, Verdict::Pass | Verdict::Fail),
        }
    }
}
