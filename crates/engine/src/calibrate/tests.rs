use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::*;
use crate::judge::registry::{built_in, faithfulness::FaithfulnessPayload};
use crate::judge::request::UntypedPayload;
use crate::judge::{Judge, Member};
use promptgate_core::model::{Case, ChatRequest, Ended, Fault, FaultKind, Grade, Outcome, Score};
use promptgate_core::port::NullSink;
use promptgate_testing::{ScriptedModel, completion};

/// A row of a label file.
fn row(number: usize, columns: Value) -> Case {
    let mut vars = columns.as_object().cloned().unwrap_or_default();
    let tags =
        vars.shift_remove("tags").and_then(|tags| serde_json::from_value(tags).ok()).unwrap_or_default();
    Case {
        id: number.to_string(),
        query: "How long?".to_owned(),
        context: Some(["Books may be kept for 21 days.".to_owned()].into()),
        tags,
        vars,
        ..Case::default()
    }
}

fn read(rows: &[Value], by: Option<&str>) -> Result<Labels, Vec<String>> {
    let rows = rows.iter().enumerate().map(|(index, columns)| row(index + 1, columns.clone())).collect();
    labels(rows, by)
        .map_err(|diagnostics| diagnostics.0.into_iter().map(|diagnostic| diagnostic.message).collect())
}

/// Answers with these ratings and scores.
fn verdicts(pairs: &[(f64, f64)]) -> (Labels, Vec<JudgedAnswer>) {
    let rows: Vec<Value> = pairs.iter().map(|(human, _)| json!({"response": "r", "human": human})).collect();
    (read(&rows, None).unwrap(), pairs.iter().map(|(_, score)| scored(&[*score])).collect())
}

fn scored(scores: &[f64]) -> JudgedAnswer {
    let grade = |score: &f64| Grade::unjudged("f", Outcome::Score(Score::new(*score).unwrap()), "");
    JudgedAnswer { grades: scores.iter().map(grade).collect() }
}

/// A number of answers with the same rating and score.
fn times(count: usize, human: f64, score: f64) -> Vec<(f64, f64)> {
    vec![(human, score); count]
}

#[test]
fn figures_equal_those_of_scikit_learn_and_scipy() {
    // 40 + 5 + 15 + 20 answers; computed with scikit-learn 1.9 and SciPy 1.17 from the same verdicts.
    let pairs = [times(40, 1.0, 1.0), times(5, 0.0, 1.0), times(15, 1.0, 0.5), times(20, 0.0, 0.0)].concat();
    let (labels, judged) = verdicts(&pairs);
    let found = measure(&labels, &judged, 1.0, None).unwrap();
    let figures = &found.overall;
    let close = |actual: f64, expected: f64| assert!((actual - expected).abs() < 1e-9, "{actual} {expected}");
    assert_eq!((figures.true_positives, figures.false_positives), (40, 5));
    assert_eq!((figures.false_negatives, figures.true_negatives), (15, 20));
    close(figures.sensitivity.unwrap().mean, 40.0 / 55.0);
    close(figures.specificity.unwrap().mean, 0.8);
    close(figures.balanced_accuracy.unwrap().mean, 0.763_636_363_636_363_6);
    close(figures.kappa.unwrap().mean, 0.475_409_836_065_573_7);
    close(figures.spearman.unwrap(), 0.669_192_683_626_209_2);
    close(figures.kendall.unwrap(), 0.638_369_134_212_448_8);
    // Verdicts: 45 passed by the judge, 55 by people, of 80.
    close(figures.bias.unwrap().mean, -0.125);
    // 1 on 40 and 0.5 on 15 good answers, 1 on 5 and 0 on 20 bad ones.
    close(figures.slope.unwrap(), 47.5 / 55.0 - 0.2);
    // Clopper and Pearson's bounds by SciPy, and kappa at them.
    close(figures.sensitivity.unwrap().lower.unwrap(), 0.611_549_049_572_75);
    close(figures.specificity.unwrap().upper.unwrap(), 0.917_709_100_138_754);
    close(figures.kappa.unwrap().lower.unwrap(), 0.208_849_877_127_087);
    // Of the cut-offs 1, 0.5 and 0, 0.5 passes all answers that people pass.
    let cut_off = figures.cut_off.unwrap();
    close(cut_off.score, 0.5);
    close(cut_off.balanced_accuracy, 0.9);
    assert!(figures.weighted_kappa.is_none() && found.humans.is_none() && found.repeatability.is_none());
}

