//! The matrix cells that trials become.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{analyse, determinism_warning, variation_warning};
use crate::model::{
    ApplicationFacts, CallTotals, CaseFacts, Cell, Completion, DatasetFacts, Ended, Fault, FaultKind, Grade,
    JudgeFacts, Judging, MetricKind, Outcome, Price, Prices, PromptFacts, RepeatCounts, Role, Run, Score,
    Trial, TrialResult, Usage, VariantFacts,
};

fn variant(model: &str, temperature: Option<f64>) -> VariantFacts {
    let text = || String::from("p");
    let prompt = PromptFacts { name: text(), version: text(), digest: text(), source: text(), commit: None };
    let mut parameters = serde_json::Map::new();
    if let Some(temperature) = temperature {
        parameters.insert("temperature".to_owned(), json!(temperature));
    }
    VariantFacts {
        protocol: Default::default(),
        prompt,
        model: model.to_owned(),
        parameters,
        content_digest: None,
        published: None,
        application: None,
        messages: Vec::new(),
    }
}

fn run(cases: usize, repeats: u32, trials: Vec<Trial>) -> Run {
    Run {
        name: "suite".to_owned(),
        started_at: "2026-01-01T00:00:00Z".to_owned(),
        duration_ms: 1,
        dataset: DatasetFacts {
            path: "d".into(),
            format: "jsonl".into(),
            digest: "x".into(),
            cases,
            partial: None,
        },
        cases: (0..cases).map(|case| CaseFacts { id: format!("c{case}"), ..CaseFacts::default() }).collect(),
        messages: Default::default(),
        candidate: variant("a", None),
        baseline: Some(variant("b", None)),
        baseline_note: None,
        notices: Vec::new(),
        judge: None,
        scorers: vec!["check.short".to_owned(), "faithfulness".to_owned()],
        applies: Vec::new(),
        repeats: RepeatCounts::all(repeats, 2),
        reused_baseline: None,
        trials,
        totals: CallTotals::default(),
        prices: Prices::default(),
        simulated: false,
        ended: Ended::Completed,
        policy_source: None,
        release: None,
        warnings: Vec::new(),
    }
}

fn completion(text: &str) -> Completion {
    Completion { usage: Some(Usage::new(1000, 200)), latency_ms: 1500.0, ..Completion::from_text(text) }
}

fn grade(scorer: &str, score: Option<f64>) -> Grade {
    let outcome = score.and_then(Score::new).map_or(Outcome::Ungraded(None), Outcome::Score);
    let reason = String::new();
    Grade {
        scorer: scorer.to_owned(),
        outcome,
        reason,
        details: Value::Null,
        flags: vec![],
        judging: None,
        opinions: Vec::new(),
    }
}

fn trial(case: usize, role: Role, repeat: u32, grades: Vec<Grade>) -> Trial {
    Trial { case, role, repeat, result: TrialResult::completed(completion("größer"), grades) }
}

fn lost(case: usize, role: Role, repeat: u32) -> Trial {
    Trial { case, role, repeat, result: TrialResult::Missing(Fault::new(FaultKind::Timeout, "late")) }
}

fn candidate_row(run: &Run, metric: &str, case: usize) -> Option<Vec<Cell>> {
    analyse(run).metric(metric)?.scores.candidate.row(case).map(<[Cell]>::to_vec)
}

#[test]
fn row_holds_values_and_missing_cells() {
    let trials = vec![
        trial(0, Role::Candidate, 0, vec![grade("check.short", Some(1.0)), grade("faithfulness", Some(0.5))]),
        trial(0, Role::Candidate, 1, vec![grade("check.short", Some(0.0)), grade("faithfulness", None)]),
        lost(0, Role::Candidate, 2),
        // Repeat 3 is planned but does not exist.
    ];
    let mut run = run(1, 4, trials);
    let cells = |run: &Run, metric| candidate_row(run, metric, 0).expect("a row");
    use Cell::{Missing, NotAsked, Value};
    assert_eq!(cells(&run, "check.short"), [Value(1.0), Value(0.0), Missing, Missing]);
    assert_eq!(cells(&run, "faithfulness"), [Value(0.5), Missing, Missing, Missing]);
    assert_eq!(cells(&run, "latency"), [Value(1.5), Value(1.5), Missing, Missing]);
    assert_eq!(cells(&run, "length"), [Value(6.0), Value(6.0), Missing, Missing]);
    run.ended = Ended::Interrupted;
    assert_eq!(cells(&run, "check.short")[3], Missing);
    run.ended = Ended::FailedFast;
    assert_eq!(cells(&run, "check.short"), [Value(1.0), Value(0.0), Missing, NotAsked]);
}

