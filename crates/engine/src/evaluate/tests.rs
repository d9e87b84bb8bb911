//! Reuse of an earlier run as the baseline.

mod stored_baseline;

use std::sync::Arc;

use promptgate_core::forecast;
use promptgate_core::gate::{Criterion, Policy, Requirement, Rule};
use promptgate_core::metric;
use promptgate_core::model::{
    CallTotals, CaseFacts, Completion, DatasetFacts, Ended, Fault, FaultKind, Grade, Judging, Need, Outcome,
    Price, PromptFacts, RepeatCounts, Role, Run, Scope, Score, Trial, TrialResult, Usage, VariantFacts,
};

use super::{adopt_baseline, decide};

fn variant(model: &str) -> VariantFacts {
    let text = || "p".to_owned();
    let prompt = PromptFacts { name: text(), version: text(), digest: text(), source: text(), commit: None };
    VariantFacts {
        protocol: Default::default(),
        prompt,
        model: model.to_owned(),
        parameters: serde_json::Map::new(),
        content_digest: None,
        published: None,
        application: None,
        messages: Vec::new(),
    }
}

/// A run of these cases. Each trial is missing with a fault that names it.
pub(super) fn run(name: &str, cases: &[&str], repeats: u32, roles: &[Role]) -> Run {
    let mut trials = Vec::new();
    for (case, id) in cases.iter().enumerate() {
        for repeat in 0..repeats {
            for &role in roles {
                let fault = Fault::new(FaultKind::Timeout, format!("{name} {id} {repeat}"));
                trials.push(Trial { case, role, repeat, result: TrialResult::Missing(fault) });
            }
        }
    }
    Run {
        name: name.to_owned(),
        started_at: "2026-01-01T00:00:00Z".to_owned(),
        duration_ms: 1,
        dataset: DatasetFacts {
            path: "d".to_owned(),
            format: "jsonl".to_owned(),
            digest: "x".to_owned(),
            cases: cases.len(),
            partial: None,
        },
        cases: cases
            .iter()
            .map(|id| CaseFacts { id: (*id).to_owned(), shared: true, ..CaseFacts::default() })
            .collect(),
        messages: Default::default(),
        candidate: variant(name),
        baseline: None,
        baseline_note: None,
        notices: Vec::new(),
        judge: None,
        scorers: Vec::new(),
        applies: Vec::new(),
        repeats: RepeatCounts::all(repeats, 0),
        reused_baseline: None,
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

fn baseline_faults(run: &Run) -> Vec<String> {
    run.trials
        .iter()
        .filter(|trial| trial.role == Role::Baseline)
        .map(|trial| match &trial.result {
            TrialResult::Missing(fault) => format!("{}: {}", run.cases[trial.case].id, fault.message),
            TrialResult::Completed { .. } => "an answer".to_owned(),
        })
        .collect()
}

#[test]
fn reused_cases_are_matched_by_id_and_repeat() {
    let mut new = run("new", &["b", "a"], 2, &[Role::Candidate]);
    adopt_baseline(&mut new, &run("old", &["a", "gone", "b"], 3, &[Role::Candidate, Role::Baseline]));
    assert_eq!(baseline_faults(&new), ["b: old b 0", "b: old b 1", "a: old a 0", "a: old a 1"]);
    let positions: Vec<_> = new.trials.iter().map(|trial| (trial.case, trial.repeat, trial.role)).collect();
    assert!(positions.is_sorted());
    assert_eq!(new.baseline, Some(variant("old")));
    assert!(new.cases.iter().all(|case| !case.shared));
}

#[test]
fn reused_baseline_replaces_an_own_one() {
    let mut new = run("new", &["a"], 1, &[Role::Candidate, Role::Baseline]);
    adopt_baseline(&mut new, &run("old", &["a"], 1, &[Role::Candidate]));
    assert_eq!(baseline_faults(&new), ["a: old a 0"]);
}

#[test]
fn analysis_marks_a_reused_baseline() {
    let mut new = run("new", &["a"], 1, &[Role::Candidate]);
    assert!(!metric::analyse(&new).baseline_reused);
    adopt_baseline(&mut new, &run("old", &["a"], 1, &[Role::Candidate]));
    assert!(metric::analyse(&new).baseline_reused);
}

#[test]
fn missing_trials_do_not_count_as_cached() {
    let mut new = run("new", &["a"], 1, &[Role::Candidate]);
    adopt_baseline(&mut new, &run("old", &["a"], 1, &[Role::Candidate]));
    assert_eq!(new.totals.cached, 0);
}

#[test]
fn forecast_uses_the_tokens_of_the_run_even_from_a_cache() {
    let mut run = run("new", &["a", "b", "c"], 2, &[Role::Candidate, Role::Baseline]);
    run.scorers = vec!["check.c".to_owned(), "m".to_owned(), "other".to_owned()];
    run.applies = vec![vec![true; 3]; 3];
    run.repeats = RepeatCounts::all(2, 3);
    run.baseline = Some(variant("old"));
    Arc::make_mut(&mut run.cases).iter_mut().for_each(|case| case.shared = case.id == "c");
    let judged = |scorer: &str, score: f64| Grade {
        scorer: scorer.to_owned(),
        outcome: Outcome::Score(Score::new(score).expect("in range")),
        reason: String::new(),
        details: serde_json::Value::Null,
        flags: Vec::new(),
        judging: Some(Judging { calls: 1, usage: Usage::new(0, 200_000), ..Judging::default() }),
        opinions: Vec::new(),
    };
    for trial in &mut run.trials {
        let swing = if trial.repeat == 0 { 0.2 } else { -0.2 };
        let lower = if trial.role == Role::Candidate { 0.02 } else { 0.0 };
        let check = Grade { judging: None, ..judged("check.c", 1.0) };
        let grades = vec![check, judged("m", 0.6 + swing - lower), judged("other", 0.9)];
        let usage = Some(Usage::new(100_000, 0));
        let completion =
            Completion { latency_ms: 1.0, usage, cached_at: Some(1), ..Completion::from_text("yes") };
        trial.result = TrialResult::completed(completion, grades);
    }
    // Of the variants and of the judge, which has no name here.
    run.prices =
        ["new", "old", ""].map(|model| (model.to_owned(), Price::new(1.0, 1.0))).into_iter().collect();
    let criterion = |metric: &str| Criterion {
        id: format!("{metric}.baseline"),
        metric: metric.to_owned(),
        tag: None,
        requirement: Requirement::NotWorse { tolerance: 0.0 },
        labels: None,
    };
    let policy = Policy {
        criteria: vec![criterion("m"), criterion("check.c")],
        repeats: 2,
        max_repeats: 2,
        rule: Rule::Evidence,
        scope: Scope::Suite,
        confidence: 0.95,
        resolution: 0.05,
        max_missing: 0.02,
        seed: 1,
    };
    let (_, decision) = decide(&run, &policy);
    let Some(Need::Repeats(repeats)) = decision.criteria[0].need else { panic!("{decision:?}") };
    let settle = forecast::to_settle(&run, &decision).expect("an open criterion");
    // Two cases by both variants and one for both: five answers a repeat. The check needs repeats too, but no judge.
    assert!(settle.repeats.is_some_and(|needed| needed >= repeats));
    let answers = settle.repeats.expect("repeats") as u64 * 5;
    assert_eq!(settle.calls, answers * 2);
    // An answer costs 10 cents, a judgement 20.
    let expected = answers as f64 * (0.1 + 0.2);
    assert!((settle.cost_usd.expect("prices") - expected).abs() < 1e-9, "{settle:?}");
    assert_eq!(settle.cases, None);
}
