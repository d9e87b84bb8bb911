//! Invalid replies: repaired, or no grade, but never an accidental score.

use super::*;
use promptgate_core::model::{FaultKind, MessageRole, Outcome};

const ANSWER: &str = "Returns take 90 days.";

/// Invalid replies on one statement.
fn invalid_replies() -> Vec<String> {
    let good = verdicts(&[("not_found", &[])]);
    let praise = r#"{"statements":[{"id":1,"quotes":[],"reasoning":"fine","verdict":"supported"}]}"#;
    vec![
        "Everything in the answer is supported by the context.".to_owned(),
        String::new(),
        r#"{"statements":[{"id":1,"quotes":[],"reasoning":"fine"}]}"#.to_owned(),
        praise.replace("supported", "fully_supported"),
        praise.replace("\"supported\"", "1.0"),
        praise.replace("\"verdict\"", "\"score\":11,\"verdict\""),
        format!("The answer was {praise}\nMy verdict: {good}"),
        format!("{praise}\n{good}"),
        format!("```json\n{praise}\n```\n```json\n{good}\n```"),
        praise.replace("\"id\":1", "\"id\":7"),
        r#"{"statements":[]}"#.to_owned(),
        r#"{"statements":[{"id":1,"quotes":[],"reasoning":"","verdict":"not_found"},{"id":1,"quotes":[],"reasoning":"","verdict":"supported"}]}"#
            .to_owned(),
        r#"{"statements":[{"id":1,"quotes":[],"reasoning":"","verdict":"not_found","verdict":"supported"}]}"#.to_owned(),
        r#"{"statements":[{"id":1,"quotes":"x","reasoning":"","verdict":"supported"}]}"#.to_owned(),
        r#"{"score":5}"#.to_owned(),
        "null".to_owned(),
        good.chars().take(good.len() - 2).collect(),
    ]
}

#[tokio::test]
async fn invalid_reply_is_repaired_at_most_twice() {
    for reply in invalid_replies() {
        let (grade, asked) =
            faithfulness(ANSWER, &[&reply, &reply, &reply, &verdicts(&[("supported", &[])])]).await;
        assert_eq!(grade.outcome, Outcome::Ungraded(None), "{reply}");
        assert!(
            grade.reason.starts_with("the judge gave no valid reply in 3 attempts: "),
            "{}",
            grade.reason
        );
        assert_eq!(asked.len(), 3, "{reply}");
        let judging = grade.judging.unwrap();
        assert_eq!((judging.calls, judging.usage.completion_tokens), (3, 30));
    }
}

#[tokio::test]
async fn repaired_reply_counts_and_the_error_is_sent() {
    for reply in invalid_replies() {
        let (grade, asked) = faithfulness(ANSWER, &[&reply, &reply, &verdicts(&[("not_found", &[])])]).await;
        assert_eq!(grade.score(), Some(0.0), "{reply}");
        assert_eq!(asked.len(), 3);
        let roles: Vec<MessageRole> = asked[2].messages.iter().map(|message| message.role).collect();
        let (system, user, assistant) = (MessageRole::System, MessageRole::User, MessageRole::Assistant);
        assert_eq!(roles, [system, user, assistant, user, assistant, user]);
        assert_eq!(asked[2].messages[..2], asked[0].messages[..]);
        assert!(!asked[2].messages[2].content.is_empty());
        assert!(asked[2].messages[3].content.starts_with("Your reply is not valid: "));
    }
}

#[tokio::test]
async fn checklists_are_parsed_strictly() {
    let all_yes = list("items", &["yes", "yes", "yes", "yes"]);
    for reply in [
        list("items", &["yes", "yes", "yes"]),
        list("items", &["yes", "yes", "yes", "yes", "yes"]),
        list("items", &["yes", "yes", "yes", "Yes"]),
        list("statements", &["yes", "yes", "yes", "yes"]),
        all_yes.replace("\"id\":4", "\"id\":3"),
        format!("{all_yes}{all_yes}"),
    ] {
        let model = scripted(&[&reply, &reply, &reply]);
        let grade = grade_of(&judge(built_in("relevance")), &model, &case(), ANSWER).await;
        assert_eq!(grade.outcome, Outcome::Ungraded(None), "{reply}");
    }
}