#[test]
fn ungraded_answer_is_missing_unless_run_failed_fast() {
    let trials = vec![
        trial(0, Role::Candidate, 0, vec![grade("check.short", Some(0.0)), grade("faithfulness", Some(1.0))]),
        trial(0, Role::Candidate, 1, vec![grade("check.short", Some(0.0))]),
    ];
    let mut run = run(1, 2, trials);
    assert_eq!(candidate_row(&run, "faithfulness", 0).expect("a row")[1], Cell::Missing);
    run.ended = Ended::FailedFast;
    assert_eq!(candidate_row(&run, "faithfulness", 0).expect("a row")[1], Cell::NotAsked);
}

#[test]
fn metrics_are_ordered_and_have_kinds() {
    let both =
        |role| trial(0, role, 0, vec![grade("check.short", Some(1.0)), grade("faithfulness", Some(1.0))]);
    let mut run = run(1, 1, vec![both(Role::Candidate), both(Role::Baseline)]);
    run.prices =
        Prices(vec![("a".to_owned(), Price::new(1.0, 2.0)), ("b".to_owned(), Price::new(10.0, 20.0))]);
    let analysis = analyse(&run);
    let found: Vec<_> = analysis.metrics.iter().map(|metric| (metric.name.as_str(), metric.kind)).collect();
    assert_eq!(
        found,
        [
            ("check.short", MetricKind::Check),
            ("faithfulness", MetricKind::Judge),
            ("latency", MetricKind::Latency),
            ("output_tokens", MetricKind::OutputTokens),
            ("cost_usd", MetricKind::Cost),
            ("length", MetricKind::Length),
        ]
    );
    let cost = &analysis.metric("cost_usd").expect("priced").scores;
    assert_eq!(cost.candidate.row(0), Some(&[Cell::Value((1000.0 + 400.0) / 1e6)][..]));
    assert_eq!(
        cost.baseline.as_ref().expect("a baseline").row(0),
        Some(&[Cell::Value((10_000.0 + 4_000.0) / 1e6)][..])
    );
    run.prices.0.pop();
    assert!(analyse(&run).metric("cost_usd").is_none(), "both models need a price");
    run.baseline = None;
    assert!(analyse(&run).metric("cost_usd").is_some());
    assert!(analyse(&run).metrics.iter().all(|metric| metric.scores.baseline.is_none()));
}

#[test]
fn output_tokens_need_one_answer_that_reports_them() {
    let mut trials = vec![trial(0, Role::Candidate, 0, vec![]), trial(0, Role::Candidate, 1, vec![])];
    let remove_usage = |trial: &mut Trial| {
        trial.result = TrialResult::completed(Completion { usage: None, ..completion("ok") }, Vec::new());
    };
    remove_usage(&mut trials[0]);
    let cells = candidate_row(&run(1, 2, trials.clone()), "output_tokens", 0).expect("a row");
    assert_eq!(cells, [Cell::Missing, Cell::Value(200.0)]);
    remove_usage(&mut trials[1]);
    assert!(analyse(&run(1, 2, trials)).metric("output_tokens").is_none());
}

