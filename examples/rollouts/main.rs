//! Rollouts of known truth: how often the rule as shipped rolls back, completes and waits, beside naive looks and a
//! confidence sequence.
//!
//! ```text
//! cargo run --release --example rollouts -- [--runs RUNS] [--seed SEED] [--only NAME]
//! ```
//!
//! Default canary, a call every six hours, two guardrails: faithfulness .90 with margin .03, error rate .02 with margin .01.
//! Prints a Markdown table. The exit code is 1 if the lower exact 95 % bound of a share exceeds what is promised.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "prints a table to standard output")]

#[path = "../simulation/arguments.rs"]
mod arguments;
#[path = "../simulation/cores.rs"]
mod cores;
mod rivals;
#[path = "../simulation/share.rs"]
mod share;

use std::process::ExitCode;

use promptgate_release::rollout::{
    Better, Guardrail, RolloutKind, RolloutPolicy, RolloutStart, Scenario, SimulatedOutcome, Variants,
    default_canary, default_staged, planned_information, simulate,
};
use promptgate_release::{Digest, ReleasePolicy, Version};

use arguments::Arguments;
use share::ExactShare;

const CADENCE_SECONDS: u64 = 6 * 3_600;
const HOUR: u64 = 3_600;
const DAY: f64 = 86_400.0;
/// Faithfulness of production.
const FAITHFULNESS: f64 = 0.90;
/// Error rate of production.
const ERRORS: f64 = 0.02;
/// Most false rollbacks and false completions.
const PROMISED: f64 = 0.06;
/// Least equal versions that complete within [`SOON_DAYS`] at 2,000 scored requests a day.
const COMPLETED: f64 = 0.80;
const SOON_DAYS: f64 = 14.0;

/// A truth.
struct Truth {
    name: &'static str,
    faithfulness_drop: f64,
    errors_rise: f64,
}

const TRUTHS: [Truth; 5] = [
    Truth { name: "equal", faithfulness_drop: 0.0, errors_rise: 0.0 },
    Truth { name: "faithfulness at its margin", faithfulness_drop: 0.03, errors_rise: 0.0 },
    Truth { name: "errors at their margin", faithfulness_drop: 0.0, errors_rise: 0.01 },
    Truth { name: "faithfulness -5", faithfulness_drop: 0.05, errors_rise: 0.0 },
    Truth { name: "faithfulness -20", faithfulness_drop: 0.20, errors_rise: 0.0 },
];

fn policy(per_day: f64) -> RolloutPolicy {
    let guardrail = |name: &str, better, margin| Guardrail {
        name: name.to_owned(),
        better,
        margin,
        source: "simulated".to_owned(),
    };
    // At 500 a day, `start` refuses the default; these are the figures with --anyway and longer steps.
    let max_hold = if per_day < 1_000.0 { 30 * 24 } else { 168 };
    RolloutPolicy {
        canary: default_canary(),
        staged: default_staged(),
        guardrails: vec![
            guardrail("faithfulness", Better::Higher, 0.03),
            guardrail("error_rate", Better::Lower, 0.01),
        ],
        signals: Vec::new(),
        max_hold_seconds: max_hold * HOUR,
        settle_seconds: 0,
        lag_seconds: 0,
        alpha: 0.05,
        sources: sources(),
    }
}

fn sources() -> Digest {
    ReleasePolicy::default().digest()
}

struct Ended {
    outcome: SimulatedOutcome,
    days: f64,
}