#[test]
fn ratings_of_one_answer_are_merged_and_the_majority_counts() {
    let rated = |response: &str, rater: &str, human: bool| json!({"answer_id": response, "response": response, "rater": rater, "human": human});
    let rows = [
        rated("a", "ana", true),
        rated("b", "ana", false),
        rated("a", "ben", true),
        rated("b", "ben", true),
        rated("a", "cem", false),
    ];
    let labels = read(&rows, None).unwrap();
    assert_eq!(labels.answers.len(), 2);
    assert_eq!(labels.answers[0].ratings, [1.0, 1.0, 0.0]);
    // A tie fails.
    let passed: Vec<_> = labels.answers.iter().map(|answer| passes(answer, 1.0)).collect();
    assert_eq!(passed, [Some(true), Some(false)]);
    let found = measure(&labels, &[scored(&[1.0]), scored(&[0.0])], 1.0, None).unwrap();
    assert_eq!(found.humans.unwrap().answers, 2);
    assert!(!labels.graded);
    // Without raters, equal rows are separate answers.
    let twice = [json!({"response": "a", "human": true}), json!({"response": "a", "human": false})];
    assert_eq!(read(&twice, None).unwrap().answers.len(), 2);
    // An export with an id for each rating is merged too.
    let exported =
        |id: &str, rater: &str| json!({"answer_id": id, "response": "a", "rater": rater, "human": true});
    assert_eq!(read(&[exported("1", "ana"), exported("2", "ben")], None).unwrap().answers.len(), 1);
    let again = [rated("a", "ana", true), rated("a", "ana", false)];
    assert_eq!(read(&again, None), Err(vec!["label a: ana has already rated this answer".to_owned()]));
}

#[test]
fn ratings_are_joined_by_id_and_answer() {
    let rated = |id: &str, response: &str, rater: &str, human: bool| json!({"answer_id": id, "response": response, "rater": rater, "human": human});
    let raters = ["ana", "ben", "cem"];
    // Two systems gave the same summary, and each of three people rated both.
    let rows: Vec<Value> = ["bart", "t5"]
        .iter()
        .flat_map(|id| raters.map(|rater| rated(id, "the same summary", rater, *id == "bart")))
        .collect();
    let labels = read(&rows, None).unwrap();
    let found: Vec<_> = labels.answers.iter().map(|it| (it.id.as_str(), it.ratings.len())).collect();
    assert_eq!(found, [("bart", 3), ("t5", 3)]);
    // One id for two answers: the answer tells them apart.
    let rows = [rated("d1", "x", "ana", true), rated("d1", "y", "ana", true), rated("d1", "x", "ben", true)];
    assert_eq!(read(&rows, None).unwrap().answers.len(), 2);
    // One person, an id for each row, twice the same text: two answers.
    let rows = [rated("1", "x", "ana", true), rated("2", "x", "ana", false)];
    assert_eq!(read(&rows, None).unwrap().answers.len(), 2);
    // Without ids, the model tells equal answers apart.
    let by_model = |model: &str| json!({"response": "x", "rater": "ana", "model": model, "human": true});
    assert_eq!(read(&[by_model("a"), by_model("b")], None).unwrap().answers.len(), 2);
}

#[test]
fn invalid_rows_are_reported_together() {
    let rows = [
        json!({"human": true}),
        json!({"response": 7, "human": true}),
        json!({"response": "r", "human": "maybe"}),
        json!({"response": "r", "human": 1.5}),
        json!({"response": "r", "human": [true]}),
        json!({"response": "fine", "human": "true"}),
    ];
    let found = read(&rows, None).unwrap_err();
    assert_eq!(found.len(), 5);
    assert!(found[0].starts_with("label 1: `response` must be"), "{}", found[0]);
    assert!(found[3].starts_with("label 4: `human` must be"), "{}", found[3]);
    let texts = [json!({"response": "r", "human": "0.5"}), json!({"response": "r", "human": "false"})];
    let labels = read(&texts, None).unwrap();
    assert_eq!(
        (labels.graded, labels.answers[0].human(), labels.answers[1].human()),
        (true, Some(0.5), Some(0.0))
    );
}

