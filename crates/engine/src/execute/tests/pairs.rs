//! Judges of pairs: they wait for both answers, and are asked again when one of them changes.

use super::*;
use crate::judge::registry::preference::PreferencePayload;
use crate::judge::request::UntypedPayload;

/// The answers that a request to the judge compares.
fn compared(request: &ChatRequest) -> Option<PreferencePayload> {
    UntypedPayload::unwrap(&request.messages.get(1)?.content)?.typed()
}

/// A verdict for the longer answer.
fn longer(request: &ChatRequest) -> Reply {
    let PreferencePayload { first, second, .. } = compared(request).unwrap();
    let (verdict, quote) = match first.len().cmp(&second.len()) {
        std::cmp::Ordering::Greater => ("first", first),
        std::cmp::Ordering::Less => ("second", second),
        std::cmp::Ordering::Equal => ("tie", String::new()),
    };
    let quotes = if quote.is_empty() { vec![] } else { vec![quote] };
    reply(&json!({"pairs": [{"id": 1, "quotes": quotes, "reasoning": "r", "verdict": verdict}]}).to_string())
}

fn is_of_candidate(request: &ChatRequest) -> bool {
    request.messages[0].content.starts_with('a')
}

/// A bench with a judge of pairs beside those with these names.
fn comparing(
    plan: Plan,
    judges: &[&str],
    script: impl Fn(&ChatRequest, usize) -> Reply + Send + Sync + 'static,
) -> Bench {
    let mut bench = bench(plan, judges, script);
    let member = Arc::new(Member::new("j".to_owned(), Map::new()));
    let judge = Judge::new("preference".to_owned(), registry::preference(Vec::new()), vec![member], 1);
    bench.engine.scorers.judges.push(judge);
    bench
}

/// The results of the candidate's pairs.
fn results(result: &RoundResult) -> Vec<Option<f64>> {
    let candidates = result.trials.iter().filter(|trial| trial.role == Role::Candidate);
    let score = |trial: &Trial| match &trial.result {
        TrialResult::Completed(answer) => answer.grade("preference").and_then(|grade| grade.score),
        TrialResult::Missing(_) => None,
    };
    candidates.map(score).collect()
}

