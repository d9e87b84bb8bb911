//! Execution of plans with a scripted model and paused time.

mod conversation;
mod outside;
mod pairs;
mod transform;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::{Engine, Plan, Roles, Round, RoundResult, Scorers, Slot};
use crate::judge::{Judge, Member, registry};
use promptgate_core::check;
use promptgate_core::model::{
    CallFacts, CallOrigin, Case, ChatRequest, Completion, Dataset, DatasetFacts, Ended, Fault, FaultKind,
    FinishReason, Grade, Item, Message, MessageRole, PromptFacts, Purpose, Role, ToolCall, Trial,
    TrialResult, Usage, Variant, VariantFacts,
};
use promptgate_core::port::NullSink;
use promptgate_testing::{Reply, ScriptedModel};

fn reply(text: &str) -> Reply {
    Ok(Completion { usage: Some(Usage::new(10, 1)), latency_ms: 1000.0, ..Completion::from_text(text) })
}

/// A judgement with yes to the only item.
fn yes() -> Reply {
    reply(&json!({"items": [{"id": 1, "reasoning": "r", "verdict": "yes"}]}).to_string())
}

fn fails(kind: FaultKind) -> Reply {
    Err(Fault::new(kind, "it broke"))
}

fn variant(template: &str) -> Variant {
    let text = || "p".to_owned();
    let prompt = PromptFacts { name: text(), version: text(), digest: text(), source: text(), commit: None };
    Variant {
        facts: VariantFacts {
            protocol: Default::default(),
            prompt,
            model: "m".to_owned(),
            parameters: Map::new(),
            content_digest: None,
            published: None,
            application: None,
            messages: Vec::new(),
        },
        messages: vec![Message::new(MessageRole::User, template.to_owned())],
        lines: vec![1],
        application: None,
    }
}

fn dataset(cases: usize) -> Dataset {
    let case = |number| Case { id: format!("c{number}"), query: format!("q{number}"), ..Case::default() };
    let text = || "d".to_owned();
    Dataset {
        facts: DatasetFacts { path: text(), format: text(), digest: text(), cases, partial: None },
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

/// An engine with its model.
struct Bench {
    engine: Engine,
    model: Arc<ScriptedModel<'static>>,
}

/// An engine with a check for length and judges with these names. Each call takes a second.
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
        outside: Vec::new(),
        with_criteria: Vec::new(),
        judges: judges.iter().map(|name| rubric(name)).collect(),
        judge_models: vec![Arc::clone(&model) as _],
        planted: None,
        answer_field: None,
        retrieves: false,
        embeddings: None,
        transformer: None,
    };
    let engine =
        Engine { concurrency: 4, ..Engine::new(plan, Arc::clone(&model) as _, scorers, Arc::new(NullSink)) };
    Bench { engine, model }
}

/// The grades of a completed trial.
fn grades(trial: &Trial) -> &[Grade] {
    let TrialResult::Completed(completed) = &trial.result else { panic!("missing") };
    &completed.in_memory().expect("in memory").grades
}

impl Bench {
    async fn run(self, repeats: u32) -> (RoundResult, Vec<ChatRequest>, usize) {
        let engine = Arc::new(self.engine);
        let result = engine.execute(round(&engine, 0, repeats)).await;
        (result, self.model.requests(), self.model.peak_in_flight())
    }
}

/// A first round with repeats `from..to` and all judges.
fn round(engine: &Engine, from: u32, to: u32) -> Round {
    let judges = engine.scorers.judges.iter().map(|judge| judge.name().to_owned()).collect();
    Round { slots: engine.plan.slots(from, to), judges, earlier: Vec::new() }
}

fn stopped(result: &RoundResult) -> Option<FaultKind> {
    match &result.ended {
        Ended::Stopped(fault) => Some(fault.kind),
        _ => None,
    }
}

fn missing(result: &RoundResult) -> usize {
    result.trials.iter().filter(|trial| matches!(trial.result, TrialResult::Missing(_))).count()
}

