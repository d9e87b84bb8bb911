//! Plans carried out against scripted models, time standing still.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use promptgate_testing::{Reply, ScriptedModel, completion};
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Engine, Executed, Plan, Roles, Round, Scorers, Slot};
use crate::judge::{Judge, Member, registry};
use promptgate_core::check;
use promptgate_core::model::{
    Case, ChatRequest, Completion, Dataset, DatasetFacts, Ended, Fault, FaultKind, FinishReason, Grade, Item,
    Message, MessageRole, PromptFacts, Purpose, Role, Trial, TrialResult, Usage, Variant, VariantFacts,
};
use promptgate_core::port::NullSink;

fn says(text: &str) -> Reply {
    let usage = Some(Usage { prompt_tokens: 10, completion_tokens: 1 });
    Ok(Completion { usage, latency_ms: 1000.0, ..completion(text) })
}

/// A judgement that finds the only item true.
fn yes() -> Reply {
    says(&json!({"items": [{"id": 1, "reasoning": "r", "verdict": "yes"}]}).to_string())
}

fn fails(kind: FaultKind) -> Reply {
    Err(Fault::new(kind, "it broke"))
}

fn variant(text: &str) -> Variant {
    let word = || "p".to_owned();
    let prompt = PromptFacts { name: word(), version: word(), digest: word(), source: word(), commit: None };
    Variant {
        facts: VariantFacts { prompt, model: "m".to_owned(), parameters: Map::new() },
        messages: vec![Message { role: MessageRole::User, content: text.to_owned() }],
        lines: vec![1],
    }
}

fn dataset(cases: usize) -> Dataset {
    let case = |number| Case { id: format!("c{number}"), query: format!("q{number}"), ..Case::default() };
    let word = || "d".to_owned();
    Dataset {
        facts: DatasetFacts { path: word(), format: word(), digest: word(), cases },
        cases: (0..cases).map(case).collect(),
    }
}

fn plan(cases: usize, candidate: &str, baseline: Option<&str>) -> Plan {
    Plan::new(dataset(cases), variant(candidate), baseline.map(variant)).unwrap()
}

fn rubric(name: &str) -> Judge {
    let items = vec![Item { text: "is polite".to_owned(), weight: 1.0, critical: false }];
    let member = Arc::new(Member::new("j".to_owned(), Map::new()));
    Judge::new(name.to_owned(), registry::rubric(items), vec![member], 1)
}

/// An engine with what the tests look at afterwards.
struct Bench {
    engine: Engine,
    model: Arc<ScriptedModel<'static>>,
}

/// A check for length and the judges of these names.
fn bench(
    plan: Plan,
    judges: &[&str],
    script: impl Fn(&ChatRequest, usize) -> Reply + Send + Sync + 'static,
) -> Bench {
    let model = Arc::new(ScriptedModel::new(script).with_duration(Duration::from_secs(1)));
    let no_file = |_: &str| Err("no file".to_owned());
    let scorers = Scorers {
        checks: vec![check::compile(&json!({"length": {"min_chars": 2}}), &no_file).unwrap()],
        case_checks: Vec::new(),
        judges: judges.iter().map(|name| rubric(name)).collect(),
        judge_models: vec![Arc::clone(&model) as _],
        planted: None,
        answer_field: None,
    };
    let engine = Engine {
        plan,
        model: Arc::clone(&model) as _,
        scorers,
        concurrency: 4,
        fail_fast: BTreeSet::new(),
        spool: None,
        names: Mutex::default(),
        sink: Arc::new(NullSink),
        interrupted: CancellationToken::new(),
        stop: CancellationToken::new(),
    };
    Bench { engine, model }
}

/// The grades of a trial that was answered.
fn grades(trial: &Trial) -> &[Grade] {
    let TrialResult::Completed(answered) = &trial.result else { panic!("missing") };
    &answered.in_memory().expect("in memory").grades
}

impl Bench {
    async fn run(self, repeats: u32) -> (Executed, Vec<ChatRequest>, usize) {
        let engine = Arc::new(self.engine);
        let executed = engine.execute(round(&engine, 0, repeats)).await;
        (executed, self.model.requests(), self.model.peak_in_flight())
    }
}

/// Repeats `from..to` by all judges, with nothing before them.
fn round(engine: &Engine, from: u32, to: u32) -> Round {
    let judges = engine.scorers.judges.iter().map(|judge| judge.name().to_owned()).collect();
    Round { slots: engine.plan.slots(from, to), judges, earlier: Vec::new() }
}

fn stopped(executed: &Executed) -> Option<FaultKind> {
    match &executed.ended {
        Ended::Stopped(fault) => Some(fault.kind),
        _ => None,
    }
}

