//! Conversations: what each turn is sent, and what a trial of several turns is.

use serde_json::json;

use super::*;
use promptgate_core::model::CallReason;

/// A plan over one case.
fn plan_of(case: Case, messages: &[(MessageRole, &str)]) -> Plan {
    let mut variant = variant("");
    variant.messages = messages.iter().map(|(role, text)| Message::new(*role, *text)).collect();
    variant.lines = vec![1; messages.len()];
    Plan::new(Dataset { cases: vec![case], ..dataset(1) }, variant, None).unwrap()
}

fn turns(turns: &[&str]) -> Case {
    let turns: Vec<String> = turns.iter().map(|turn| (*turn).to_owned()).collect();
    Case { id: "c".to_owned(), query: turns.last().unwrap().clone(), turns, ..Case::default() }
}

const PROMPT: &[(MessageRole, &str)] =
    &[(MessageRole::System, "Be kind."), (MessageRole::User, "Q: {{query}}"), (MessageRole::Assistant, "A:")];

async fn run(bench: Bench) -> (RoundResult, Vec<Vec<String>>) {
    let engine = Arc::new(bench.engine);
    let slots = engine.plan.slots(0, 1);
    let judges = engine.scorers.judges.iter().map(|judge| judge.name().to_owned()).collect();
    let result = engine.execute(Round { slots, judges, earlier: Vec::new() }).await;
    let calls = bench.model.requests();
    let sent = calls.iter().map(|call| {
        let messages = call.messages.iter();
        messages.map(|message| format!("{}: {}", message.role.as_str(), message.text())).collect()
    });
    (result, sent.collect())
}

#[tokio::test(start_paused = true)]
async fn each_turn_follows_what_was_said_before() {
    let history =
        vec![Message::new(MessageRole::User, "Hi."), Message::new(MessageRole::Assistant, "Hello.")];
    let case = Case { messages: history, ..turns(&["one", "two"]) };
    let bench = bench(plan_of(case, PROMPT), &["polite"], |request, _| match request.purpose {
        Purpose::Judgement => yes(),
        _ => reply(&format!("<think>Hm.</think>{} messages", request.messages.len())),
    });
    let (result, sent) = run(bench).await;
    let first = ["system: Be kind.", "user: Hi.", "assistant: Hello.", "user: Q: one", "assistant: A:"];
    assert_eq!(sent[0], first);
    let said = ["user: Q: one", "assistant: 5 messages", "user: Q: two", "assistant: A:"];
    assert_eq!(sent[1], [&first[..3], &said].concat());
    // The judge sees the lines of the user, not how the prompt writes them, and is told what they are.
    let judged = &sent[2];
    assert!(judged[0].contains("# The conversation"), "{}", judged[0]);
    let earlier = json!([{"role": "user", "text": "Hi."}, {"role": "assistant", "text": "Hello."},
        {"role": "user", "text": "one"}, {"role": "assistant", "text": "5 messages"}]);
    assert!(judged[1].contains(&format!("\"conversation\":{earlier}")), "{}", judged[1]);
    assert!(judged[1].contains("\"question\":\"two\""));
    let TrialResult::Completed(trial) = &result.trials[0].result else { panic!("{result:?}") };
    assert_eq!((trial.usage, trial.latency_ms), (Some(Usage::new(20, 2)), 2000.0));
}

#[tokio::test(start_paused = true)]
async fn judge_of_a_case_without_conversation_is_asked_as_before() {
    let case = Case { turns: Vec::new(), ..turns(&["one"]) };
    let bench = bench(plan_of(case, PROMPT), &["polite"], |request, _| match request.purpose {
        Purpose::Judgement => yes(),
        _ => reply("fine"),
    });
    let (_, sent) = run(bench).await;
    assert!(!sent[1].concat().contains("conversation"), "{:?}", sent[1]);
}

#[tokio::test(start_paused = true)]
async fn calls_of_tools_in_earlier_turns_are_not_run() {
    let bench = bench(plan_of(turns(&["one", "two"]), PROMPT), &[], |_, call| {
        let call = (call == 0).then(|| ToolCall {
            id: Some("x".to_owned()),
            name: "find".to_owned(),
            arguments: "{}".to_owned(),
        });
        Ok(Completion { tool_calls: call.into_iter().collect(), ..Completion::from_text("so") })
    });
    let (_, sent) = run(bench).await;
    let said = ["assistant: so\n\n[tool call] find({})", "tool: This tool is not available.", "user: Q: two"];
    assert_eq!(sent[1][2..5], said);
}

