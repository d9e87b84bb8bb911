use serde_json::{Map, json};

use super::*;
use crate::judge::{Needs, fingerprint};
use promptgate_core::model::{Item, MessageRole, Outcome};

const REAL: &str = "Unopened items can be returned within 30 days of delivery.";

#[tokio::test]
async fn faithfulness_is_the_share_of_backed_statements() {
    let answer =
        "Hello! You can return unopened items within 30 days. Gift cards are refundable. We ship free.";
    let reply = verdicts(&[
        ("no_claim", &[]),
        ("supported", &[REAL]),
        ("contradicted", &["Gift cards are not refundable."]),
        ("not_found", &[]),
    ]);
    let (grade, asked) = faithfulness(answer, &[&reply]).await;
    assert_eq!(grade.score(), Some(1.0 / 3.0));
    assert_eq!(grade.scorer, "metric");
    assert_eq!(
        grade.reason,
        "1 of 3 statements backed by the context; contradicted: statement 3; not found: statement 4"
    );
    assert!(grade.flags.is_empty());
    assert_eq!(
        *details_of(&grade, 1),
        json!({"id": 2, "text": "You can return unopened items within 30 days.", "verdict": "supported",
               "quotes": [REAL], "reasoning": "because", "quote_found": true})
    );
    assert_eq!(details_of(&grade, 2)["quote_found"], false);
    let judging = grade.judging.unwrap();
    assert_eq!((judging.calls, judging.usage.prompt_tokens, judging.latency_ms), (1, 100, 5.0));
    assert_eq!(judging.output_mode.as_deref(), Some("json_schema"));
    assert_eq!(judging.model.as_deref(), Some("judge-2026-01-01"));
    assert_eq!(judging.system_fingerprint.as_deref(), Some("fp_1"));
    assert_eq!(asked[0].messages[0].role, MessageRole::System);
    assert_eq!(asked[0].messages.len(), 2);
    let FaithfulnessPayload { context, statements, .. } = payload(&asked[0]);
    assert!(context.contains("delivery.\n\n[KB-2]"));
    assert_eq!(statements.len(), 4);
}

#[tokio::test]
async fn answer_without_claims_is_faithful_unless_due() {
    let reply = verdicts(&[("no_claim", &[])]);
    let (grade, _) = faithfulness("I do not know.", &[&reply]).await;
    assert_eq!((grade.score(), grade.flags), (Some(1.0), vec!["no_claims".to_owned()]));
    let case = Case { must_answer: true, ..case() };
    let model = scripted(&[&reply]);
    let grade = grade_of(&judge(built_in("faithfulness")), &model, &case, "I do not know.").await;
    assert_eq!((grade.score(), grade.flags), (Some(0.0), vec!["no_claims".to_owned()]));
}

#[tokio::test]
async fn number_in_no_claim_is_flagged() {
    let none = |answer| {
        let count = if answer == "Hello. We pay 500 euros." { 2 } else { 1 };
        let reply = verdicts(&vec![("no_claim", &[][..]); count]);
        async move { faithfulness(answer, &[&reply]).await.0.flags }
    };
    assert_eq!(none("Hello. We pay 500 euros.").await, ["no_claims", "number_in_no_claim"]);
    assert_eq!(none("Is it within 30 days?").await, ["no_claims"]);
    assert_eq!(none("I do not know [2].").await, ["no_claims"]);
}

#[tokio::test]
async fn boundary_is_random_and_prompt_is_in_the_system_message() {
    let reply = verdicts(&[("not_found", &[])]);
    let (_, first) = faithfulness("It is blue.", &[&reply]).await;
    let (_, second) = faithfulness("It is blue.", &[&reply]).await;
    assert_ne!(first[0].messages[1].content, second[0].messages[1].content);
    assert_eq!(first[0].messages[0], second[0].messages[0]);
    assert!(first[0].messages[0].content.contains("not_found"));
    assert!(!first[0].messages[1].content.contains("not_found"));
    assert!(!first[0].messages[0].content.contains("It is blue"));
}