#[test]
fn scorer_applies_as_recorded_or_where_graded() {
    let trials = vec![
        trial(0, Role::Candidate, 0, vec![grade("check.short", Some(1.0))]),
        trial(1, Role::Candidate, 0, vec![]),
        lost(2, Role::Candidate, 0),
    ];
    let mut run = run(3, 1, trials);
    let rows = |run: &Run| analyse(run).metric("check.short").expect("a metric").scores.candidate.clone();
    let inferred = rows(&run);
    assert_eq!(inferred.row(0), Some(&[Cell::Value(1.0)][..]));
    assert_eq!(inferred.row(1), None, "an answer without this grade: the check does not apply");
    assert_eq!(
        inferred.row(2),
        Some(&[Cell::Missing][..]),
        "a case without an answer is missing, not left out"
    );
    run.applies = vec![vec![true, true, false], vec![true; 3]];
    let recorded = rows(&run);
    assert_eq!(recorded.row(1), Some(&[Cell::Missing][..]));
    assert_eq!(recorded.row(2), None);
}

#[test]
fn shared_case_has_candidate_trials_on_both_sides() {
    let mut run = run(1, 1, vec![trial(0, Role::Candidate, 0, vec![grade("faithfulness", Some(0.25))])]);
    Arc::make_mut(&mut run.cases)[0].shared = true;
    let scores = analyse(&run).metric("faithfulness").expect("a metric").scores.clone();
    assert_eq!(Some(scores.candidate), scores.baseline);
}

#[test]
fn identical_repeats_count_as_cached_only_if_sampled_and_real() {
    let answers = |texts: [&str; 2]| -> Vec<Trial> {
        let answered = |(repeat, text): (u32, &str)| Trial {
            case: 0,
            role: Role::Candidate,
            repeat,
            result: TrialResult::completed(completion(text), vec![]),
        };
        (0..).zip(texts).map(answered).collect()
    };
    let mut same = run(1, 2, answers(["yes", "yes"]));
    assert!(!analyse(&same).repeats_cached, "no temperature is set");
    same.candidate = variant("a", Some(0.0));
    assert!(!analyse(&same).repeats_cached);
    same.candidate = variant("a", Some(0.7));
    assert!(analyse(&same).repeats_cached);
    same.simulated = true;
    assert!(!analyse(&same).repeats_cached);
    let mut other = run(1, 2, answers(["yes", "no"]));
    other.candidate = variant("a", Some(0.7));
    assert!(!analyse(&other).repeats_cached);
}

#[test]
fn trials_beyond_the_plan_are_ignored() {
    let run = run(1, 1, vec![trial(0, Role::Candidate, 7, vec![]), trial(9, Role::Candidate, 0, vec![])]);
    let row = candidate_row(&run, "latency", 0).expect("a row");
    assert_eq!(row, [Cell::Missing]);
}

#[test]
fn reused_baseline_is_recorded() {
    let mut run = run(1, 1, vec![]);
    assert!(!analyse(&run).baseline_reused);
    run.reused_baseline = Some(run.repeats.clone());
    assert!(analyse(&run).baseline_reused);
}

/// Three repeats of one case by both variants at temperature 0, with a judged metric.
fn run_at_zero(texts: [&str; 3], verdicts: [&str; 3]) -> Run {
    let mut trials = Vec::new();
    for (repeat, (text, verdict)) in (0..).zip(texts.into_iter().zip(verdicts)) {
        for role in [Role::Candidate, Role::Baseline] {
            let judged = Grade {
                reason: verdict.to_owned(),
                judging: Some(Judging::default()),
                ..grade("faithfulness", Some(1.0))
            };
            let grades = vec![grade("check.short", Some(1.0)), judged];
            trials.push(Trial {
                case: 0,
                role,
                repeat,
                result: TrialResult::completed(completion(text), grades),
            });
        }
    }
    let mut run = run(1, 3, trials);
    run.candidate = variant("a", Some(0.0));
    run.baseline = Some(variant("b", Some(0.0)));
    run.judge = Some(JudgeFacts { temperature_zero: true, ..JudgeFacts::default() });
    run
}

/// Whether the check and the judged metric are deterministic.
fn deterministic(run: &Run) -> (bool, bool) {
    let analysis = analyse(run);
    let metric = |name| analysis.metric(name).expect("a metric").is_deterministic();
    (metric("check.short"), metric("faithfulness"))
}