#[tokio::test]
async fn incomplete_reply_gives_no_grade() {
    let text = verdicts(&[("supported", &["Unopened items can be returned within 30 days"])]);
    for reason in [FinishReason::Length, FinishReason::ContentFilter] {
        let reply = Completion { finish_reason: reason.clone(), ..completion(&text) };
        let model = replies([Ok(reply)]);
        let grade =
            grade_of(&judge(built_in("faithfulness")), &model, &case(), "Returns take 30 days.").await;
        assert_eq!(grade.outcome, Outcome::Ungraded(None));
        assert!(grade.reason.ends_with(reason.as_str()), "{}", grade.reason);
        assert_eq!(model.requests().len(), 1);
    }
    let model = replies([Ok(Completion { refusal: true, ..completion(&text) })]);
    let grade = grade_of(&judge(built_in("faithfulness")), &model, &case(), "Returns take 30 days.").await;
    assert_eq!(grade.outcome, Outcome::Ungraded(None));
}

#[tokio::test]
async fn end_under_any_other_name_is_an_end() {
    let text = verdicts(&[("supported", &["Unopened items can be returned within 30 days"])]);
    for (name, flags) in [
        ("end_turn", &[][..]),
        ("STOP", &[]),
        ("eos", &[]),
        ("", &[]),
        ("tool_calls", &[]),
        ("pause_turn", &["unknown_finish_reason:pause_turn"]),
    ] {
        let model =
            replies([Ok(Completion { finish_reason: FinishReason::from(name), ..completion(&text) })]);
        let grade =
            grade_of(&judge(built_in("faithfulness")), &model, &case(), "Returns take 30 days.").await;
        assert_eq!(grade.score(), Some(1.0), "{name}");
        assert_eq!(grade.flags, flags, "{name}");
    }
}

#[tokio::test]
async fn reasoning_of_the_judge_is_no_part_of_its_reply() {
    let text = verdicts(&[("supported", &["Unopened items can be returned within 30 days"])]);
    let praise = r#"{"statements": [{"id": 1, "quotes": [], "reasoning": "", "verdict": "no_claim"}]}"#;
    let (grade, asked) =
        faithfulness("Returns take 30 days.", &[&format!("<think>{praise}</think>\n{text}")]).await;
    assert_eq!((grade.score(), asked.len()), (Some(1.0), 1));
    let (grade, _) = faithfulness("Returns take 30 days.", &[&format!("<think>{text}")]).await;
    assert_eq!(grade.outcome, Outcome::Ungraded(None));
}

#[tokio::test]
async fn fault_leaves_the_grade_missing() {
    for kind in [FaultKind::Dead, FaultKind::QuotaSpent, FaultKind::Timeout, FaultKind::Rejected] {
        let fault = Fault::new(kind, "no more of it");
        let model = replies([Ok(completion("prose")), Err(fault.clone())]);
        let grade = grade_of(&judge(built_in("relevance")), &model, &case(), ANSWER).await;
        assert_eq!(grade.outcome, Outcome::Ungraded(Some(fault)));
        assert_eq!(grade.reason, "the judge call failed: no more of it");
        let judging = grade.judging.unwrap();
        assert_eq!((judging.calls, judging.usage.prompt_tokens), (2, 100));
    }
}

#[tokio::test]
async fn huge_reply_is_cut_in_the_repair() {
    let huge = "é".repeat(200_000);
    let (_, asked) = faithfulness(ANSWER, &[&huge, &huge, &huge]).await;
    let sent: usize = asked[2].messages.iter().map(|message| message.content.len()).sum();
    assert!(sent < 60_000, "{sent}");
}
