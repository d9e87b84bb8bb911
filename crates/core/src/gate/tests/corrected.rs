//! Minimums held against a mean that labels correct.

use proptest::prelude::RngExt as _;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;

use super::builders::{analysis, completed, deterministic, metric, minimum, policy, same, single_outcome};
use crate::gate::{Criterion, decide};
use crate::model::{CriterionVerdict, Ended, Need, Policy};
use crate::stats::LabeledMoments;

fn corrected(required: f64, labels: LabeledMoments) -> Criterion {
    Criterion { labels: Some(labels), ..minimum("m", required) }
}

/// `answers` labels of which people pass 80 % and the judge 10 points more.
fn too_kind(answers: usize) -> LabeledMoments {
    let share = |part: usize, count: usize| f64::from(u8::from(part < count));
    let human: Vec<f64> = (0..answers).map(|row| share(row % 10, 8)).collect();
    let judge: Vec<f64> = (0..answers).map(|row| share(row % 10, 9)).collect();
    LabeledMoments::of(&human, &judge).expect("labels")
}

/// Cases whose repeats vary around 0.9.
fn around_ninety() -> Vec<Vec<f64>> {
    same(&[1.0, 0.9, 0.8, 0.9], 30)
}

#[test]
fn bias_of_the_judge_is_removed_from_a_minimum() {
    let scores = || vec![metric("m", &around_ninety(), None)];
    let raw = single_outcome(scores(), minimum("m", 0.85));
    assert_eq!((raw.verdict, raw.corrected), (CriterionVerdict::Pass, None));
    let outcome = single_outcome(scores(), corrected(0.85, too_kind(1000)));
    let correction = outcome.corrected.expect("a correction");
    assert!((correction.judged - 0.9).abs() < 1e-9 && correction.labels == 1000, "{correction:?}");
    assert!(outcome.estimate.is_some_and(|estimate| (estimate - 0.8).abs() < 1e-9), "{outcome:?}");
    assert_eq!(outcome.verdict, CriterionVerdict::Fail, "{}", outcome.explanation);
    assert!(
        outcome.explanation.contains("corrected by 1000 labels from 0.90 (lambda 0."),
        "{}",
        outcome.explanation
    );
    assert!(
        outcome.explanation.contains("averaged 0.80, below the required 0.85"),
        "{}",
        outcome.explanation
    );
    let enough = single_outcome(scores(), corrected(0.75, too_kind(1000)));
    assert_eq!(enough.verdict, CriterionVerdict::Pass, "{}", enough.explanation);
}

#[test]
fn few_labels_decide_nothing_however_many_answers() {
    let rows = same(&[0.9; 24], 200);
    for scores in [metric("m", &rows, None), deterministic(metric("m", &rows, None))] {
        let outcome = single_outcome(vec![scores], corrected(0.78, too_kind(20)));
        assert_eq!(outcome.verdict, CriterionVerdict::Inconclusive, "{}", outcome.explanation);
        // No number of repeats makes up for labels.
        assert_eq!(outcome.need, None);
    }
    // Labels without any disagreement do not show that there are none.
    let human: Vec<f64> = (0..20).map(|row| f64::from(u8::from(row % 10 < 9))).collect();
    let agreeing = LabeledMoments::of(&human, &human).expect("labels");
    let scores = vec![deterministic(metric("m", &rows, None))];
    let outcome = single_outcome(scores.clone(), corrected(0.9, agreeing));
    assert_eq!(outcome.verdict, CriterionVerdict::Inconclusive, "{}", outcome.explanation);
    let many = LabeledMoments { answers: 400, ..agreeing };
    let outcome = single_outcome(scores, corrected(0.9, many));
    assert_eq!(outcome.verdict, CriterionVerdict::Pass, "{}", outcome.explanation);
}