fn missing(executed: &Executed) -> usize {
    executed.trials.iter().filter(|trial| matches!(trial.result, TrialResult::Missing(_))).count()
}

fn is_judgement(request: &ChatRequest) -> bool {
    request.purpose == Purpose::Judgement
}

#[test]
fn variants_take_turns_case_by_case() {
    let slots = plan(2, "a {{query}}", Some("b {{query}}")).slots(0, 2);
    let one = |case, repeat, role| Slot { case, repeat, roles: Roles::One(role) };
    let (c, b) = (Role::Candidate, Role::Baseline);
    assert_eq!(
        slots,
        [
            one(0, 0, c),
            one(0, 0, b),
            one(0, 1, b),
            one(0, 1, c),
            one(1, 0, b),
            one(1, 0, c),
            one(1, 1, c),
            one(1, 1, b),
        ]
    );
    let more: Vec<u32> = plan(1, "a", Some("b")).slots(3, 5).into_iter().map(|slot| slot.repeat).collect();
    assert_eq!(more, [3, 3, 4, 4]);
}

#[tokio::test(start_paused = true)]
async fn what_renders_the_same_is_asked_and_judged_once() {
    let plan = plan(3, "a {{query}}", Some("a {{query}}"));
    assert_eq!(plan.shared(), [true; 3]);
    let bench = bench(plan, &["tone"], |request, _| if is_judgement(request) { yes() } else { says("fine") });
    let (executed, asked, _) = bench.run(2).await;
    assert_eq!(asked.len(), 3 * 2 * 2);
    assert_eq!(executed.trials.len(), 3 * 2 * 2);
    for pair in executed.trials.chunks(2) {
        assert_eq!((pair[0].role, pair[1].role), (Role::Candidate, Role::Baseline));
        assert_eq!(pair[0].result, pair[1].result);
    }
}

#[tokio::test(start_paused = true)]
async fn cases_that_ask_the_same_are_draws_of_their_own() {
    // A prompt without the question: all cases send one text.
    let bench =
        bench(
            plan(3, "a", None),
            &["tone"],
            |request, _| {
                if is_judgement(request) { yes() } else { says("fine") }
            },
        );
    let (_, asked, _) = bench.run(2).await;
    let mut repeats: Vec<u32> =
        asked.iter().filter(|request| !is_judgement(request)).map(|request| request.repeat).collect();
    repeats.sort_unstable();
    repeats.dedup();
    assert_eq!(repeats.len(), 3 * 2);
}

#[tokio::test(start_paused = true)]
async fn trials_come_in_plan_order_however_they_return() {
    let bench = bench(plan(7, "a {{query}}", Some("b {{query}}")), &[], |_, _| says("fine"));
    let (executed, asked, peak) = bench.run(3).await;
    assert_eq!(executed.ended, Ended::Completed);
    let places: Vec<_> = executed.trials.iter().map(|trial| (trial.case, trial.repeat, trial.role)).collect();
    assert!(places.is_sorted());
    assert_eq!((places.len(), asked.len(), peak), (42, 42, 4));
}