#[test]
fn slices_are_a_column_or_tags_or_models() {
    let of = |rows: &[Value], by: Option<&str>| -> Vec<Vec<String>> {
        read(rows, by).unwrap().answers.into_iter().map(|answer| answer.slices).collect()
    };
    let models = [json!({"response": "r", "model": "m1"}), json!({"response": "r", "topic": 3})];
    assert_eq!(of(&models, None), [vec!["m1".to_owned()], vec![]]);
    assert_eq!(of(&models, Some("topic")), [vec![], vec!["3".to_owned()]]);
    let tagged = [json!({"response": "r", "model": "m1", "tags": ["a", "b"]}), json!({"response": "r"})];
    assert_eq!(of(&tagged, None), [vec!["a".to_owned(), "b".to_owned()], vec![]]);
    assert_eq!(read(&tagged, Some("topics")), Err(vec!["no row has the column `topics`".to_owned()]));
}

#[test]
fn missing_grade_is_counted_and_not_scored() {
    let (labels, mut judged) = verdicts(&[(1.0, 1.0), (0.0, 0.0), (1.0, 1.0)]);
    judged[2] = JudgedAnswer { grades: vec![Grade::unjudged("f", Outcome::Ungraded(None), "prose")] };
    let found = measure(&labels, &judged, 1.0, None).unwrap();
    assert_eq!((found.missing, found.overall.answers), (1, 2));
}

#[test]
fn one_class_gives_no_agreement() {
    let (labels, judged) = verdicts(&times(30, 1.0, 1.0));
    let figures = measure(&labels, &judged, 1.0, None).unwrap().overall;
    assert_eq!((figures.kappa, figures.balanced_accuracy), (None, None));
    assert!(figures.cut_off.is_none() && figures.spearman.is_none());
    assert_eq!(
        measure(&read(&[json!({"response": "r"})], None).unwrap(), &[scored(&[1.0])], 1.0, None),
        None
    );
}

#[test]
fn graded_ratings_pass_from_a_threshold() {
    let (labels, judged) = verdicts(&[(0.8, 1.0), (0.4, 0.0), (1.0, 1.0), (0.0, 0.25)]);
    assert!(labels.graded);
    let at = |pass_at| measure(&labels, &judged, pass_at, None).unwrap().overall;
    assert_eq!((at(1.0).prevalence, at(0.5).prevalence), (0.25, 0.5));
    assert!(at(0.5).weighted_kappa.is_some());
    // The threshold applies to each rating, not to their mean: three of 0.7 pass, and two of three pass.
    let rated = |rater: &str, human: f64| json!({"response": "a", "rater": rater, "human": human});
    let thrice = read(&[rated("x", 0.7), rated("y", 0.7), rated("z", 0.7)], None).unwrap();
    assert_eq!(passes(&thrice.answers[0], 0.7), Some(true));
    let most = read(&[rated("x", 1.0), rated("y", 1.0), rated("z", 0.5)], None).unwrap();
    assert_eq!(passes(&most.answers[0], 1.0), Some(true));
}

#[test]
fn partial_scores_of_failed_answers_are_not_lenient() {
    // Every verdict is right; answers that people fail score 0.75.
    let (labels, judged) = verdicts(&[times(30, 1.0, 1.0), times(30, 0.0, 0.75)].concat());
    let figures = measure(&labels, &judged, 1.0, None).unwrap().overall;
    assert_eq!((figures.bias.unwrap().mean, figures.youden), (0.0, Some(1.0)));
    // The pass rate shows all of a true drop, the mean score a quarter.
    assert_eq!(figures.slope, Some(0.25));
    // Perfect agreement on sixty answers is still uncertain.
    assert!(figures.kappa.unwrap().lower.is_some_and(|lower| lower > 0.8 && lower < 0.95), "{figures:?}");
}

