//! Operating characteristics: how often `gate::decide` is wrong on simulated runs of known truth.
//!
//! ```text
//! cargo run --release --example operating_characteristics -- [RUNS] [SEED]
//! ```
//!
//! Prints Markdown tables. The exit code is 1 if an error rate exceeds the documented one.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "prints tables to standard output")]

mod simulate;
#[path = "../simulation/mod.rs"]
mod simulation;

use std::process::ExitCode;

use promptgate_core::model::Verdict;
use simulate::{Noise, Outcome, Setting};

const NOISES: [Noise; 3] = [Noise::Noisy, Noise::Moderate, Noise::Quiet];
const CASES: [usize; 3] = [10, 30, 100];
const DROPS: [f64; 3] = [0.0, 0.05, 0.10];

/// Results of all runs of one setting.
struct Cell {
    setting: Setting,
    runs: usize,
    pass: usize,
    fail: usize,
    naive_pass: usize,
    repeats: f64,
}

impl Cell {
    fn share(&self, count: usize) -> f64 {
        count as f64 / self.runs as f64
    }

    /// Two standard errors of an observed share whose true value is `share`.
    fn margin(&self, share: f64) -> f64 {
        2.0 * (share * (1.0 - share) / self.runs as f64).sqrt()
    }

    /// `pass / fail / inconclusive`, in percent.
    fn verdicts(&self) -> String {
        let percent = |count: usize| format!("{:.1}", 100.0 * self.share(count));
        let open = self.runs - self.pass - self.fail;
        format!("{} / {} / {}", percent(self.pass), percent(self.fail), percent(open))
    }

    /// The documented error rate that this setting exceeds, if any.
    fn violation(&self) -> Option<String> {
        let Setting { cases, drop, .. } = self.setting;
        let (error, share, limit) = match drop {
            0.0 => ("an unchanged prompt fails", self.share(self.fail), 0.05),
            0.05 if cases >= 30 => ("a drop of 0.05 passes", self.share(self.pass), 0.06),
            0.10 if cases >= 30 => ("a drop of 0.10 passes", self.share(self.pass), 0.01),
            _ => return None,
        };
        (share > limit + self.margin(limit)).then(|| {
            format!("{error} in {:.1} % at {:?}, above {:.0} %", 100.0 * share, self.setting, 100.0 * limit)
        })
    }
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>());
    let (Ok(runs), Ok(seed)) = (arguments.next().unwrap_or(Ok(1000)), arguments.next().unwrap_or(Ok(1)))
    else {
        eprintln!("usage: operating_characteristics [RUNS] [SEED]");
        return ExitCode::from(2);
    };
    let runs = usize::try_from(runs).unwrap_or(1).max(1);
    println!("{runs} runs per cell, seed {seed}; pass / fail / inconclusive in %.");
    let mut violations = Vec::new();
    for (metrics, max_repeats) in [(1, 3), (1, 24), (2, 24)] {
        let metric = if metrics == 1 { "One metric" } else { "Two metrics" };
        let looks =
            if max_repeats == 3 { "one look at 3 repeats" } else { "looks at 3, 6, 12 and 24 repeats" };
        println!("\n{metric}, {looks}:\n");
        println!(
            "| noise | cases | unchanged | repeats | naive fails | drop of 0.05 | repeats | naive passes | drop of 0.10 |"
        );
        println!("| --- | --: | --: | --: | --: | --: | --: | --: | --: |");
        for noise in NOISES {
            for cases in CASES {
                let [unchanged, small, large] = DROPS.map(|drop| {
                    simulate_cell(Setting { noise, cases, drop, metrics, max_repeats }, runs, seed)
                });
                println!(
                    "| {} | {cases} | {} | {:.1} | {:.0} | {} | {:.1} | {:.0} | {} |",
                    noise.name(),
                    unchanged.verdicts(),
                    unchanged.repeats,
                    100.0 * unchanged.share(unchanged.runs - unchanged.naive_pass),
                    small.verdicts(),
                    small.repeats,
                    100.0 * small.share(small.naive_pass),
                    large.verdicts(),
                );
                violations.extend([unchanged, small, large].iter().filter_map(Cell::violation));
            }
        }
    }
    for violation in &violations {
        eprintln!("error: {violation}");
    }
    if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Simulates all runs of a setting on all cores. Every run has its own random stream, so the result does not depend on the
/// number of cores.
fn simulate_cell(setting: Setting, runs: usize, seed: u64) -> Cell {
    let outcomes = simulation::on_all_cores(runs, |run| simulate::run(setting, seed, run));
    let count = |is: &dyn Fn(&Outcome) -> bool| outcomes.iter().filter(|outcome| is(outcome)).count();
    Cell {
        setting,
        runs: outcomes.len(),
        pass: count(&|outcome| outcome.verdict == Verdict::Pass),
        fail: count(&|outcome| outcome.verdict == Verdict::Fail),
        naive_pass: count(&|outcome| outcome.naive_pass),
        repeats: outcomes.iter().map(|outcome| f64::from(outcome.repeats)).sum::<f64>()
            / outcomes.len() as f64,
    }
}