#[test]
fn need_of_repeats_counts_the_error_of_labels() {
    let noisy = same(&[1.0, 0.0, 1.0], 30);
    let run = analysis(vec![metric("m", &noisy, None)]);
    let need = |labels| {
        let policy = Policy { repeats: 3, max_repeats: 96, ..policy(vec![corrected(0.5, labels)]) };
        decide(&run, &policy, &Ended::Completed).criteria[0].need
    };
    assert!(matches!(need(too_kind(4000)), Some(Need::Repeats(_)) | None));
    let outcome = completed(&run, &policy(vec![corrected(0.9, too_kind(200))])).criteria.remove(0);
    assert_eq!(outcome.verdict, CriterionVerdict::Fail, "{}", outcome.explanation);
}

#[test]
fn loose_judge_and_answers_of_another_kind_are_warned_of() {
    let decision = |labels: LabeledMoments| {
        completed(&analysis(vec![metric("m", &around_ninety(), None)]), &policy(vec![corrected(0.5, labels)]))
    };
    let warned = |labels, words: &str| {
        let warnings = decision(labels).warnings;
        assert!(warnings.iter().any(|warning| warning.contains(words)), "{warnings:?}");
    };
    let labels = too_kind(1000);
    warned(LabeledMoments { covariance: labels.covariance / 4.0, ..labels }, "follows people so loosely");
    warned(LabeledMoments { judge_mean: 0.7, ..labels }, "label answers of this prompt");
    let quiet = decision(labels).warnings;
    assert!(!quiet.iter().any(|warning| warning.contains("label")), "{quiet:?}");
}

/// Answers of which people pass 80 %, by a judge that passes 10 points more: it errs on half of the bad ones.
fn draw(random: &mut ChaCha8Rng, answers: usize) -> (Vec<f64>, Vec<f64>) {
    let verdict = |passed: bool| f64::from(u8::from(passed));
    (0..answers)
        .map(|_| {
            let good = random.random_bool(0.8);
            (verdict(good), verdict(good || random.random_bool(0.5)))
        })
        .unzip()
}

/// Over 2,000 draws of labels and answers: the corrected mean has no bias where the judge's has 10 points, its bounds miss the
/// truth about as often as they say, and a minimum at the truth fails no more often than alpha.
#[test]
fn corrected_bounds_cover_the_mean_that_people_would_give() {
    const SEED: u64 = 260_105_420;
    const RUNS: usize = 2000;
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let population =
        |labels| Policy { scope: crate::model::Scope::Population, ..policy(vec![corrected(0.8, labels)]) };
    let (mut sum, mut raw, mut below, mut above, mut failed) = (0.0, 0.0, 0, 0, 0);
    for _ in 0..RUNS {
        let (human, judge) = draw(&mut random, 200);
        let labels = LabeledMoments::of(&human, &judge).expect("labels");
        let (_, scores) = draw(&mut random, 100);
        let rows: Vec<Vec<f64>> = scores.into_iter().map(|score| vec![score]).collect();
        let outcome =
            completed(&analysis(vec![metric("m", &rows, None)]), &population(labels)).criteria.remove(0);
        sum += outcome.estimate.expect("an estimate");
        raw += outcome.corrected.expect("a correction").judged;
        above += usize::from(outcome.lower.is_some_and(|lower| lower > 0.8));
        below += usize::from(outcome.upper.is_some_and(|upper| upper < 0.8));
        failed += usize::from(outcome.verdict == CriterionVerdict::Fail);
    }
    let share = |count: usize| count as f64 / RUNS as f64;
    let (mean, raw) = (sum / RUNS as f64, raw / RUNS as f64);
    let found = format!(
        "seed {SEED}, {RUNS} runs: judge {raw:.4}, corrected {mean:.4}, truth 0.8; lower bound above it {:.4}, upper bound below \
         it {:.4}, failed {:.4}",
        share(above),
        share(below),
        share(failed)
    );
    println!("{found}");
    assert!((raw - 0.9).abs() < 0.005, "{found}");
    assert!((mean - 0.8).abs() < 0.003, "{found}");
    // 0.05 with four standard errors of 2,000 draws. The lower bound has a floor, so it may miss less often.
    assert!(share(above) < 0.07 && (0.03..0.07).contains(&share(below)) && share(failed) < 0.07, "{found}");
}