#[test]
fn unrated_answers_are_corrected_with_enough_labels() {
    let mut pairs =
        [times(36, 1.0, 1.0), times(4, 1.0, 0.0), times(6, 0.0, 1.0), times(24, 0.0, 0.0)].concat();
    let (labels, judged) = verdicts(&pairs);
    // Half of the unseen answers pass: (0.5 + 0.8 - 1) / (0.9 + 0.8 - 1).
    let unseen = [vec![1.0; 50], vec![0.0; 50]].concat();
    let found = measure(&labels, &judged, 1.0, Some(&unseen)).unwrap().corrections.unwrap();
    assert_eq!((found.answers, found.judge_passes), (100, 0.5));
    let share = found.share.unwrap();
    assert!((share.mean - 0.3 / 0.7).abs() < 1e-12, "{share:?}");
    assert!(share.lower.unwrap() < share.mean && share.mean < share.upper.unwrap());
    // The judge's mean, plus the mean difference to people on the labels.
    assert!((found.mean.unwrap().mean - (0.5 - 2.0 / 70.0)).abs() < 1e-12);
    // Nineteen bad answers are too few to estimate the errors of the judge.
    pairs.truncate(40 + 19);
    let (labels, judged) = verdicts(&pairs);
    assert_eq!(measure(&labels, &judged, 1.0, Some(&unseen)).unwrap().corrections.unwrap().share, None);
}

/// A judge that supports copies of the context on the first repeat and nothing on the second, whose replies come first.
fn wavering() -> ScriptedModel<'static> {
    let reply = |request: &ChatRequest, _| {
        let payload = UntypedPayload::unwrap(&request.messages[1].content);
        let Some(FaithfulnessPayload { context, answer, .. }) = payload.and_then(|payload| payload.typed())
        else {
            return Err(Fault::new(FaultKind::Rejected, "another task"));
        };
        if answer.contains("key") {
            return Err(Fault::new(FaultKind::Unauthorized, "401"));
        }
        let supported = context.contains(&answer) && request.repeat == 0;
        let verdict = if supported { "supported" } else { "not_found" };
        let entry = json!({"id": 1, "quotes": [context], "reasoning": "r", "verdict": verdict});
        Ok(completion(json!({"statements": [entry]}).to_string()))
    };
    ScriptedModel::new(reply)
        .with_durations(|request| Duration::from_millis(if request.repeat == 0 { 2 } else { 0 }))
}

#[tokio::test]
async fn first_repeat_counts_and_others_give_repeatability() {
    let member = Arc::new(Member::new("j".to_owned(), Map::new()));
    let judge = Judge::new("faithfulness".to_owned(), built_in("faithfulness").unwrap(), vec![member], 1);
    let rows: Vec<Value> = (0..10)
        .map(|index| {
            let response =
                if index < 6 { "Books may be kept for 21 days." } else { "Books are free for all." };
            json!({"response": response, "human": index < 6})
        })
        .collect();
    let labels = read(&rows, None).unwrap();
    let judged = judge_all(&judge, &[&wavering()], &labels.answers, 2, 8, &NullSink).await.unwrap();
    assert!(judged.iter().all(|judged| judged.grades.len() == 2));
    let found = measure(&labels, &judged, 1.0, None).unwrap();
    assert_eq!(found.overall.balanced_accuracy.map(|share| share.mean), Some(1.0));
    let repeatability = found.repeatability.unwrap();
    assert_eq!((repeatability.repeats, repeatability.same_verdict), (2, 0.4));
    assert!(repeatability.alpha.unwrap() < 0.5, "{repeatability:?}");
}

#[tokio::test]
async fn fault_that_ends_a_run_ends_the_calibration() {
    let member = Arc::new(Member::new("j".to_owned(), Map::new()));
    let judge = Judge::new("faithfulness".to_owned(), built_in("faithfulness").unwrap(), vec![member], 1);
    let labels = read(&[json!({"response": "Lose the key.", "human": true})], None).unwrap();
    let ended = judge_all(&judge, &[&wavering()], &labels.answers, 1, 4, &NullSink).await.unwrap_err();
    assert!(matches!(ended, Ended::Stopped(fault) if fault.kind == FaultKind::Unauthorized));
}
