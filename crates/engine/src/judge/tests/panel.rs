//! Votes and panels.

use super::*;
use promptgate_core::model::{FaultKind, Outcome};

fn member(model: &str) -> Arc<Member> {
    Arc::new(Member::new(model.to_owned(), serde_json::Map::new()))
}

fn panel(models: &[&str], votes: u32) -> Judge {
    Judge::new(
        "metric".to_owned(),
        built_in("relevance"),
        models.iter().map(|model| member(model)).collect(),
        votes,
    )
}

async fn graded(judge: &Judge, models: &[&dyn ChatModel], repeat: u32) -> Grade {
    let (case, completion) = (case(), completion("Thirty days."));
    let subject = Subject { case: &case, completion: &completion, answer: Ok("Thirty days.") };
    judge.grade(models, &subject, repeat).await
}

#[tokio::test]
async fn votes_are_separate_requests_and_averaged() {
    let judge = panel(&["j"], 3);
    let model = ScriptedModel::new(|request, _| {
        // The second vote of the second repeat finds one item less.
        let last = if request.repeat == 4 { "no" } else { "yes" };
        Ok(completion(&list("items", &["yes", "yes", "yes", last])))
    });
    let grade = graded(&judge, &[&model], 1).await;
    assert_eq!(grade.score(), Some((1.0 + 0.75 + 1.0) / 3.0));
    assert_eq!(grade.reason, "mean of 3 judgements: j 0.92");
    assert_eq!(grade.judging.as_ref().unwrap().calls, 3);
    assert_eq!(grade.judging.unwrap().usage.prompt_tokens, 300);
    assert_eq!(grade.details["judgements"][1]["score"], 0.75);
    assert_eq!(grade.details["judgements"][1]["vote"], 2);
    assert_eq!(grade.opinions.len(), 1);
}

#[tokio::test]
async fn members_of_a_panel_have_equal_weight() {
    let judge = panel(&["strict", "mild"], 1);
    let strict = scripted(&[&list("items", &["yes", "no", "no", "no"])]);
    let mild = scripted(&[&list("items", &["yes", "yes", "yes", "yes"])]);
    let grade = graded(&judge, &[&strict, &mild], 0).await;
    assert_eq!(grade.score(), Some(0.625));
    assert_eq!(grade.reason, "mean of 2 judgements: strict 0.25, mild 1.00");
    let opinions: Vec<(&str, Option<f64>)> =
        grade.opinions.iter().map(|opinion| (opinion.judge.as_str(), opinion.score)).collect();
    assert_eq!(opinions, [("strict", Some(0.25)), ("mild", Some(1.0))]);
    assert_eq!(strict.requests()[0].model, "strict");
    assert_eq!(mild.requests()[0].model, "mild");
}

#[tokio::test]
async fn missing_judgement_leaves_the_grade_missing() {
    let judge = panel(&["there", "gone"], 1);
    let there = scripted(&[&list("items", &["yes", "yes", "yes", "yes"])]);
    let fault = Fault::new(FaultKind::Timeout, "no answer within 1 s");
    let gone = replies([Err(fault.clone())]);
    let grade = graded(&judge, &[&there, &gone], 0).await;
    assert_eq!(grade.outcome, Outcome::Ungraded(Some(fault)));
    assert_eq!(grade.reason, "gone: the judge call failed: no answer within 1 s");
    assert_eq!(grade.opinions[0].score, Some(1.0));
    assert_eq!(grade.opinions[1].score, None);
    assert_eq!(grade.judging.unwrap().calls, 2);
}

#[tokio::test]
async fn refusals_are_shared_by_the_judges_of_a_member() {
    let shared = member("j");
    let of = |name: &str, kind: Kind| Judge::new(name.to_owned(), kind, vec![Arc::clone(&shared)], 1);
    let (first, second) =
        (of("relevance", built_in("relevance")), of("tone", rubric(&[("is polite", 1.0, false)])));
    let model = replies([
        Err(Fault::new(FaultKind::Rejected, "response_format json_schema is not supported")),
        Ok(completion(&list("items", &["yes", "yes", "yes", "yes"]))),
        Ok(completion(&list("items", &["yes"]))),
    ]);
    assert_eq!(graded(&first, &[&model], 0).await.judging.unwrap().calls, 2);
    let grade = graded(&second, &[&model], 0).await;
    assert_eq!((grade.score(), grade.judging.as_ref().unwrap().calls), (Some(1.0), 1));
    assert_eq!(grade.judging.unwrap().output_mode.as_deref(), Some("json_object"));
}