#[tokio::test(start_paused = true)]
async fn a_dead_endpoint_gets_one_probe() {
    for kind in [FaultKind::Unauthorized, FaultKind::Unavailable, FaultKind::Rejected, FaultKind::Timeout] {
        let (executed, asked, _) = bench(plan(20, "a", None), &[], move |_, _| fails(kind)).run(3).await;
        assert_eq!(stopped(&executed), Some(kind));
        assert_eq!((asked.len(), executed.trials.len()), (1, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_judge_gets_one_probe() {
    let script = |request: &ChatRequest, _| match is_judgement(request) {
        true => fails(FaultKind::Unauthorized),
        false => says("fine"),
    };
    let (executed, asked, _) = bench(plan(20, "a", None), &["tone"], script).run(3).await;
    assert_eq!(stopped(&executed), Some(FaultKind::Unauthorized));
    assert_eq!(asked.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_row_too_long_for_the_model_says_nothing_of_the_endpoint() {
    let script = |request: &ChatRequest, _| match request.messages[0].content.as_str() {
        "a q0" => fails(FaultKind::ContextLength),
        _ => says("fine"),
    };
    let (executed, asked, _) = bench(plan(3, "a {{query}}", None), &[], script).run(2).await;
    assert_eq!(executed.ended, Ended::Completed);
    // Not asked again: the row does not get shorter.
    assert_eq!((asked.len(), missing(&executed)), (6, 2));
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_is_asked_once_more() {
    let script = |_: &ChatRequest, number| match number {
        0 => says("fine"),
        1..6 => fails(FaultKind::Unavailable),
        _ => says("late"),
    };
    let (executed, asked, _) = bench(plan(6, "a {{query}}", None), &[], script).run(1).await;
    assert_eq!((asked.len(), missing(&executed)), (6 + 5, 0));
    let script = |_: &ChatRequest, number| match number {
        0 => says("fine"),
        _ => fails(FaultKind::Unavailable),
    };
    let (executed, asked, _) = bench(plan(6, "a {{query}}", None), &[], script).run(1).await;
    assert_eq!((asked.len(), missing(&executed)), (6 + 5, 5));
    assert_eq!((executed.trials.len(), executed.ended), (6, Ended::Completed));
}

#[tokio::test(start_paused = true)]
async fn a_missing_judgement_is_asked_again_without_a_new_answer() {
    // The first judgement, of "one", comes; "one" of the second case is refused three times.
    let script = |request: &ChatRequest, number| match is_judgement(request) {
        true if (4..12).contains(&number) && request.messages.len() < 10 => says("10/10!"),
        true => yes(),
        false => says("fine"),
    };
    let mut bench = bench(plan(2, "a {{query}}", None), &["one", "two"], script);
    bench.engine.concurrency = 1;
    let (executed, asked, _) = bench.run(1).await;
    assert_eq!(executed.ended, Ended::Completed);
    assert_eq!(asked.iter().filter(|request| !is_judgement(request)).count(), 2);
    let grades = grades(&executed.trials[1]);
    let names: Vec<&str> = grades.iter().map(|grade| grade.scorer.as_str()).collect();
    assert_eq!(names, ["check.length", "one", "two"]);
    assert!(grades.iter().all(|grade| grade.score() == Some(1.0)), "{grades:?}");
    // What the first, useless try took is not forgotten.
    let took: u32 = grades.iter().filter_map(|grade| grade.judging.as_ref()).map(|took| took.calls).sum();
    let judged = asked.iter().filter(|request| is_judgement(request)).count();
    assert_eq!(took as usize, judged - 2);
    assert!(judged > 4 + 2);
}

#[tokio::test(start_paused = true)]
async fn a_later_round_asks_for_what_is_new_and_for_what_is_still_missing() {
    // In the first round `q1` never comes; in the second it does, and only `two` is asked to judge.
    let script = |request: &ChatRequest, number| match is_judgement(request) {
        true => yes(),
        false if request.messages[0].content.ends_with("q1") && number < 8 => fails(FaultKind::Unavailable),
        false => says("fine"),
    };
    let mut bench = bench(plan(3, "a {{query}}", None), &["one", "two"], script);
    bench.engine.concurrency = 1;
    let Bench { engine, model } = bench;
    let engine = Arc::new(engine);
    let first = engine.execute(round(&engine, 0, 1)).await;
    assert_eq!((model.call_count(), missing(&first)), (8, 1));
    let judges = BTreeSet::from(["two".to_owned()]);
    let again = Round { judges, earlier: first.trials, ..round(&engine, 1, 2) };
    let second = engine.execute(again).await;
    assert_eq!((missing(&second), second.trials.len(), second.ended), (0, 6, Ended::Completed));
    // Four answers, each judged once by the one judge; the first round's other answers are left alone.
    assert_eq!(model.call_count(), 8 + 2 * 4);
    let places: Vec<_> = second.trials.iter().map(|trial| (trial.case, trial.repeat)).collect();
    assert_eq!(places, [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)]);
    let graded =
        |trial: &Trial| -> Vec<String> { grades(trial).iter().map(|grade| grade.scorer.clone()).collect() };
    assert_eq!(graded(&second.trials[0]), ["check.length", "one", "two"]);
    assert_eq!(graded(&second.trials[2]), ["check.length", "two"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_waiting_for_another_try_stays_as_it_was_when_the_run_ends() {
    let script = |_: &ChatRequest, number| match number {
        0 => says("fine"),
        1..5 => fails(FaultKind::Unavailable),
        _ => fails(FaultKind::QuotaSpent),
    };
    let bench = bench(plan(3, "a {{query}}", Some("b {{query}}")), &[], script);
    let engine = Arc::new(bench.engine);
    let first = engine.execute(round(&engine, 0, 1)).await;
    assert_eq!(stopped(&first), Some(FaultKind::QuotaSpent));
    assert_eq!((first.trials.len(), missing(&first)), (6, 5));
}

#[tokio::test(start_paused = true)]
async fn a_judge_that_never_replies_validly_ends_the_run() {
    let script = |request: &ChatRequest, _| if is_judgement(request) { says("10/10!") } else { says("fine") };
    let (executed, asked, peak) = bench(plan(40, "a {{query}}", None), &["tone"], script).run(3).await;
    assert_eq!(stopped(&executed), Some(FaultKind::InvalidAnswer));
    // Ten answers, each judgement asked three times; nothing was fanned out.
    assert_eq!((asked.len(), peak), (10 + 30, 1));
}

#[tokio::test(start_paused = true)]
async fn what_keeps_a_judge_from_being_asked_says_what_to_do() {
    let script = |request: &ChatRequest, _| match is_judgement(request) {
        true => Err(Fault::new(FaultKind::ContextLength, "too long").help("shorten the context")),
        false => says("fine"),
    };
    let (executed, ..) = bench(plan(40, "a {{query}}", None), &["tone"], script).run(3).await;
    let Ended::Stopped(fault) = executed.ended else { panic!("{:?}", executed.ended) };
    assert_eq!((fault.kind, fault.help.as_deref()), (FaultKind::ContextLength, Some("shorten the context")));
    assert!(fault.message.contains("no valid verdict for tone") && fault.message.ends_with("too long"));
}

#[tokio::test(start_paused = true)]
async fn faults_that_end_the_run_keep_what_came() {
    let script =
        |_: &ChatRequest, number| if number < 5 { says("fine") } else { fails(FaultKind::QuotaSpent) };
    let (executed, asked, _) = bench(plan(40, "a {{query}}", None), &[], script).run(3).await;
    assert_eq!(stopped(&executed), Some(FaultKind::QuotaSpent));
    assert_eq!(executed.trials.len() - missing(&executed), 5);
    assert!(asked.len() <= 5 + 4, "{}", asked.len());
}

#[tokio::test(start_paused = true)]
async fn fail_fast_ends_at_the_first_failing_check_and_asks_no_judge() {
    let script = |request: &ChatRequest, _| if is_judgement(request) { yes() } else { says("x") };
    let mut fast = bench(plan(40, "a {{query}}", Some("b {{query}}")), &["tone"], script);
    fast.engine.fail_fast = BTreeSet::from(["check.length".to_owned()]);
    let (executed, asked, _) = fast.run(3).await;
    assert_eq!((executed.ended, asked.len()), (Ended::FailedFast, 1));
    // What the baseline fails decides nothing.
    let script = |request: &ChatRequest, _| match request.messages[0].content.starts_with('b') {
        true => says("x"),
        false if is_judgement(request) => yes(),
        false => says("fine"),
    };
    let mut fast = bench(plan(2, "a {{query}}", Some("b {{query}}")), &["tone"], script);
    fast.engine.fail_fast = BTreeSet::from(["check.length".to_owned()]);
    let (executed, asked, _) = fast.run(1).await;
    assert_eq!((executed.ended, asked.len()), (Ended::Completed, 8));
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_waits_five_seconds_for_what_is_in_flight() {
    let bench = bench(plan(40, "a {{query}}", None), &[], |_, _| says("fine"));
    let interrupted = bench.engine.interrupted.clone();
    let started = Instant::now();
    let ((executed, asked, _), ()) = tokio::join!(bench.run(1), async {
        tokio::time::sleep(Duration::from_millis(2500)).await;
        interrupted.cancel();
    });
    assert_eq!(executed.ended, Ended::Interrupted);
    // The probe, then two rounds of four; the second was in flight.
    assert_eq!((asked.len(), executed.trials.len(), missing(&executed)), (9, 9, 0));
    assert_eq!(started.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_never_comes_back_does_not_hold_an_interrupt() {
    let Bench { mut engine, .. } = bench(plan(9, "a {{query}}", None), &[], |_, _| says("fine"));
    let silent = |request: &ChatRequest| {
        if request.messages[0].content == "a q0" { Duration::ZERO } else { Duration::MAX }
    };
    engine.model = Arc::new(ScriptedModel::new(|_, _| says("fine")).with_durations(silent));
    let interrupted = engine.interrupted.clone();
    let engine = Arc::new(engine);
    let started = Instant::now();
    let (executed, ()) = tokio::join!(engine.execute(round(&engine, 0, 1)), async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        interrupted.cancel();
    });
    assert_eq!((executed.ended, executed.trials.len()), (Ended::Interrupted, 1));
    assert_eq!(started.elapsed().as_secs(), 7);
    assert!(engine.stop.is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn a_fault_of_the_product_needs_no_judge() {
    let script = |_: &ChatRequest, _| {
        says("cut").map(|answer| Completion { finish_reason: FinishReason::Length, ..answer })
    };
    let (executed, asked, _) = bench(plan(2, "a {{query}}", None), &["tone"], script).run(1).await;
    assert_eq!(asked.len(), 2);
    let grades = grades(&executed.trials[0]);
    assert!(grades.iter().all(|grade| grade.score() == Some(0.0) && grade.details == Value::Null));
    assert_eq!(grades.len(), 2);
}