#[tokio::test]
async fn criteria_are_the_weighted_share_of_yes() {
    let item = |text: &str, weight, critical| Item { text: text.to_owned(), weight, critical };
    let criteria = vec![item("names the term", 3.0, false), item("is polite", 1.0, false)];
    let case = Case { criteria: criteria.clone(), ..case() };
    let criteria_judge = judge(built_in("criteria"));
    let model = scripted(&[&list("items", &["yes", "no"])]);
    let grade = grade_of(&criteria_judge, &model, &case, "Thirty days.").await;
    assert_eq!((grade.score(), &*grade.reason), (Some(0.75), "1 of 2 items fulfilled; not: 2"));
    let ChecklistPayload { items, .. } = payload(&model.requests()[0]);
    assert_eq!((items.len(), items[0].text.as_str()), (2, "names the term"));
    let critical = Case { criteria: vec![item("is polite", 1.0, true), criteria[0].clone()], ..case.clone() };
    let model = scripted(&[&list("items", &["no", "yes"])]);
    let grade = grade_of(&criteria_judge, &model, &critical, "Thirty days.").await;
    assert_eq!((grade.score(), &*grade.flags), (Some(0.0), &["critical_item".to_owned()][..]));
    // Nothing is asked about a case without criteria, and no score is invented.
    let without = Case { criteria: Vec::new(), ..case };
    assert!(!criteria_judge.applies(&without) && judge(built_in("relevance")).applies(&without));
    let grade = grade_of(&criteria_judge, &scripted(&[]), &without, "Thirty days.").await;
    assert_eq!(grade.score(), None);
}

#[tokio::test]
async fn relevance_is_the_share_of_yes_to_its_fixed_items() {
    let item = Item { text: "names the term".to_owned(), weight: 4.0, critical: false };
    let case = Case { criteria: vec![item], ..case() };
    let model = scripted(&[&list("items", &["yes", "yes", "no", "yes"])]);
    let grade = grade_of(&judge(built_in("relevance")), &model, &case, "Thirty days.").await;
    assert_eq!((grade.score(), &*grade.reason), (Some(0.75), "3 of 4 items fulfilled; not: 3"));
}

#[tokio::test]
async fn critical_no_scores_zero_and_all_yes_exactly_one() {
    let judge = judge(rubric(&[("is polite", 0.1, false), ("is safe", 0.2, true), ("is short", 0.7, false)]));
    for (verdicts, score, flags) in [
        (["yes", "yes", "yes"], 1.0, 0),
        (["yes", "no", "yes"], 0.0, 1),
        (["no", "no", "no"], 0.0, 1),
        (["no", "yes", "no"], 0.2, 0),
    ] {
        let model = scripted(&[&list("items", &verdicts)]);
        let grade = grade_of(&judge, &model, &case(), "Thirty days.").await;
        assert!((grade.score().unwrap() - score).abs() < 1e-12, "{verdicts:?}: {grade:?}");
        assert_eq!(grade.flags.len(), flags);
    }
}

#[tokio::test]
async fn invalid_weights_give_no_score() {
    for weight in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let judge = judge(rubric(&[("is polite", 1.0, false), ("is safe", weight, false)]));
        for verdicts in [["yes", "yes"], ["yes", "no"], ["no", "yes"], ["no", "no"]] {
            let model = scripted(&[&list("items", &verdicts)]);
            let grade = grade_of(&judge, &model, &case(), "Thirty days.").await;
            assert_eq!(grade.outcome, Outcome::Ungraded(None), "{weight} {verdicts:?}");
        }
    }
}

#[tokio::test]
async fn correctness_is_the_share_of_covered_statements() {
    let model = scripted(&[&list("statements", &["covered", "contradicted"])]);
    let grade = grade_of(&judge(built_in("correctness")), &model, &case(), "30 days, gift cards too.").await;
    assert_eq!(grade.score(), Some(0.5));
    assert_eq!(grade.flags, ["contradicted"]);
    let case = Case { expected: Some(json!(["One thing", {"two": 2}, ["Three. Four."]])), ..case() };
    let model = scripted(&[&list("statements", &["covered", "covered", "covered", "absent"])]);
    let grade = grade_of(&judge(built_in("correctness")), &model, &case, "Yes it is.").await;
    assert_eq!(grade.score(), Some(0.75), "{grade:?}");
    assert!(grade.flags.is_empty());
}