fn is_judgement(request: &ChatRequest) -> bool {
    request.purpose == Purpose::Judgement
}

#[test]
fn variants_alternate_in_going_first() {
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
async fn shared_request_is_sent_and_judged_once() {
    let plan = plan(3, "a {{query}}", Some("a {{query}}"));
    assert_eq!(plan.shared(), [true; 3]);
    let bench =
        bench(plan, &["tone"], |request, _| if is_judgement(request) { yes() } else { reply("fine") });
    let (result, requests, _) = bench.run(2).await;
    assert_eq!(requests.len(), 3 * 2 * 2);
    assert_eq!(result.trials.len(), 3 * 2 * 2);
    let without_origin = |trial: &Trial| {
        let mut result = trial.result.clone();
        result.set_call(CallFacts::spared(CallOrigin::Shared));
        result
    };
    for pair in result.trials.chunks(2) {
        assert_eq!((pair[0].role, pair[1].role), (Role::Candidate, Role::Baseline));
        // Only where they came from differs: a call, and that of the candidate.
        assert_ne!(pair[0].result, pair[1].result);
        assert_eq!(without_origin(&pair[0]), pair[1].result);
    }
}

#[tokio::test(start_paused = true)]
async fn equal_requests_of_cases_have_different_repeats() {
    // A prompt without the question: all cases send the same text.
    let bench =
        bench(
            plan(3, "a", None),
            &["tone"],
            |request, _| {
                if is_judgement(request) { yes() } else { reply("fine") }
            },
        );
    let (_, requests, _) = bench.run(2).await;
    let mut repeats: Vec<u32> =
        requests.iter().filter(|request| !is_judgement(request)).map(|request| request.repeat).collect();
    repeats.sort_unstable();
    repeats.dedup();
    assert_eq!(repeats.len(), 3 * 2);
}

#[tokio::test(start_paused = true)]
async fn trials_are_in_plan_order() {
    let bench = bench(plan(7, "a {{query}}", Some("b {{query}}")), &[], |_, _| reply("fine"));
    let (result, requests, peak) = bench.run(3).await;
    assert_eq!(result.ended, Ended::Completed);
    let positions: Vec<_> =
        result.trials.iter().map(|trial| (trial.case, trial.repeat, trial.role)).collect();
    assert!(positions.is_sorted());
    assert_eq!((positions.len(), requests.len(), peak), (42, 42, 4));
}

#[tokio::test(start_paused = true)]
async fn dead_endpoint_gets_one_call() {
    for kind in [FaultKind::Unauthorized, FaultKind::Unavailable, FaultKind::Rejected, FaultKind::Timeout] {
        let (result, requests, _) = bench(plan(20, "a", None), &[], move |_, _| fails(kind)).run(3).await;
        assert_eq!(stopped(&result), Some(kind));
        assert_eq!((requests.len(), result.trials.len()), (1, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn dead_judge_gets_one_call() {
    let script = |request: &ChatRequest, _| match is_judgement(request) {
        true => fails(FaultKind::Unauthorized),
        false => reply("fine"),
    };
    let (result, requests, _) = bench(plan(20, "a", None), &["tone"], script).run(3).await;
    assert_eq!(stopped(&result), Some(FaultKind::Unauthorized));
    assert_eq!(requests.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn context_length_fault_does_not_end_the_run() {
    let script = |request: &ChatRequest, _| match request.messages[0].content.as_str() {
        "a q0" => fails(FaultKind::ContextLength),
        _ => reply("fine"),
    };
    let (result, requests, _) = bench(plan(3, "a {{query}}", None), &[], script).run(2).await;
    assert_eq!(result.ended, Ended::Completed);
    // Without a retry: the case does not get shorter.
    assert_eq!((requests.len(), missing(&result)), (6, 2));
}

#[tokio::test(start_paused = true)]
async fn missing_completion_is_retried_once() {
    let script = |_: &ChatRequest, number| match number {
        0 => reply("fine"),
        1..6 => fails(FaultKind::Unavailable),
        _ => reply("late"),
    };
    let (result, requests, _) = bench(plan(6, "a {{query}}", None), &[], script).run(1).await;
    assert_eq!((requests.len(), missing(&result)), (6 + 5, 0));
    let script = |_: &ChatRequest, number| match number {
        0 => reply("fine"),
        _ => fails(FaultKind::Unavailable),
    };
    let (result, requests, _) = bench(plan(6, "a {{query}}", None), &[], script).run(1).await;
    assert_eq!((requests.len(), missing(&result)), (6 + 5, 5));
    assert_eq!((result.trials.len(), result.ended), (6, Ended::Completed));
}

#[tokio::test(start_paused = true)]
async fn missing_judgement_is_retried_without_a_new_completion() {
    // The first judgement by "one" is valid; that of the second case is invalid three times.
    let script = |request: &ChatRequest, number| match is_judgement(request) {
        true if (4..12).contains(&number) && request.messages.len() < 10 => reply("10/10!"),
        true => yes(),
        false => reply("fine"),
    };
    let mut bench = bench(plan(2, "a {{query}}", None), &["one", "two"], script);
    bench.engine.concurrency = 1;
    let (result, requests, _) = bench.run(1).await;
    assert_eq!(result.ended, Ended::Completed);
    assert_eq!(requests.iter().filter(|request| !is_judgement(request)).count(), 2);
    let grades = grades(&result.trials[1]);
    let names: Vec<&str> = grades.iter().map(|grade| grade.scorer.as_str()).collect();
    assert_eq!(names, ["check.length", "one", "two"]);
    assert!(grades.iter().all(|grade| grade.score() == Some(1.0)), "{grades:?}");
    // The calls of the failed attempt are counted.
    let calls: u32 =
        grades.iter().filter_map(|grade| grade.judging.as_ref()).map(|judging| judging.calls).sum();
    let judged = requests.iter().filter(|request| is_judgement(request)).count();
    assert_eq!(calls as usize, judged - 2);
    assert!(judged > 4 + 2);
}

#[tokio::test(start_paused = true)]
async fn later_round_requests_new_and_missing_results() {
    // In the first round `q1` fails; in the second it succeeds, and only `two` judges.
    let script = |request: &ChatRequest, number| match is_judgement(request) {
        true => yes(),
        false if request.messages[0].content.ends_with("q1") && number < 8 => fails(FaultKind::Unavailable),
        false => reply("fine"),
    };
    let mut bench = bench(plan(3, "a {{query}}", None), &["one", "two"], script);
    bench.engine.concurrency = 1;
    let Bench { engine, model } = bench;
    let engine = Arc::new(engine);
    let first = engine.execute(round(&engine, 0, 1)).await;
    assert_eq!((model.call_count(), missing(&first)), (8, 1));
    let judges = BTreeSet::from(["two".to_owned()]);
    let next = Round { judges, earlier: first.trials, ..round(&engine, 1, 2) };
    let second = engine.execute(next).await;
    assert_eq!((missing(&second), second.trials.len(), second.ended), (0, 6, Ended::Completed));
    // Four completions, each judged once; other completions of the first round are unchanged.
    assert_eq!(model.call_count(), 8 + 2 * 4);
    let positions: Vec<_> = second.trials.iter().map(|trial| (trial.case, trial.repeat)).collect();
    assert_eq!(positions, [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)]);
    let graded =
        |trial: &Trial| -> Vec<String> { grades(trial).iter().map(|grade| grade.scorer.clone()).collect() };
    assert_eq!(graded(&second.trials[0]), ["check.length", "one", "two"]);
    assert_eq!(graded(&second.trials[2]), ["check.length", "two"]);
}

#[tokio::test(start_paused = true)]
async fn pending_retry_keeps_its_earlier_result_at_the_end() {
    let script = |_: &ChatRequest, number| match number {
        0 => reply("fine"),
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
async fn judge_without_valid_replies_ends_the_run() {
    let script =
        |request: &ChatRequest, _| if is_judgement(request) { reply("10/10!") } else { reply("fine") };
    let (result, requests, peak) = bench(plan(40, "a {{query}}", None), &["tone"], script).run(3).await;
    assert_eq!(stopped(&result), Some(FaultKind::InvalidAnswer));
    // Ten completions with three calls per judgement, one after another.
    assert_eq!((requests.len(), peak), (10 + 30, 1));
}

#[tokio::test(start_paused = true)]
async fn fault_of_judge_calls_keeps_its_help() {
    let script = |request: &ChatRequest, _| match is_judgement(request) {
        true => Err(Fault::new(FaultKind::ContextLength, "too long").help("shorten the context")),
        false => reply("fine"),
    };
    let (result, ..) = bench(plan(40, "a {{query}}", None), &["tone"], script).run(3).await;
    let Ended::Stopped(fault) = result.ended else { panic!("{:?}", result.ended) };
    assert_eq!((fault.kind, fault.help.as_deref()), (FaultKind::ContextLength, Some("shorten the context")));
    assert!(fault.message.contains("no valid verdict for tone") && fault.message.ends_with("too long"));
}

#[tokio::test(start_paused = true)]
async fn fault_that_ends_the_run_keeps_finished_trials() {
    let script =
        |_: &ChatRequest, number| if number < 5 { reply("fine") } else { fails(FaultKind::QuotaSpent) };
    let (result, requests, _) = bench(plan(40, "a {{query}}", None), &[], script).run(3).await;
    assert_eq!(stopped(&result), Some(FaultKind::QuotaSpent));
    assert_eq!(result.trials.len() - missing(&result), 5);
    assert!(requests.len() <= 5 + 4, "{}", requests.len());
}

#[tokio::test(start_paused = true)]
async fn fail_fast_ends_at_the_first_failed_check() {
    let script = |request: &ChatRequest, _| if is_judgement(request) { yes() } else { reply("x") };
    let mut fast = bench(plan(40, "a {{query}}", Some("b {{query}}")), &["tone"], script);
    fast.engine.fail_fast = BTreeSet::from(["check.length".to_owned()]);
    let (result, requests, _) = fast.run(3).await;
    assert_eq!((result.ended, requests.len()), (Ended::FailedFast, 1));
    // A failed check of the baseline does not count.
    let script = |request: &ChatRequest, _| match request.messages[0].content.starts_with('b') {
        true => reply("x"),
        false if is_judgement(request) => yes(),
        false => reply("fine"),
    };
    let mut fast = bench(plan(2, "a {{query}}", Some("b {{query}}")), &["tone"], script);
    fast.engine.fail_fast = BTreeSet::from(["check.length".to_owned()]);
    let (result, requests, _) = fast.run(1).await;
    assert_eq!((result.ended, requests.len()), (Ended::Completed, 8));
}

#[tokio::test(start_paused = true)]
async fn interrupt_waits_for_calls_in_flight() {
    let bench = bench(plan(40, "a {{query}}", None), &[], |_, _| reply("fine"));
    let interrupted = bench.engine.interrupted.clone();
    let started = Instant::now();
    let ((result, requests, _), ()) = tokio::join!(bench.run(1), async {
        tokio::time::sleep(Duration::from_millis(2500)).await;
        interrupted.cancel();
    });
    assert_eq!(result.ended, Ended::Interrupted);
    // The probe, then two rounds of four; the second was in flight.
    assert_eq!((requests.len(), result.trials.len(), missing(&result)), (9, 9, 0));
    assert_eq!(started.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn interrupt_waits_at_most_five_seconds() {
    let Bench { mut engine, .. } = bench(plan(9, "a {{query}}", None), &[], |_, _| reply("fine"));
    let hanging = ScriptedModel::new(|_, _| reply("fine")).with_durations(|request| {
        let is_first = request.messages[0].content == "a q0";
        if is_first { Duration::ZERO } else { Duration::from_secs(3600) }
    });
    engine.model = Arc::new(hanging);
    let interrupted = engine.interrupted.clone();
    let engine = Arc::new(engine);
    let started = Instant::now();
    let (result, ()) = tokio::join!(engine.execute(round(&engine, 0, 1)), async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        interrupted.cancel();
    });
    assert_eq!((result.ended, result.trials.len()), (Ended::Interrupted, 1));
    assert_eq!(started.elapsed().as_secs(), 7);
    assert!(engine.stop.is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn invalid_completion_is_not_judged() {
    let script = |_: &ChatRequest, _| {
        reply("cut").map(|answer| Completion { finish_reason: FinishReason::Length, ..answer })
    };
    let (result, requests, _) = bench(plan(2, "a {{query}}", None), &["tone"], script).run(1).await;
    assert_eq!(requests.len(), 2);
    let grades = grades(&result.trials[0]);
    assert!(grades.iter().all(|grade| grade.score() == Some(0.0) && grade.details == Value::Null));
    assert_eq!(grades.len(), 2);
}

/// The grade of the check, which requires two characters, on one answer.
async fn checked(strip_reasoning: bool, answer: Completion) -> (Grade, Completion) {
    let mut bench = bench(plan(1, "a {{query}}", None), &[], move |_, _| Ok(answer.clone()));
    bench.engine.transform.strip_reasoning = strip_reasoning;
    let (result, ..) = bench.run(1).await;
    let TrialResult::Completed(trial) = &result.trials[0].result else { panic!("missing") };
    let text = trial.in_memory().expect("in memory");
    (text.grades[0].clone(), text.completion.clone())
}

#[tokio::test(start_paused = true)]
async fn reasoning_in_front_is_kept_and_not_graded() {
    let text = "<think>long enough</think>\nx";
    let (grade, answer) = checked(true, Completion::from_text(text)).await;
    assert_eq!((grade.score(), answer.text.as_str()), (Some(0.0), "x"));
    assert_eq!(answer.reasoning.as_deref(), Some("long enough"));
    let (grade, answer) = checked(false, Completion::from_text(text)).await;
    assert_eq!((grade.score(), answer.text.as_str(), answer.reasoning), (Some(1.0), text, None));
}

#[tokio::test(start_paused = true)]
async fn answer_that_is_reasoning_alone_scores_zero() {
    let alone = Completion { reasoning: Some("hm".to_owned()), ..Completion::from_text("") };
    let invalid = FinishReason::Other(FinishReason::INVALID_JSON.to_owned());
    for (answer, flag) in [
        (Completion::from_text("<think>long enough"), "unfinished_reasoning"),
        (alone, "reasoning_alone"),
        (Completion { finish_reason: invalid, ..Completion::from_text("{\"a\": ") }, "json_validate_failed"),
    ] {
        let (grade, _) = checked(true, answer).await;
        assert_eq!(
            (grade.score(), &*grade.flags),
            (Some(0.0), &["product_fault".into(), flag.to_owned()][..])
        );
    }
}

#[tokio::test(start_paused = true)]
async fn call_of_a_tool_is_an_answer() {
    let call = ToolCall { id: None, name: "f".to_owned(), arguments: "{}".to_owned() };
    for finish_reason in [FinishReason::ToolCalls, FinishReason::Stop] {
        for (text, score) in [("looking", 1.0), ("", 0.0)] {
            let answer = Completion {
                finish_reason: finish_reason.clone(),
                tool_calls: vec![call.clone()],
                ..Completion::from_text(text)
            };
            let (grade, answer) = checked(true, answer).await;
            assert_eq!((grade.score(), grade.flags.len(), answer.tool_calls.len()), (Some(score), 0, 1));
        }
    }
    // Without a call there is no answer.
    let answer = Completion { finish_reason: FinishReason::ToolCalls, ..Completion::from_text("") };
    assert_eq!(checked(true, answer).await.0.flags, ["product_fault"]);
}
