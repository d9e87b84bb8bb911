//! How often the gate is wrong: simulated runs of known truth through `gate::decide` itself.
//!
//! ```text
//! cargo run --release --example operating_characteristics -- [RUNS] [SEED]
//! ```
//!
//! Prints Markdown tables, and ends with exit code 1 where the gate misses what its documentation promises.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a table on standard output is what it is for"
)]

mod simulate;

use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};

use promptgate_core::model::Verdict;
use simulate::{Noise, Outcome, Setting};

const NOISES: [Noise; 3] = [Noise::Noisy, Noise::Moderate, Noise::Quiet];
const CASES: [usize; 3] = [10, 30, 100];
const DROPS: [f64; 3] = [0.0, 0.05, 0.10];

/// What came of all runs of one setting.
struct Row {
    setting: Setting,
    runs: usize,
    pass: usize,
    fail: usize,
    naive_pass: usize,
    repeats: f64,
}

impl Row {
    fn share(&self, count: usize) -> f64 {
        count as f64 / self.runs as f64
    }

    /// Two standard errors of a share of so many runs whose true value is `share`.
    fn margin(&self, share: f64) -> f64 {
        2.0 * (share * (1.0 - share) / self.runs as f64).sqrt()
    }

    /// `pass / fail / inconclusive`, in percent.
    fn verdicts(&self) -> String {
        let percent = |count: usize| format!("{:.1}", 100.0 * self.share(count));
        let open = self.runs - self.pass - self.fail;
        format!("{} / {} / {}", percent(self.pass), percent(self.fail), percent(open))
    }

    /// What the gate promises of this setting and does not keep.
    fn broken_promise(&self) -> Option<String> {
        let Setting { cases, drop, .. } = self.setting;
        let (what, share, most) = match drop {
            0.0 => ("an unchanged prompt fails", self.share(self.fail), 0.05),
            0.05 if cases >= 30 => ("a drop of 0.05 passes", self.share(self.pass), 0.06),
            0.10 if cases >= 30 => ("a drop of 0.10 passes", self.share(self.pass), 0.01),
            _ => return None,
        };
        (share > most + self.margin(most)).then(|| {
            format!("{what} in {:.1} % at {:?}, above {:.0} %", 100.0 * share, self.setting, 100.0 * most)
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
    println!("{runs} runs of each cell, seed {seed}; pass / fail / inconclusive in %.");
    let mut broken = Vec::new();
    for (metrics, most) in [(1, 3), (1, 24), (2, 24)] {
        let metric = if metrics == 1 { "One metric" } else { "Two metrics" };
        let looks = if most == 3 { "one look at 3 repeats" } else { "looks at 3, 6, 12 and 24 repeats" };
        println!("\n{metric}, {looks}:\n");
        println!(
            "| noise | cases | unchanged | repeats | naive fails | drop of 0.05 | repeats | naive passes | drop of 0.10 |"
        );
        println!("| --- | --: | --: | --: | --: | --: | --: | --: | --: |");
        for noise in NOISES {
            for cases in CASES {
                let [unchanged, small, large] = DROPS
                    .map(|drop| row(Setting { noise, cases, drop, metrics, max_repeats: most }, runs, seed));
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
                broken.extend([unchanged, small, large].iter().filter_map(Row::broken_promise));
            }
        }
    }
    for promise in &broken {
        eprintln!("not kept: {promise}");
    }
    if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// All runs of a setting, on all cores; every run has its own stream, so the result does not depend on their number.
fn row(setting: Setting, runs: usize, seed: u64) -> Row {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut outcomes = Vec::new();
        loop {
            let run = next.fetch_add(1, Ordering::Relaxed);
            if run >= runs {
                return outcomes;
            }
            outcomes.push(simulate::run(setting, seed, run as u64));
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    });
    let count = |wanted: &dyn Fn(&Outcome) -> bool| outcomes.iter().filter(|outcome| wanted(outcome)).count();
    Row {
        setting,
        runs: outcomes.len(),
        pass: count(&|outcome| outcome.verdict == Verdict::Pass),
        fail: count(&|outcome| outcome.verdict == Verdict::Fail),
        naive_pass: count(&|outcome| outcome.naive_pass),
        repeats: outcomes.iter().map(|outcome| f64::from(outcome.repeats)).sum::<f64>()
            / outcomes.len() as f64,
    }
}
