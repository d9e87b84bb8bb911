//! The judge of pairs: both orders, quotes, and judges that look at the position.

use super::*;
use crate::judge::registry::preference::PreferencePayload;
use crate::judge::{fingerprint, self_test};
use promptgate_core::metric::POSITION_FLIP;
use promptgate_core::model::{Expected, Outcome};

const GOOD: &str = "Unopened items can be returned within 30 days.";
const BAD: &str = "I am sure that it can be returned at some time.";

fn preference(criteria: &[&str]) -> Judge {
    judge(registry::preference(criteria.iter().map(|text| (*text).to_owned()).collect()))
}

/// A reply with this verdict and these quotes.
fn verdict(verdict: &str, quotes: &[&str]) -> String {
    json!({"pairs": [{"id": 1, "quotes": quotes, "reasoning": "because", "verdict": verdict}]}).to_string()
}

/// A judge that decides by the two answers in their order, with the first answer as a quote.
fn deciding(decide: impl Fn(&str, &str) -> &'static str + Send + Sync + 'static) -> ScriptedModel<'static> {
    ScriptedModel::new(move |request, _| {
        let PreferencePayload { first, second, .. } = payload(request);
        Ok(completion(&verdict(decide(&first, &second), &[first.as_str()])))
    })
}

async fn compared(model: &dyn ChatModel, candidate: &str, baseline: &str) -> Grade {
    preference(&[]).compare(&[model], &case(), [Ok(candidate), Ok(baseline)], 0).await
}

#[tokio::test]
async fn answer_that_is_better_in_both_orders_wins() {
    let model = deciding(|first, _| if first == GOOD { "first" } else { "second" });
    let won = compared(&model, GOOD, BAD).await;
    assert_eq!((won.score(), won.flags.len()), (Some(1.0), 0), "{won:?}");
    let lost = compared(&model, BAD, GOOD).await;
    assert_eq!(lost.score(), Some(0.0), "{lost:?}");
    assert_eq!(lost.reason, "the baseline's answer is better in both orders");
    let order = &lost.details["orders"][0];
    assert_eq!((&order["verdict"], &order["quotes"][0]), (&json!("baseline"), &json!(BAD)));
    // Both orders of both pairs were asked, and no request says whose answer is whose.
    assert_eq!(model.requests().len(), 4);
    assert_eq!(won.judging.map(|judging| judging.calls), Some(2));
    let text = format!("{:?}", model.requests());
    assert!(!text.contains("candidate") && !text.contains("baseline"), "{text}");
}

#[tokio::test]
async fn winner_that_changes_with_the_order_is_a_flagged_tie() {
    let flipped = compared(&deciding(|_, _| "first"), GOOD, BAD).await;
    assert_eq!((flipped.score(), flipped.flags), (Some(0.5), vec![POSITION_FLIP.to_owned()]));
    let model = deciding(|first, _| if first == GOOD { "first" } else { "tie" });
    let half = compared(&model, GOOD, BAD).await;
    assert_eq!((half.score(), half.flags.len()), (Some(0.5), 0), "{half:?}");
    let tie = compared(&deciding(|_, _| "tie"), GOOD, BAD).await;
    assert_eq!((tie.score(), tie.reason.as_str()), (Some(0.5), "a tie in both orders"));
}

#[tokio::test]
async fn swapped_variants_mirror_the_score() {
    for decide in [
        |_: &str, _: &str| "first",
        |first: &str, _: &str| if first == GOOD { "first" } else { "second" },
        |first: &str, _: &str| if first == GOOD { "tie" } else { "second" },
    ] {
        let ours = compared(&deciding(decide), GOOD, BAD).await.score().unwrap();
        let theirs = compared(&deciding(decide), BAD, GOOD).await.score().unwrap();
        assert_eq!(ours, 1.0 - theirs);
    }
}

#[tokio::test]
async fn winner_without_a_quote_that_decides_is_asked_again_and_then_ungraded() {
    for (quotes, problem) in [
        (vec![], "no quote is given"),
        (vec!["returned within ninety years"], "no quote occurs in an answer"),
        (vec!["can be returned"], "occurs in both answers"),
        (vec!["30"], "too short"),
    ] {
        let reply = verdict("first", &quotes);
        let model = ScriptedModel::new(move |_, _| Ok(completion(&reply)));
        let grade = compared(&model, GOOD, BAD).await;
        assert_eq!(grade.outcome, Outcome::Ungraded(None), "{quotes:?}: {grade:?}");
        assert!(grade.reason.contains(problem), "{quotes:?}: {}", grade.reason);
        assert_eq!(model.requests().len(), 4, "each order is asked twice");
    }
    // A second reply with evidence counts.
    let model = ScriptedModel::new(|request: &ChatRequest, _| {
        let PreferencePayload { first, .. } = payload(request);
        let better = if first == GOOD { "first" } else { "second" };
        let quotes: &[&str] = if request.messages.len() > 2 { &["within 30 days"] } else { &[] };
        Ok(completion(&verdict(better, quotes)))
    });
    assert_eq!(compared(&model, GOOD, BAD).await.score(), Some(1.0));
}

