//! Time and memory of `metric::analyse` and `gate::decide` for a large suite.
//!
//! ```text
//! cargo bench --bench decide_large -- [CASES] [REPEATS]
//! ```
//!
//! Two variants, two judged metrics each with a threshold and a comparison with the baseline, a check that every answer
//! must pass, a latency limit and four tags; first from matrices alone, then from a whole run with short answers.

#![expect(clippy::print_stdout, reason = "prints figures to standard output")]

use std::time::Instant;

use promptgate_core::gate::{Bound, Criterion, Policy, Requirement, Rule, Statistic, decide};
use promptgate_core::metric::analyse;
use promptgate_core::model::{
    Analysis, CallTotals, CaseFacts, Cell, Completion, DatasetFacts, Ended, Grade, Matrix, MetricKind,
    MetricScores, Outcome, PromptFacts, RepeatCounts, Role, Run, Scope, Score, Trial, TrialResult,
    VariantFacts, VariantScores,
};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

fn main() {
    // Cargo passes `--bench`.
    let mut numbers = std::env::args().skip(1).filter_map(|text| text.parse::<u32>().ok());
    let (cases, repeats) = (numbers.next().unwrap_or(100_000), numbers.next().unwrap_or(3));
    let policy = policy(repeats);
    println!("{cases} cases x {repeats} repeats x 2 variants, {} criteria", policy.criteria.len());
    let analysis = analysis(cases as usize, repeats);
    println!("matrices alone      {}", memory());
    let started = Instant::now();
    let decision = decide(&analysis, &policy, &Ended::Completed);
    println!("decided             {} in {:.3} s", memory(), started.elapsed().as_secs_f64());
    println!("verdict {}, {} case statuses", decision.verdict.as_str(), decision.cases.len());
    drop((analysis, decision));
    let run = run(cases as usize, repeats);
    println!("a whole run         {}", memory());
    let started = Instant::now();
    let analysis = analyse(&run);
    println!("analysed            {} in {:.3} s", memory(), started.elapsed().as_secs_f64());
    let decision = decide(&analysis, &policy, &Ended::Completed);
    println!("verdict {}", decision.verdict.as_str());
}

/// Current and peak memory, if the system reports them.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    match (kilobytes("VmRSS:"), kilobytes("VmHWM:")) {
        (Some(now), Some(peak)) => format!("{} MB now, {} MB peak", now / 1000, peak / 1000),
        _ => "unknown memory".to_owned(),
    }
}

fn policy(repeats: u32) -> Policy {
    let criterion = |id: &str, metric: &str, requirement| Criterion {
        id: id.to_owned(),
        metric: metric.to_owned(),
        tag: None,
        requirement,
        labels: None,
    };
    let latency = Requirement::Limit { statistic: Statistic::P95, bound: Bound::Absolute(4.0) };
    Policy {
        criteria: vec![
            criterion("check.format", "check.format", Requirement::EveryTrial),
            criterion("faithfulness.min", "faithfulness", Requirement::Minimum { value: 0.75 }),
            criterion("faithfulness.baseline", "faithfulness", Requirement::NotWorse { tolerance: 0.0 }),
            criterion("relevance.min", "relevance", Requirement::Minimum { value: 0.75 }),
            criterion("relevance.baseline", "relevance", Requirement::NotWorse { tolerance: 0.0 }),
            criterion("limit.latency_p95", "latency", latency),
        ],
        repeats,
        max_repeats: repeats,
        rule: Rule::Evidence,
        scope: Scope::Suite,
        confidence: 0.95,
        resolution: 0.05,
        max_missing: 0.02,
        seed: 1,
    }
}

