//! What an earlier run lends as a baseline.

use crate::metric;
use crate::model::{
    Asked, CallTotals, CaseFacts, DatasetFacts, Ended, Fault, FaultKind, PromptFacts, Role, Run, Trial,
    TrialResult, VariantFacts,
};

use super::adopt_baseline;

fn variant(model: &str) -> VariantFacts {
    let word = || "p".to_owned();
    let prompt = PromptFacts { name: word(), version: word(), digest: word(), source: word(), commit: None };
    VariantFacts { prompt, model: model.to_owned(), parameters: serde_json::Map::new() }
}

/// A run of these cases; each trial is missing by a fault that names it.
fn run(name: &str, cases: &[&str], repeats: u32, roles: &[Role]) -> Run {
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
        },
        cases: cases
            .iter()
            .map(|id| CaseFacts { id: (*id).to_owned(), shared: true, ..CaseFacts::default() })
            .collect(),
        candidate: variant(name),
        baseline: None,
        baseline_note: None,
        judge: None,
        scorers: Vec::new(),
        applies: Vec::new(),
        asked: Asked::all(repeats, 0),
        lent: None,
        trials,
        totals: CallTotals::default(),
        prices: Vec::new(),
        simulated: false,
        ended: Ended::Completed,
        warnings: Vec::new(),
    }
}

fn lent(run: &Run) -> Vec<String> {
    run.trials
        .iter()
        .filter(|trial| trial.role == Role::Baseline)
        .map(|trial| match &trial.result {
            TrialResult::Missing(fault) => format!("{}: {}", run.cases[trial.case].id, fault.message),
            TrialResult::Answered { .. } => "an answer".to_owned(),
        })
        .collect()
}

#[test]
fn cases_are_matched_by_id_and_repeats_by_number() {
    let mut new = run("new", &["b", "a"], 2, &[Role::Candidate]);
    adopt_baseline(&mut new, &run("old", &["a", "gone", "b"], 3, &[Role::Candidate, Role::Baseline]));
    assert_eq!(lent(&new), ["b: old b 0", "b: old b 1", "a: old a 0", "a: old a 1"]);
    let places: Vec<_> = new.trials.iter().map(|trial| (trial.case, trial.repeat, trial.role)).collect();
    assert!(places.is_sorted());
    assert_eq!(new.baseline, Some(variant("old")));
    assert!(new.cases.iter().all(|case| !case.shared));
}

#[test]
fn a_baseline_of_its_own_gives_way() {
    let mut new = run("new", &["a"], 1, &[Role::Candidate, Role::Baseline]);
    adopt_baseline(&mut new, &run("old", &["a"], 1, &[Role::Candidate]));
    assert_eq!(lent(&new), ["a: old a 0"]);
}

#[test]
fn the_analysis_knows_that_it_was_lent() {
    let mut new = run("new", &["a"], 1, &[Role::Candidate]);
    assert!(!metric::analyse(&new).baseline_reused);
    adopt_baseline(&mut new, &run("old", &["a"], 1, &[Role::Candidate]));
    assert!(metric::analyse(&new).baseline_reused);
}

#[test]
fn what_was_not_answered_is_not_counted_as_stored() {
    let mut new = run("new", &["a"], 1, &[Role::Candidate]);
    adopt_baseline(&mut new, &run("old", &["a"], 1, &[Role::Candidate]));
    assert_eq!(new.totals.stored, 0);
}