#[tokio::test(start_paused = true)]
async fn empty_earlier_answer_ends_the_conversation_with_score_0() {
    let bench = bench(plan_of(turns(&["one", "two", "three"]), PROMPT), &["polite"], |_, call| {
        reply(if call == 0 { "fine" } else { "" })
    });
    let (result, sent) = run(bench).await;
    assert_eq!(sent.len(), 2, "neither a third turn nor a judge");
    let TrialResult::Completed(trial) = &result.trials[0].result else { panic!("{result:?}") };
    assert!(trial.grades.iter().all(|grade| grade.score == Some(0.0)));
    let reasons: Vec<&str> =
        trial.in_memory().unwrap().grades.iter().map(|grade| grade.reason.as_str()).collect();
    assert_eq!(reasons, ["turn 2 of 3: the answer is empty"; 2]);
}

#[tokio::test(start_paused = true)]
async fn fault_of_a_turn_names_it_and_keeps_all_attempts() {
    let bench = bench(plan_of(turns(&["one", "two"]), PROMPT), &[], |_, call| {
        let attempts =
            vec![promptgate_core::model::Attempt { kind: FaultKind::Timeout, status: None, ms: 1 }];
        match call {
            0 => Ok(Completion { attempts, ..Completion::from_text("fine") }),
            _ => Err(Fault { attempts, ..Fault::new(FaultKind::ContextLength, "too long") }),
        }
    });
    let (result, _) = run(bench).await;
    let TrialResult::Missing(fault) = &result.trials[0].result else { panic!("{result:?}") };
    assert_eq!((fault.message.as_str(), fault.attempts.len()), ("turn 2 of 2: too long", 2));
}

#[test]
fn answer_counts_as_cached_if_all_turns_are() {
    use crate::execute::conversation::joined;
    let of = |cached_at: Option<u64>| Completion {
        usage: Some(Usage::new(1, 1)),
        cached_at,
        call: Some(match cached_at {
            Some(_) => CallFacts::spared(CallOrigin::Cached),
            None => CallFacts::made(CallReason::NotCached),
        }),
        ..Completion::from_text("a")
    };
    let cached = joined(of(Some(7)), Vec::new(), &[of(Some(5))]);
    assert_eq!((cached.cached_at, cached.call.unwrap().how), (Some(5), CallOrigin::Cached));
    for (last, earlier) in [(None, Some(5)), (Some(5), None)] {
        let mixed = joined(of(last), Vec::new(), &[of(earlier)]);
        assert_eq!((mixed.cached_at, mixed.call.unwrap().how), (None, CallOrigin::Made));
    }
    let unknown = joined(Completion { usage: None, ..of(None) }, Vec::new(), &[of(None)]);
    assert_eq!(unknown.usage, None, "a sum without a part is not a sum");
}

#[test]
fn equal_openings_are_draws_of_their_own_unless_they_are_one_conversation() {
    let repeat = |second: Case| {
        let dataset = Dataset { cases: vec![turns(&["Hi."]), second], ..dataset(2) };
        let plan = Plan::new(dataset, variant("{{query}}"), None).unwrap();
        let slot = Slot { case: 1, repeat: 0, roles: Roles::One(Role::Candidate) };
        (plan.request(slot, &[]).unwrap().repeat, plan.calls(&plan.slots(0, 1)))
    };
    assert_eq!(repeat(turns(&["Hi.", "Why?"])), (1 << 10, 3));
    let of_one = |case: Case| Case { turn_of: Some("x".to_owned()), ..case };
    let dataset =
        Dataset { cases: vec![of_one(turns(&["Hi."])), of_one(turns(&["Hi.", "Why?"]))], ..dataset(2) };
    let plan = Plan::new(dataset, variant("{{query}}"), None).unwrap();
    let slot = Slot { case: 1, repeat: 0, roles: Roles::One(Role::Candidate) };
    assert_eq!((plan.request(slot, &[]).unwrap().repeat, plan.calls(&plan.slots(0, 1))), (0, 2));
}

#[test]
fn variants_that_differ_in_a_later_turn_are_not_equal() {
    let case = turns(&["same", "other"]);
    let plan = |baseline: &str| {
        let dataset = Dataset { cases: vec![case.clone()], ..dataset(1) };
        Plan::new(dataset, variant("{{query}}"), Some(variant(baseline))).unwrap().shared().to_vec()
    };
    assert_eq!(plan("{{query}}"), [true]);
    assert_eq!(plan("same"), [false]);
}