/// The matrices of a run of this size, without the run.
fn analysis(cases: usize, repeats: u32) -> Analysis {
    let mut generator = ChaCha8Rng::seed_from_u64(1);
    let mut matrix = |value: &dyn Fn(&mut ChaCha8Rng) -> f64| -> Matrix {
        let row = |_| Some((0..repeats).map(|_| Cell::Value(value(&mut generator))).collect::<Vec<_>>());
        (0..cases).map(row).collect()
    };
    let mut metric = |name: &str, kind, value: &dyn Fn(&mut ChaCha8Rng) -> f64| MetricScores {
        name: name.to_owned(),
        kind,
        repeats,
        baseline_repeats: repeats,
        declared_deterministic: false,
        deterministic_repeats: 0,
        scores: VariantScores { candidate: matrix(value), baseline: Some(matrix(value)) },
    };
    let tenths = |generator: &mut ChaCha8Rng| f64::from(generator.random_range(6..=10_u32)) / 10.0;
    Analysis {
        cases: (0..cases).map(case).collect(),
        repeats,
        metrics: vec![
            metric("check.format", MetricKind::Check, &|_| 1.0),
            metric("faithfulness", MetricKind::Judge, &tenths),
            metric("relevance", MetricKind::Judge, &tenths),
            metric("latency", MetricKind::Latency, &|generator| generator.random_range(0.2..3.0)),
            metric("length", MetricKind::Length, &|generator| f64::from(generator.random_range(1..500_u32))),
        ],
        has_baseline: true,
        baseline_reused: false,
        fresh_times: Vec::new(),
        unreviewed_price: None,
        sessions_differ: false,
        stored_baseline: None,
        refusals: None,
        repeats_cached: false,
        contested: promptgate_core::model::Contested::default(),
    }
}

fn case(case: usize) -> CaseFacts {
    CaseFacts {
        id: format!("case-{case}"),
        tags: vec![["refunds", "shipping", "accounts", "billing"][case % 4].to_owned()],
        ..CaseFacts::default()
    }
}

fn run(cases: usize, repeats: u32) -> Run {
    let mut generator = ChaCha8Rng::seed_from_u64(1);
    let mut trials = Vec::with_capacity(cases * repeats as usize * 2);
    for case in 0..cases {
        for repeat in 0..repeats {
            for role in [Role::Candidate, Role::Baseline] {
                let grades = vec![
                    grade("check.format", 1.0),
                    grade("faithfulness", f64::from(generator.random_range(6..=10_u32)) / 10.0),
                    grade("relevance", f64::from(generator.random_range(6..=10_u32)) / 10.0),
                ];
                let completion = Completion {
                    latency_ms: generator.random_range(200.0..3000.0),
                    ..Completion::from_text("yes")
                };
                trials.push(Trial { case, role, repeat, result: TrialResult::completed(completion, grades) });
            }
        }
    }
    let word = || "p".to_owned();
    let prompt = PromptFacts { name: word(), version: word(), digest: word(), source: word(), commit: None };
    let variant = VariantFacts {
        protocol: Default::default(),
        prompt,
        model: word(),
        parameters: serde_json::Map::new(),
        content_digest: None,
        published: None,
        application: None,
        messages: Vec::new(),
    };
    let scorers = ["check.format", "faithfulness", "relevance"].map(str::to_owned).to_vec();
    Run {
        name: word(),
        started_at: "2026-01-01T00:00:00Z".to_owned(),
        duration_ms: 0,
        dataset: DatasetFacts { path: word(), format: word(), digest: word(), cases, partial: None },
        cases: (0..cases).map(case).collect(),
        messages: Default::default(),
        candidate: variant.clone(),
        baseline: Some(variant),
        baseline_note: None,
        notices: Vec::new(),
        judge: None,
        applies: vec![vec![true; cases]; scorers.len()],
        repeats: RepeatCounts::all(repeats, scorers.len()),
        reused_baseline: None,
        scorers,
        trials,
        totals: CallTotals::default(),
        prices: Default::default(),
        simulated: false,
        ended: Ended::Completed,
        policy_source: None,
        release: None,
        warnings: Vec::new(),
    }
}

fn grade(scorer: &str, score: f64) -> Grade {
    Grade {
        scorer: scorer.to_owned(),
        outcome: Score::new(score).map_or(Outcome::Ungraded(None), Outcome::Score),
        reason: String::new(),
        details: serde_json::Value::Null,
        flags: Vec::new(),
        judging: None,
        opinions: Vec::new(),
    }
}
