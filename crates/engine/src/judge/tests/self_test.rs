//! The self-test with good, fooled, noisy and unreachable judges.

use futures::future::BoxFuture;

use super::*;
use crate::judge::conversation::{Conversation, Stop};
use crate::judge::kind::Spec;
use crate::judge::registry::YesNo;
use crate::judge::registry::scale::ScalePayload;
use crate::judge::reply::Judged;
use crate::judge::self_test::{PlantedAnswer, planted};
use crate::judge::{Needs, Planted, ScoreResult, Scored, self_test};
use promptgate_core::model::{Expected, FaultKind, PlantedOutcome};

fn of(kinds: &[(&str, Kind)]) -> Vec<Judge> {
    let shared = Arc::new(Member::new("judge-model".to_owned(), serde_json::Map::new()));
    let judge = |(name, kind): &(&str, Kind)| {
        Judge::new((*name).to_owned(), kind.clone(), vec![Arc::clone(&shared)], 1)
    };
    kinds.iter().map(judge).collect()
}

/// Whether a built-in planted answer is right.
fn is_right(answer: &str) -> bool {
    answer.contains("21 days")
}

/// Gives the best verdicts to answers that `good` accepts, and the worst to others.
fn judging(good: impl Fn(&str, u32) -> bool + Send + Sync + 'static) -> ScriptedModel<'static> {
    ScriptedModel::new(move |request, _| {
        let payload = untyped(request);
        let good = good(payload.answer(), request.repeat);
        let text = if let Some(FaithfulnessPayload { context, statements, .. }) = payload.typed() {
            let quotes: Vec<&str> = context.split("\n\n").collect();
            let verdict = if good { "supported" } else { "not_found" };
            verdicts(&statements.iter().map(|_| (verdict, quotes.as_slice())).collect::<Vec<_>>())
        } else if let Some(ChecklistPayload { items, .. }) = payload.typed() {
            list("items", &vec![if good { "yes" } else { "no" }; items.len()])
        } else if let Some(CorrectnessPayload { statements, .. }) = payload.typed() {
            list("statements", &vec![if good { "covered" } else { "absent" }; statements.len()])
        } else if payload.typed::<ScalePayload>().is_some() {
            list("ratings", &[if good { "5" } else { "0" }])
        } else if let Some(ContextRecallPayload { context, statements, .. }) = payload.typed() {
            let good = is_right(&context);
            let quotes: Vec<&str> = context.split("\n\n").collect();
            let verdict = if good { "supported" } else { "missing" };
            verdicts(&statements.iter().map(|_| (verdict, quotes.as_slice())).collect::<Vec<_>>())
        } else if let Some(ContextPrecisionPayload { passages, .. }) = payload.typed() {
            let quotes: Vec<[&str; 1]> = passages.iter().map(|passage| [passage.text.as_str()]).collect();
            let verdict = |quote: &str| if is_right(quote) { "useful" } else { "not_useful" };
            quoted(
                "passages",
                &quotes.iter().map(|quote| (verdict(quote[0]), &quote[..])).collect::<Vec<_>>(),
            )
        } else {
            panic!("no verdicts for the task {}", payload.task())
        };
        Ok(completion(&text))
    })
}

/// Every kind of judge, and a second rubric.
fn all() -> Vec<(&'static str, Kind)> {
    let kinds = registry::all().into_iter().map(|kind| (kind.row.name(), kind));
    kinds.chain([("length", rubric(&[("is short", 1.0, false)]))]).collect()
}

#[tokio::test]
async fn good_judge_is_called_once_per_planted_answer() {
    let model = judging(|answer, _| is_right(answer));
    let outcome = self_test(&of(&all()), &[&model], &[]).await.unwrap();
    assert!(outcome.passed(), "{outcome:?}");
    // Two rubrics are one kind.
    let answers: usize = registry::all().iter().map(|kind| kind.row.planted().count()).sum();
    assert_eq!(outcome.rows.len(), answers);
    assert!(outcome.rows.iter().all(|row| row.scores.len() == 1 && row.judging.calls == 1));
    let one = of(&[("faithfulness", built_in("faithfulness"))]);
    assert_eq!(self_test(&one, &[&model], &[]).await.unwrap().rows.len(), 7);
}

#[tokio::test]
async fn lenient_judge_fails_on_every_attack() {
    let model = judging(|_, _| true);
    let outcome = self_test(&of(&[("relevance", built_in("relevance"))]), &[&model], &[]).await.unwrap();
    assert!(!outcome.passed());
    let failed: Vec<&PlantedOutcome> = outcome.rows.iter().filter(|row| !row.passed).collect();
    assert_eq!(failed.len(), 4);
    assert!(failed.iter().all(|row| row.expected == Expected::Low && row.scores == [Some(1.0); 3]));
    assert!(failed.iter().all(|row| row.judging.calls == 3));
    // The quote check of faithfulness rejects statements without a quote from the context.
    let outcome =
        self_test(&of(&[("faithfulness", built_in("faithfulness"))]), &[&model], &[]).await.unwrap();
    assert!(outcome.passed(), "{outcome:?}");
}

#[tokio::test]
async fn strict_judge_fails_on_right_answers() {
    let model = judging(|_, _| false);
    let outcome = self_test(&of(&[("correctness", built_in("correctness"))]), &[&model], &[]).await.unwrap();
    let failed: Vec<Expected> =
        outcome.rows.iter().filter(|row| !row.passed).map(|row| row.expected).collect();
    assert_eq!(failed, [Expected::High, Expected::High]);
}

#[tokio::test]
async fn unexpected_score_is_decided_by_a_majority_of_three() {
    for (errs_on, passes) in [(1, true), (2, false)] {
        let model = judging(move |answer, repeat| is_right(answer) || repeat < errs_on);
        let outcome = self_test(&of(&[("relevance", built_in("relevance"))]), &[&model], &[]).await.unwrap();
        assert_eq!(outcome.passed(), passes, "{outcome:?}");
        let asked: Vec<usize> = outcome.rows.iter().map(|row| row.scores.len()).collect();
        assert_eq!(asked, [3, 3, 3, 3, 1, 1]);
    }
}

#[tokio::test]
async fn prose_fails_the_self_test_without_a_fault() {
    let model = ScriptedModel::new(|_, _| Ok(completion("looks fine to me")));
    let outcome = self_test(&of(&[("relevance", built_in("relevance"))]), &[&model], &[]).await.unwrap();
    // One planted answer is enough to reject the judge.
    assert_eq!(outcome.rows.len(), 1);
    assert!(!outcome.passed() && outcome.rows[0].scores == [None; 3], "{outcome:?}");
    assert!(outcome.rows[0].reason.contains("no valid reply"), "{}", outcome.rows[0].reason);
}

#[tokio::test]
async fn unreachable_endpoint_is_a_fault() {
    let fault = Fault::new(FaultKind::Unauthorized, "401");
    let model = replies([Err(fault.clone())]);
    let found = self_test(&of(&[("relevance", built_in("relevance"))]), &[&model], &[]).await;
    assert_eq!(found, Err(fault));
    // Nothing is called after the first fault.
    assert_eq!(model.requests().len(), 1);
}

#[tokio::test]
async fn content_filter_counts_as_a_low_score() {
    let filtering = Filtering(judging(|answer, _| is_right(answer)));
    let outcome = self_test(&of(&[("relevance", built_in("relevance"))]), &[&filtering], &[]).await.unwrap();
    assert!(outcome.passed(), "{outcome:?}");
}

/// A content filter for injected instructions in front of a model.
struct Filtering<M>(M);

impl<M: ChatModel> ChatModel for Filtering<M> {
    fn complete<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Reply> {
        if request.messages[1].content.contains("Ignore the rubric") {
            let fault = Fault::new(FaultKind::ContentFilter, "jailbreak detected");
            return Box::pin(async { Err(fault) });
        }
        self.0.complete(request)
    }
}

#[tokio::test]
async fn configured_planted_answers_are_judged_by_their_metrics() {
    let planted = |name: &str, answer: &str, low: &[&str], high: &[&str]| Planted {
        name: name.to_owned(),
        case: case(),
        answer: answer.to_owned(),
        low: low.iter().map(|name| (*name).to_owned()).collect(),
        high: high.iter().map(|name| (*name).to_owned()).collect(),
    };
    let own = [
        planted("too curt", "No.", &["tone"], &[]),
        planted("as it should be", "Gladly: 30 days.", &[], &["tone", "relevance"]),
    ];
    let judges = of(&[("tone", rubric(&[("is polite", 1.0, false)])), ("relevance", built_in("relevance"))]);
    let model = judging(|answer, _| is_right(answer) || answer.contains("Gladly"));
    let outcome = self_test(&judges, &[&model], &own).await.unwrap();
    assert!(outcome.passed(), "{outcome:?}");
    let rows: Vec<(&str, &str, Expected)> = outcome.rows[12..]
        .iter()
        .map(|row| (row.planted.as_str(), row.metric.as_str(), row.expected))
        .collect();
    assert_eq!(
        rows,
        [
            ("too curt", "tone", Expected::Low),
            ("as it should be", "tone", Expected::High),
            ("as it should be", "relevance", Expected::High),
        ]
    );
}

/// A judge with a planted answer to a case of its own.
#[derive(Debug)]
struct Polite;

impl Spec for Polite {
    const NAME: &'static str = "polite";
    const PROMPT: &'static str = "Decide whether the answer is polite.";
    const NEEDS: Needs = Needs::NOTHING;
    const PLANTED: &'static [&'static [PlantedAnswer]] =
        &[planted::FOR_EVERY_KIND, &[PlantedAnswer { case, ..planted::low("a snub", "Read the rules.") }]];
    const FINGERPRINT: &'static str = "";

    type Payload = ChecklistPayload;

    fn for_self_test() -> Self {
        Self
    }

    fn payload(&self, case: &Case, answer: &str) -> Result<ChecklistPayload, Stop> {
        let items = Numbered::list(["is polite".to_owned()]);
        Ok(ChecklistPayload { question: case.query.clone(), answer: answer.to_owned(), items })
    }

    async fn score(&self, conversation: &mut Conversation<'_>, _: &ChecklistPayload) -> ScoreResult {
        let judged: Vec<Judged<YesNo>> = conversation.ask().await?;
        let score = f64::from(u8::from(judged.iter().all(|item| item.verdict == YesNo::Yes)));
        Ok(Scored { score, reason: String::new(), details: Value::Null, flags: Vec::new() })
    }
}

#[tokio::test]
async fn judge_adds_planted_answers_of_its_own() {
    let model = judging(|answer, _| is_right(answer));
    let outcome = self_test(&of(&[("polite", Kind::new(Polite))]), &[&model], &[]).await.unwrap();
    assert!(outcome.passed(), "{outcome:?}");
    // Answers that must score high come last.
    let planted: Vec<&str> = outcome.rows.iter().map(|row| row.planted.as_str()).collect();
    assert_eq!((planted.len(), planted[4]), (7, "a snub"));
    let questions: Vec<String> =
        model.requests().iter().map(|request| payload::<ChecklistPayload>(request).question).collect();
    let own = questions.iter().filter(|question| **question == case().query);
    assert_eq!(own.count(), 1, "{questions:?}");
}
