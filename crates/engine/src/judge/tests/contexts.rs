//! Context recall and context precision.

use super::*;

const WITHIN_30: &str = "Unopened items can be returned within 30 days";
const GIFT_CARDS: &str = "Gift cards are not refundable";

async fn graded(name: &str, texts: &[&str], case: &Case) -> (Grade, usize) {
    let model = scripted(texts);
    let grade = grade_of(&judge(built_in(name)), &model, case, "Any answer.").await;
    (grade, model.requests().len())
}

fn with_passages(passages: &[&str]) -> Case {
    Case { context: Some(passages.iter().map(|text| (*text).to_owned()).collect()), ..case() }
}

#[tokio::test]
async fn recall_is_the_share_of_statements_with_a_quote() {
    let both = quoted("statements", &[("supported", &[WITHIN_30]), ("supported", &[GIFT_CARDS])]);
    let (grade, calls) = graded("context_recall", &[&both], &case()).await;
    assert_eq!((grade.score(), calls), (Some(1.0), 1), "{grade:?}");
    let one = quoted("statements", &[("supported", &[WITHIN_30]), ("missing", &[])]);
    let (grade, _) = graded("context_recall", &[&one], &case()).await;
    assert_eq!(grade.score(), Some(0.5));
    assert_eq!(
        grade.reason,
        "1 of 2 statements of the expected answer in the passages; missing: statement 2"
    );
    assert_eq!(details_of(&grade, 0)["quote_found"], true);
}

#[tokio::test]
async fn support_without_a_real_quote_is_asked_again_and_then_does_not_count() {
    // The second quote is nowhere in the passages; the number of the first is another.
    for quote in ["Gift cards can be exchanged for cash", "within 60 days of delivery"] {
        let reply = quoted("statements", &[("supported", &[quote]), ("supported", &[quote])]);
        let (grade, calls) = graded("context_recall", &[&reply, &reply], &case()).await;
        assert_eq!((grade.score(), calls), (Some(0.0), 2), "{grade:?}");
        assert_eq!(grade.flags, ["unquoted_support"]);
    }
}

#[tokio::test]
async fn precision_depends_on_the_rank_of_useful_passages() {
    let useful = |text| ("useful", text);
    for (replies, score, ranks) in [
        ([useful([WITHIN_30].as_slice()), useful([GIFT_CARDS].as_slice())], 1.0, "at ranks 1, 2"),
        ([useful([WITHIN_30].as_slice()), ("not_useful", [].as_slice())], 1.0, "at rank 1"),
        ([("not_useful", [].as_slice()), useful([GIFT_CARDS].as_slice())], 0.5, "at rank 2"),
        ([("not_useful", [].as_slice()), ("not_useful", [].as_slice())], 0.0, "none of 2 passages useful"),
    ] {
        let reply = quoted("passages", &replies);
        let (grade, calls) = graded("context_precision", &[&reply], &case()).await;
        assert_eq!((grade.score(), calls), (Some(score), 1), "{grade:?}");
        assert!(grade.reason.ends_with(ranks), "{}", grade.reason);
    }
}

#[tokio::test]
async fn quote_of_another_passage_makes_none_useful() {
    let reply = quoted("passages", &[("useful", &[GIFT_CARDS]), ("useful", &[GIFT_CARDS])]);
    let (grade, calls) = graded("context_precision", &[&reply, &reply], &case()).await;
    assert_eq!((grade.score(), calls), (Some(0.5), 2), "{grade:?}");
    assert_eq!(grade.flags, ["unquoted_support"]);
    // A real quote that has nothing to do with question and reference.
    let case = with_passages(&["The harbor was dredged twice last year."]);
    let reply = quoted("passages", &[("useful", &["harbor was dredged twice last year"])]);
    let (grade, _) = graded("context_precision", &[&reply, &reply], &case).await;
    assert_eq!(grade.score(), Some(0.0), "{grade:?}");
}

#[tokio::test]
async fn nothing_retrieved_scores_0_without_a_call() {
    for name in ["context_recall", "context_precision"] {
        let (grade, calls) = graded(name, &[], &with_passages(&[])).await;
        assert_eq!((grade.score(), calls), (Some(0.0), 0), "{name}: {grade:?}");
        assert_eq!(grade.flags, ["no_passages"]);
    }
}

#[tokio::test]
async fn unknown_passages_and_no_reference_are_ungraded() {
    for name in ["context_recall", "context_precision"] {
        for (case, reason) in [
            (Case { context: None, ..case() }, "no `contexts` came"),
            (Case { expected: None, ..case() }, "no expected answer"),
        ] {
            let (grade, calls) = graded(name, &[], &case).await;
            assert_eq!((grade.score(), calls), (None, 0), "{name}");
            assert!(grade.reason.contains(reason), "{}", grade.reason);
        }
    }
}