#[tokio::test(start_paused = true)]
async fn pairs_are_compared_once_both_answers_are_there() {
    let plan = plan(2, "a {{query}}", Some("b {{query}}"));
    let bench = comparing(plan, &["tone"], |request, _| match compared(request) {
        Some(_) => longer(request),
        None if is_judgement(request) => yes(),
        None => reply(if is_of_candidate(request) { "a long answer" } else { "an answer" }),
    });
    let (result, requests, _) = bench.run(2).await;
    assert_eq!(results(&result), [Some(1.0); 4]);
    assert_eq!(result.ended, Ended::Completed);
    let of_pairs = requests.iter().filter(|request| compared(request).is_some()).count();
    // Two orders of four pairs, eight answers, eight judgements of single answers.
    assert_eq!((of_pairs, requests.len()), (8, 8 + 8 + 8));
    // The result is a grade of the candidate's trial, beside its other grades.
    for trial in &result.trials {
        let scorers: Vec<&str> = grades(trial).iter().map(|grade| grade.scorer.as_str()).collect();
        let expected: &[&str] = match trial.role {
            Role::Candidate => &["check.length", "tone", "preference"],
            Role::Baseline => &["check.length", "tone"],
        };
        assert_eq!(scorers, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn shared_and_equal_answers_tie_without_a_call() {
    for baseline in ["a {{query}}", "b {{query}}"] {
        let plan = plan(2, "a {{query}}", Some(baseline));
        let bench = comparing(plan, &[], |request, _| {
            assert!(compared(request).is_none(), "the judge is not asked");
            reply("the same")
        });
        let (result, ..) = bench.run(1).await;
        assert_eq!(results(&result), [Some(0.5); 2], "{baseline}");
    }
}

#[tokio::test(start_paused = true)]
async fn invalid_answer_loses_without_a_call() {
    let plan = plan(1, "a {{query}}", Some("b {{query}}"));
    let bench = comparing(plan, &[], |request, _| {
        assert!(compared(request).is_none(), "the judge is not asked");
        reply(if is_of_candidate(request) { "" } else { "an answer" })
    });
    let (result, ..) = bench.run(1).await;
    assert_eq!(results(&result), [Some(0.0)]);
}

#[tokio::test(start_paused = true)]
async fn pair_without_one_of_its_answers_is_compared_once_it_is_there() {
    let plan = plan(3, "a {{query}}", Some("b {{query}}"));
    let bench = comparing(plan, &[], |request, _| match compared(request) {
        Some(_) => longer(request),
        None if request.messages[0].content == "b q1" && request.repeat == 0 => fails(FaultKind::Unavailable),
        None => reply(if is_of_candidate(request) { "a long answer" } else { "an answer" }),
    });
    let engine = Arc::new(bench.engine);
    let first = engine.execute(round(&engine, 0, 1)).await;
    assert_eq!(first.ended, Ended::Completed);
    assert_eq!(results(&first), [Some(1.0), None, Some(1.0)]);
    // The next round asks for the answer again; a script cannot tell rounds apart, so its fault is taken back here.
    let mut earlier = first.trials;
    for trial in &mut earlier {
        if matches!(trial.result, TrialResult::Missing(_)) {
            let fault = Fault::new(FaultKind::NotCached, "left out");
            trial.result = TrialResult::Missing(fault);
        }
    }
    let before = bench.model.requests().len();
    let judges = BTreeSet::from(["preference".to_owned()]);
    let second = engine.execute(Round { slots: Vec::new(), judges, earlier }).await;
    assert_eq!(results(&second), [Some(1.0), None, Some(1.0)]);
    assert_eq!(bench.model.requests().len(), before, "compared pairs are not compared again");
}

#[tokio::test(start_paused = true)]
async fn pair_with_a_new_answer_is_compared_again() {
    let plan = plan(1, "a {{query}}", Some("b {{query}}"));
    let answers = std::sync::atomic::AtomicUsize::new(0);
    let bench = comparing(plan, &[], move |request, _| match compared(request) {
        Some(_) => longer(request),
        None if is_of_candidate(request) => reply("a long answer"),
        None => match answers.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 => reply("an answer"),
            _ => reply("a much longer answer"),
        },
    });
    let engine = Arc::new(bench.engine);
    let first = engine.execute(round(&engine, 0, 1)).await;
    assert_eq!(results(&first), [Some(1.0)]);
    // The baseline is asked again, as after a loss against stored answers.
    let mut earlier = first.trials;
    earlier.retain(|trial| trial.role == Role::Candidate);
    let mut next = round(&engine, 0, 1);
    next.slots.retain(|slot| slot.roles == Roles::One(Role::Baseline));
    let second = engine.execute(Round { earlier, ..next }).await;
    assert_eq!(results(&second), [Some(0.0)]);
    let TrialResult::Completed(trial) = &second.trials[0].result else { panic!("missing") };
    let calls: u32 = trial.grade("preference").unwrap().judgements.iter().map(|one| one.calls).sum();
    assert_eq!(calls, 4, "both comparisons are paid for");
}

#[tokio::test(start_paused = true)]
async fn result_that_is_missing_is_asked_for_once_more() {
    let plan = plan(1, "a {{query}}", Some("b {{query}}"));
    let failures = std::sync::atomic::AtomicUsize::new(0);
    let bench = comparing(plan, &[], move |request, _| match compared(request) {
        Some(_) if failures.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < 2 => reply("prose"),
        Some(_) => longer(request),
        None => reply(if is_of_candidate(request) { "a long answer" } else { "an answer" }),
    });
    // Two replies of prose are repaired within the conversation.
    let (result, ..) = bench.run(1).await;
    assert_eq!(results(&result), [Some(1.0)]);
}

#[tokio::test(start_paused = true)]
async fn answers_of_a_baseline_that_is_not_run_are_compared() {
    let plan = plan(2, "a {{query}}", None);
    let mut bench = comparing(plan, &[], |request, _| match compared(request) {
        Some(_) => longer(request),
        None => reply("a long answer"),
    });
    let mut names = promptgate_core::model::Interner::default();
    let completion = Completion::from_text("an answer");
    let trial = promptgate_core::model::TrialSummary::new(completion, Vec::new(), &mut names);
    bench.engine.reused_baseline =
        vec![Trial { case: 1, role: Role::Baseline, repeat: 0, result: TrialResult::Completed(trial) }];
    let (result, ..) = bench.run(1).await;
    assert_eq!(results(&result), [None, Some(1.0)]);
    assert!(result.trials.iter().all(|trial| trial.role == Role::Candidate));
}

#[tokio::test(start_paused = true)]
async fn judge_without_a_valid_verdict_ends_the_run() {
    let plan = plan(20, "a {{query}}", Some("b {{query}}"));
    let bench = comparing(plan, &[], |request, _| match compared(request) {
        Some(_) => reply("prose"),
        None => reply(if is_of_candidate(request) { "a long answer" } else { "an answer" }),
    });
    let (result, ..) = bench.run(1).await;
    assert_eq!(stopped(&result), Some(FaultKind::InvalidAnswer), "{:?}", result.ended);
    assert_eq!(missing(&result), 0, "all answers are kept");
    assert_eq!(result.trials.len(), 40);
}