#[test]
fn equal_texts_and_verdicts_at_explicit_zero_are_deterministic() {
    assert_eq!(deterministic(&run_at_zero(["a"; 3], ["v"; 3])), (true, true));
    assert_eq!(deterministic(&run_at_zero(["a", "a", "b"], ["v"; 3])), (false, false));
    assert_eq!(
        deterministic(&run_at_zero(["a"; 3], ["v", "w", "v"])),
        (true, false),
        "the score is the same"
    );
    let until = |run: &Run| analyse(run).metric("faithfulness").map(|metric| metric.deterministic_repeats);
    assert_eq!(until(&run_at_zero(["a", "a", "b"], ["v"; 3])), Some(2));
}

#[test]
fn check_that_scores_equal_answers_differently_is_not_deterministic() {
    let mut run = run_at_zero(["a"; 3], ["v"; 3]);
    let grades = vec![grade("check.short", Some(0.5)), grade("faithfulness", Some(1.0))];
    run.trials[2].result = TrialResult::completed(completion("a"), grades);
    assert!(!deterministic(&run).0);
}

#[test]
fn temperature_has_to_be_zero_on_every_side() {
    for temperature in [None, Some(0.2)] {
        let mut run = run_at_zero(["a"; 3], ["v"; 3]);
        run.baseline = Some(variant("b", temperature));
        assert_eq!(deterministic(&run), (false, false), "baseline at {temperature:?}");
        let mut run = run_at_zero(["a"; 3], ["v"; 3]);
        run.candidate = variant("a", temperature);
        assert_eq!(deterministic(&run), (false, false), "candidate at {temperature:?}");
    }
    let mut run = run_at_zero(["a"; 3], ["v"; 3]);
    run.judge = Some(JudgeFacts::default());
    assert_eq!(deterministic(&run), (true, false), "the judge is sampled");
}

#[test]
fn declared_application_counts_as_temperature_zero_until_it_varies() {
    let declared = |deterministic| ApplicationFacts {
        source: "app".to_owned(),
        digest: "x".to_owned(),
        commit: None,
        deterministic,
    };
    let of = |answers: [&str; 3], flag: bool| {
        let mut run = run_at_zero(answers, ["v"; 3]);
        for facts in std::iter::once(&mut run.candidate).chain(&mut run.baseline) {
            facts.parameters.clear();
            facts.application = Some(declared(flag));
        }
        run
    };
    assert_eq!(deterministic(&of(["a"; 3], true)), (true, true));
    assert_eq!(deterministic(&of(["a"; 3], false)), (false, false));
    assert_eq!(variation_warning(&of(["a"; 3], true)), None);
    let varying = of(["a", "a", "b"], true);
    assert_eq!(deterministic(&varying), (false, false));
    let warning = variation_warning(&varying).expect("a warning");
    assert!(warning.starts_with("`target.deterministic` is true, but the answers to 1 of"), "{warning}");
    assert_eq!(variation_warning(&of(["a", "a", "b"], false)), None);
}

#[test]
fn judge_that_refuses_the_temperature_is_not_deterministic_and_said() {
    let mut run = run_at_zero(["a"; 3], ["v"; 3]);
    assert_eq!(determinism_warning(&run), None);
    let grades = vec![
        grade("check.short", Some(1.0)),
        Grade { flags: vec!["parameter_refused:temperature".to_owned()], ..grade("faithfulness", Some(1.0)) },
    ];
    run.trials[0].result = TrialResult::completed(completion("a"), grades);
    assert_eq!(deterministic(&run), (true, false));
    assert!(determinism_warning(&run).is_some_and(|warning| warning.starts_with("the judge refused")));
    run.baseline = Some(variant("b", None));
    let warning = determinism_warning(&run).expect("a warning");
    assert!(warning.contains("the baseline has no explicit temperature"), "{warning}");
}