fn run(per_day: f64, truth: &Truth, seed: u64) -> Option<Ended> {
    let policy = policy(per_day);
    let start = RolloutStart {
        number: 1,
        treatment: Version { major: 1, minor: 1, patch: 0 },
        control: Version::FIRST,
        kind: RolloutKind::Canary,
        planned_information: planned_information(&policy.canary, Some(per_day)),
        steps: policy.canary.clone(),
        salt: "example".to_owned(),
        sources: sources(),
        reason: None,
    };
    let pair = |control: f64, treatment: f64| Variants { control, treatment };
    let rates = [
        ("faithfulness".to_owned(), pair(FAITHFULNESS, FAITHFULNESS - truth.faithfulness_drop)),
        ("error_rate".to_owned(), pair(ERRORS, ERRORS + truth.errors_rise)),
    ];
    let scenario = Scenario { per_day, cadence_seconds: CADENCE_SECONDS, rates: rates.into(), seed };
    let ended = simulate(&start, &policy, &scenario)?;
    Some(Ended { outcome: ended.outcome, days: ended.ended_seconds as f64 / DAY })
}

fn main() -> ExitCode {
    let Some(Arguments { runs, seed, only }) = Arguments::read(4_000) else {
        eprintln!("usage: rollouts [--runs RUNS] [--seed SEED] [--only NAME]");
        return ExitCode::from(2);
    };
    println!("{runs} runs per cell, seed {seed}; shares in % with exact 95 % intervals.\n");
    println!(
        "| a day | truth | rolled back | completed | stuck | completed in 14 days | median days | naive looks | confidence \
         sequence |"
    );
    println!("| --: | --- | --: | --: | --: | --: | --: | --: | --: |");
    let mut broken = Vec::new();
    for per_day in [500.0, 2_000.0, 10_000.0] {
        for truth in &TRUTHS {
            let label = format!("{per_day} {}", truth.name);
            if only.as_ref().is_some_and(|name| !label.contains(name)) {
                continue;
            }
            let random = |run: u64| seed.wrapping_mul(1 << 32).wrapping_add(run);
            let ended: Vec<Ended> = cores::on_all_cores(runs, |index| run(per_day, truth, random(index)))
                .into_iter()
                .flatten()
                .collect();
            let count = |outcome| ended.iter().filter(|ended| ended.outcome == outcome).count();
            let (back, done) = (count(SimulatedOutcome::RolledBack), count(SimulatedOutcome::Completed));
            let soon =
                |ended: &&Ended| ended.outcome == SimulatedOutcome::Completed && ended.days <= SOON_DAYS;
            let soon = ended.iter().filter(soon).count();
            let mut days: Vec<f64> = ended.iter().map(|ended| ended.days).collect();
            days.sort_by(f64::total_cmp);
            let rivals = cores::on_all_cores(runs, |index| {
                let drop = truth.faithfulness_drop;
                rivals::rolled_back(per_day, FAITHFULNESS, FAITHFULNESS - drop, random(index))
            });
            let shown = |count: usize| ExactShare::of(count, runs).text;
            let naive = rivals.iter().filter(|rival| rival.naive).count();
            let sequence = rivals.iter().filter(|rival| rival.sequence).count();
            println!(
                "| {per_day} | {} | {} | {} | {} | {} | {:.1} | {} | {} |",
                truth.name,
                shown(back),
                shown(done),
                shown(count(SimulatedOutcome::Stuck)),
                shown(soon),
                days.get(days.len() / 2).copied().unwrap_or_default(),
                shown(naive),
                shown(sequence)
            );
            let mut promise = |what: &str, count: usize| {
                if ExactShare::of(count, runs).lower > PROMISED {
                    broken.push(format!("{label}: {what} above {PROMISED}"));
                }
            };
            match truth.name {
                "equal" => promise("false rollbacks", back),
                "faithfulness at its margin" | "errors at their margin" => promise("false completions", done),
                _ => {}
            }
            if per_day == 2_000.0
                && truth.name == "equal"
                && ExactShare::of(runs - soon, runs).lower > 1.0 - COMPLETED
            {
                broken.push(format!("{label}: completed within {SOON_DAYS} days below {COMPLETED}"));
            }
        }
    }
    for broken in &broken {
        eprintln!("error: {broken}");
    }
    if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