#[tokio::test]
async fn answers_that_need_no_judge_are_not_sent() {
    let model = deciding(|_, _| "first");
    let judge = preference(&[]);
    let compare = async |candidate, baseline| {
        judge.compare(&[&model as &dyn ChatModel], &case(), [candidate, baseline], 0).await
    };
    assert_eq!(compare(Ok(GOOD), Ok(GOOD)).await.score(), Some(0.5));
    assert_eq!(compare(Err("the answer is empty"), Ok(GOOD)).await.score(), Some(0.0));
    assert_eq!(compare(Ok(GOOD), Err("the answer is empty")).await.score(), Some(1.0));
    let neither = compare(Err("the answer is empty"), Err("it is empty")).await;
    assert_eq!(neither.outcome, Outcome::Ungraded(None), "{neither:?}");
    assert_eq!(model.requests().len(), 0);
}

#[tokio::test]
async fn fault_or_prose_in_one_order_leaves_the_pair_ungraded() {
    let model = ScriptedModel::new(|request: &ChatRequest, _| {
        let PreferencePayload { first, .. } = payload(request);
        Ok(completion(&if first == GOOD { verdict("first", &[GOOD]) } else { "hm".to_owned() }))
    });
    let grade = compared(&model, GOOD, BAD).await;
    assert_eq!(grade.outcome, Outcome::Ungraded(None), "{grade:?}");
}

#[tokio::test]
async fn document_has_the_criteria_and_what_the_case_knows() {
    let model = deciding(|_, _| "tie");
    preference(&["is short"]).compare(&[&model], &case(), [Ok("One."), Ok("Two.")], 0).await;
    let mut documents: Vec<String> = model
        .requests()
        .iter()
        .map(|request| request.messages[1].content.lines().nth(1).unwrap().to_owned())
        .collect();
    documents.sort();
    assert_eq!(
        documents[0],
        r#"{"task":"preference","question":"How long can I return an item?","context":"[KB-1] Unopened items can be returned within 30 days of delivery.\n\n[KB-2] Gift cards are not refundable.","reference":"Items can be returned within 30 days. Gift cards cannot.","criteria":["is short"],"first":"One.","second":"Two."}"#
    );
    assert!(documents[1].ends_with(r#""first":"Two.","second":"One."}"#), "{}", documents[1]);
}

#[test]
fn prompt_shows_a_reply_of_its_form() {
    let row = registry::PAIRWISE;
    let line = row.prompt.lines().find(|line| line.starts_with('{')).unwrap();
    let example: Value = serde_json::from_str(line).unwrap();
    let validator = jsonschema::validator_for(&row.form.schema(1, true)).unwrap();
    assert!(validator.is_valid(&example), "{example}");
}

#[test]
fn fingerprint_is_pinned_and_has_the_criteria() {
    let digest = |judges: &[Judge]| fingerprint(judges, &["h".to_owned()]).digest;
    let own = digest(&[judge(registry::PAIRWISE.kind())]);
    assert_eq!(own, format!("sha256:{}", registry::PAIRWISE.fingerprint));
    assert_ne!(digest(&[preference(&["is short"])]), own);
    // A report of a run without a baseline has no judge of pairs, and its scores stay comparable.
    let relevance = || Judge::new("relevance".to_owned(), built_in("relevance"), Vec::new(), 1);
    assert_eq!(digest(&[relevance(), preference(&[])]), digest(&[relevance()]));
}

#[tokio::test]
async fn position_bias_fails_the_self_test() {
    let judges = [preference(&[])];
    let is_right = |answer: &str| answer.contains("21 days");
    let fair = deciding(move |first, second| match (is_right(first), is_right(second)) {
        (true, false) => "first",
        (false, true) => "second",
        _ => "tie",
    });
    let outcome = self_test(&judges, &[&fair], &[]).await.unwrap();
    assert!(outcome.passed(), "{outcome:?}");
    assert_eq!(outcome.rows.len(), 8);
    assert_eq!(fair.requests().len(), crate::judge::self_test_calls(&judges, &[]));
    let biased = deciding(|_, _| "first");
    let outcome = self_test(&judges, &[&biased], &[]).await.unwrap();
    let failed: Vec<Expected> =
        outcome.rows.iter().filter(|row| !row.passed).map(|row| row.expected).collect();
    assert_eq!(failed.len(), 8, "{outcome:?}");
    // A judge that never decides is no use either, although equal answers are ties.
    let undecided = deciding(|_, _| "tie");
    let outcome = self_test(&judges, &[&undecided], &[]).await.unwrap();
    let passed: Vec<Expected> =
        outcome.rows.iter().filter(|row| row.passed).map(|row| row.expected).collect();
    assert_eq!(passed, [Expected::Even]);
}

#[tokio::test]
async fn panel_gives_the_mean_of_its_members() {
    let members =
        ["strict", "mild"].map(|name| Arc::new(Member::new(name.to_owned(), serde_json::Map::new())));
    let panel = Judge::new("preference".to_owned(), registry::preference(Vec::new()), members.into(), 1);
    let sees = deciding(|first, _| if first == GOOD { "first" } else { "second" });
    let blind = deciding(|_, _| "tie");
    let models: [&dyn ChatModel; 2] = [&sees, &blind];
    let grade = panel.compare(&models, &case(), [Ok(GOOD), Ok(BAD)], 0).await;
    assert_eq!(grade.score(), Some(0.75), "{grade:?}");
    assert_eq!(grade.opinions.len(), 2);
}