#[test]
fn cached_answers_have_no_fresh_latency() {
    let trials = vec![
        trial(0, Role::Candidate, 0, vec![]),
        trial(1, Role::Candidate, 0, vec![]),
        lost(2, Role::Candidate, 0),
    ];
    let mut run = run(3, 1, trials);
    assert!(analyse(&run).fresh_times.is_empty(), "nothing is cached");
    let cached = Completion { cached_at: Some(7), ..completion("ok") };
    run.trials[0].result = TrialResult::completed(cached, vec![]);
    let analysis = analyse(&run);
    let fresh = &analysis.fresh_times.first().expect("some are cached").scores.candidate;
    let cells: Vec<Cell> = fresh.rows().flatten().flatten().copied().collect();
    assert_eq!(cells, [Cell::NotAsked, Cell::Value(1.5), Cell::Missing]);
    assert_eq!(analysis.after(1).fresh_times, analysis.fresh_times);
    let all = &analysis.metric("latency").expect("a metric").scores.candidate;
    assert_eq!(all.row(0), Some(&[Cell::Value(1.5)][..]), "the report still shows it");
}

#[test]
fn time_to_first_token_is_a_metric_where_answers_are_streams() {
    let streamed = |ttft_ms| TrialResult::completed(Completion { ttft_ms, ..completion("ok") }, vec![]);
    let mut run = run(3, 1, (0..3).map(|case| trial(case, Role::Candidate, 0, vec![])).collect());
    assert!(analyse(&run).metric("ttft").is_none(), "no answer is a stream");
    run.trials[0].result = streamed(Some(250.0));
    let cached = Completion { cached_at: Some(7), ..completion("ok") };
    run.trials[1].result = TrialResult::completed(cached, vec![]);
    let analysis = analyse(&run);
    let names: Vec<&str> = analysis.metrics.iter().map(|metric| metric.name.as_str()).collect();
    assert_eq!(names[2..], ["latency", "ttft", "output_tokens", "length"]);
    let cells = |metric: &crate::model::MetricScores| -> Vec<Cell> {
        metric.scores.candidate.rows().flatten().flatten().copied().collect()
    };
    let expected = [Cell::Value(0.25), Cell::NotAsked, Cell::Missing];
    assert_eq!(cells(analysis.metric("ttft").expect("a metric")), expected);
    let fresh: Vec<_> =
        analysis.fresh_times.iter().map(|metric| (metric.name.as_str(), cells(metric))).collect();
    assert_eq!(
        fresh,
        [("latency", vec![Cell::Value(1.5), Cell::NotAsked, Cell::Value(1.5)]), ("ttft", expected.to_vec())]
    );
}

#[test]
fn reported_cost_takes_precedence_over_prices() {
    let costing = |cost_usd| TrialResult::completed(Completion { cost_usd, ..completion("ok") }, vec![]);
    let mut run = run(4, 1, (0..4).map(|case| trial(case, Role::Candidate, 0, vec![])).collect());
    run.trials[0].result = costing(Some(0.5));
    run.trials[1].result = costing(Some(-0.5));
    run.trials[2].result = costing(Some(f64::INFINITY));
    let cells = |run: &Run| -> Vec<Cell> {
        let analysis = analyse(run);
        analysis
            .metric("cost_usd")
            .expect("a metric")
            .scores
            .candidate
            .rows()
            .flatten()
            .flatten()
            .copied()
            .collect()
    };
    assert_eq!(cells(&run), [Cell::Value(0.5), Cell::Missing, Cell::Missing, Cell::Missing]);
    let price = Price { from_change: true, ..Price::new(1.0, 2.0) };
    run.prices = Prices(vec![("a".to_owned(), price)]);
    let computed = Cell::Value((1000.0 + 400.0) / 1e6);
    assert_eq!(cells(&run), [Cell::Value(0.5), computed, computed, computed]);
    assert_eq!(analyse(&run).unreviewed_price.as_deref(), Some("a"));
    for trial in &mut run.trials {
        trial.result = costing(Some(0.5));
    }
    assert_eq!(analyse(&run).unreviewed_price, None, "no price decides");
}