#[tokio::test]
async fn case_without_a_needed_field_is_ungraded_without_a_call() {
    let bare = Case { id: "bare".to_owned(), ..Case::default() };
    let empty = Case { expected: Some(json!("")), ..bare.clone() };
    for (kind, case) in [
        (built_in("faithfulness"), &bare),
        (built_in("relevance"), &bare),
        (built_in("correctness"), &bare),
        (built_in("correctness"), &empty),
        (rubric(&[]), &bare),
    ] {
        let model = scripted(&[]);
        let grade = grade_of(&judge(kind), &model, case, "Some answer.").await;
        assert_eq!(grade.outcome, Outcome::Ungraded(None));
        assert!(model.requests().is_empty());
    }
}

#[test]
fn needs_follow_the_kind() {
    let context = Needs { context: true, ..Needs::default() };
    assert_eq!(judge(built_in("faithfulness")).needs(), context);
    assert_eq!(judge(built_in("relevance")).needs(), Needs { query: true, ..Needs::default() });
    assert_eq!(judge(built_in("correctness")).needs(), Needs { expected: true, ..Needs::default() });
    assert_eq!(judge(rubric(&[])).needs(), Needs::default());
}

#[test]
fn fingerprint_changes_only_with_the_judge() {
    let with = |name: &str, kind: Kind, model: &str, parameters: Value| {
        let parameters = parameters.as_object().cloned().unwrap_or_default();
        let member = Arc::new(Member::new(model.to_owned(), parameters));
        Judge::new(name.to_owned(), kind, vec![member], 1)
    };
    let voting = |votes| {
        let member = || Arc::new(Member::new("m".to_owned(), Map::new()));
        Judge::new("a".to_owned(), built_in("faithfulness"), vec![member(), member()], votes)
    };
    let fingerprint = |judges: &[Judge], host: &str| fingerprint(judges, &[host.to_owned()]).digest;
    let one = || with("a", built_in("faithfulness"), "m", json!({"temperature": 0, "seed": 1}));
    let two = || with("b", rubric(&[("is polite", 1.0, false)]), "m", json!({}));
    let base = fingerprint(&[one(), two()], "api.example.com");
    assert!(base.starts_with("sha256:") && base.len() == 71, "{base}");
    assert_eq!(base, fingerprint(&[two(), one()], "API.example.com"));
    let reordered = with("a", built_in("faithfulness"), "m", json!({"seed": 1, "temperature": 0}));
    assert_eq!(base, fingerprint(&[reordered, two()], "api.example.com"));
    let others = [
        fingerprint(&[one(), two()], "other.example.com"),
        fingerprint(&[one()], "api.example.com"),
        fingerprint(
            &[with("a", built_in("faithfulness"), "m2", json!({"temperature": 0, "seed": 1})), two()],
            "api.example.com",
        ),
        fingerprint(
            &[with("a", built_in("faithfulness"), "m", json!({"temperature": 1, "seed": 1})), two()],
            "api.example.com",
        ),
        fingerprint(
            &[with("a", built_in("relevance"), "m", json!({"temperature": 0, "seed": 1})), two()],
            "api.example.com",
        ),
        fingerprint(
            &[one(), with("b", rubric(&[("is polite", 2.0, false)]), "m", json!({}))],
            "api.example.com",
        ),
        fingerprint(&[voting(1)], "api.example.com"),
        fingerprint(&[voting(2)], "api.example.com"),
        fingerprint(&[voting(2)], "other.example.com"),
    ];
    for (index, other) in others.iter().enumerate() {
        assert_ne!(base, *other, "{index}");
        assert!(!others[..index].contains(other), "{index}");
    }
}

#[test]
fn judgement_is_send() {
    fn is_send<T: Send>(_: &T) {}
    let (judge, model, case) = (judge(built_in("faithfulness")), scripted(&[]), case());
    let completion = completion("x");
    let subject = Subject { case: &case, completion: &completion, answer: Ok("x") };
    is_send(&judge.grade(&[&model], &subject, 0));
}
