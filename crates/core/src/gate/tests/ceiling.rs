//! Suites near the end of the scale: a few equal repeats do not show that there is no noise.

use super::builders::{
    analysis, completed, deterministic, metric, minimum, not_worse, policy, same, single_outcome,
};
use crate::gate::{Policy, decide};
use crate::model::{CriterionVerdict, Ended, MetricScores, Need, Scope};

/// The metric of a suite in which every answer has the score 1.
fn perfect(cases: usize, repeats: usize) -> MetricScores {
    let rows = same(&vec![1.0; repeats], cases);
    metric("m", &rows, Some(&rows))
}

/// The repeats of the look of the default schedule at which a perfect suite passes, if it does.
fn passes_at(cases: usize, criterion: crate::gate::Criterion) -> Option<u32> {
    let policy = Policy { repeats: 3, max_repeats: 24, ..policy(vec![criterion]) };
    let decision = decide(&analysis(vec![perfect(cases, 24)]), &policy, &Ended::Completed);
    let outcome = &decision.criteria[0];
    (outcome.verdict == CriterionVerdict::Pass).then_some(outcome.repeats)
}

#[test]
fn perfect_suite_passes_once_its_repeats_rule_out_the_drop() {
    for (cases, repeats) in
        [(5, Some(24)), (10, Some(12)), (20, Some(6)), (40, Some(3)), (2, None), (1, None)]
    {
        assert_eq!(passes_at(cases, not_worse("m", 0.0)), repeats, "{cases} cases against the baseline");
        assert_eq!(passes_at(cases, minimum("m", 1.0)), repeats, "{cases} cases with a minimum");
    }
}

#[test]
fn need_of_a_perfect_suite_is_the_look_at_which_it_passes() {
    let policy = Policy { repeats: 3, max_repeats: 24, ..policy(vec![not_worse("m", 0.0)]) };
    for (cases, more) in [(5, 21), (10, 9), (20, 3)] {
        let decision = decide(&analysis(vec![perfect(cases, 3)]), &policy, &Ended::Completed);
        assert_eq!(decision.criteria[0].need, Some(Need::Repeats(more)), "{cases} cases");
        assert!(decision.next.is_some_and(|next| next.repeats == 6));
    }
}

#[test]
fn deterministic_suite_passes_at_three_repeats() {
    let run = analysis(vec![deterministic(perfect(5, 3))]);
    let decision = completed(&run, &policy(vec![not_worse("m", 0.0), minimum("m", 1.0)]));
    for outcome in &decision.criteria {
        assert_eq!((outcome.verdict, outcome.method.as_str()), (CriterionVerdict::Pass, "literal"));
    }
}

#[test]
fn repeats_that_differ_later_do_not_unsettle_the_first_look() {
    let scores = MetricScores { deterministic_repeats: 3, ..perfect(5, 6) };
    let policy = Policy { repeats: 3, max_repeats: 6, ..policy(vec![minimum("m", 0.9)]) };
    let decision = decide(&analysis(vec![scores]), &policy, &Ended::Completed);
    assert_eq!((decision.criteria[0].verdict, decision.criteria[0].repeats), (CriterionVerdict::Pass, 3));
}

#[test]
fn single_case_never_passes_by_its_mean_alone() {
    let almost = [0.9, 0.900_1, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9];
    for row in [vec![1.0; 200], almost.to_vec()] {
        let scores = metric("m", std::slice::from_ref(&row), Some(std::slice::from_ref(&row)));
        for criterion in [minimum("m", 0.5), not_worse("m", 0.0)] {
            let outcome = single_outcome(vec![scores.clone()], criterion.clone());
            assert_eq!(outcome.verdict, CriterionVerdict::Inconclusive, "{}", outcome.explanation);
            assert_eq!(outcome.need, None);
            assert!(outcome.explanation.contains("a single case"), "{}", outcome.explanation);
            let outcome = single_outcome(vec![deterministic(scores.clone())], criterion);
            assert_eq!(outcome.verdict, CriterionVerdict::Pass, "{}", outcome.explanation);
        }
    }
}

#[test]
fn loss_without_noise_is_permuted_against_the_baseline() {
    // One of 20 arrangements is as bad: shown at 0.05, not at the first of four looks.
    let scores = metric("m", &same(&[0.0; 3], 1), Some(&same(&[1.0; 3], 1)));
    let outcome = single_outcome(vec![scores.clone()], not_worse("m", 0.0));
    assert_eq!((outcome.verdict, outcome.p), (CriterionVerdict::Fail, Some(0.05)));
    let four = Policy { repeats: 3, max_repeats: 24, ..policy(vec![not_worse("m", 0.0)]) };
    let decision = decide(&analysis(vec![scores]), &four, &Ended::Completed);
    assert_eq!(decision.criteria[0].verdict, CriterionVerdict::Inconclusive);
    assert!(decision.next.is_some());
}

#[test]
fn scores_at_the_end_of_the_scale_have_the_floor_however_little_they_vary() {
    let rows: Vec<Vec<f64>> = (0..5).map(|_| vec![1.0, 0.999, 1.0]).collect();
    let outcome = single_outcome(vec![metric("m", &rows, Some(&rows))], not_worse("m", 0.0));
    assert_eq!(outcome.verdict, CriterionVerdict::Inconclusive, "{outcome:?}");
    let expected = -1.644_853_626_951_472_7 * (5.0 * 0.0475 / 3.0_f64).sqrt() / 5.0;
    assert!(outcome.lower.is_some_and(|lower| lower < expected && lower > expected - 1e-3), "{outcome:?}");
}

#[test]
fn floor_does_not_shrink_with_the_resolution() {
    let strict = Policy { resolution: 0.01, ..policy(vec![not_worse("m", 0.0)]) };
    let outcome = completed(&analysis(vec![perfect(10, 3)]), &strict).criteria.swap_remove(0);
    let expected = -1.644_853_626_951_472_7 * (10.0 * 0.0475 / 3.0_f64).sqrt() / 10.0;
    assert!(outcome.lower.is_some_and(|lower| (lower - expected).abs() < 1e-9), "{outcome:?}");
}

#[test]
fn equal_cases_of_a_population_have_the_floor() {
    let rows = |cases| same(&[0.9], cases);
    let outcome = |cases| {
        let scores = metric("m", &rows(cases), Some(&rows(cases)));
        let wide = Policy { scope: Scope::Population, ..policy(vec![not_worse("m", 0.0)]) };
        completed(&analysis(vec![scores]), &wide).criteria.swap_remove(0)
    };
    assert_eq!(outcome(12).verdict, CriterionVerdict::Inconclusive);
    assert_eq!(outcome(60).verdict, CriterionVerdict::Pass);
}

#[test]
fn floor_never_raises_the_lower_bound() {
    // One noisy case among many equal ones: the floor adds degrees of freedom.
    let mut rows = same(&[1.0; 3], 6);
    rows[0] = vec![0.0, 1.0, 0.0];
    let lower = |scores| single_outcome(vec![scores], minimum("m", 0.1)).lower;
    let scores = metric("m", &rows, None);
    assert!(lower(scores.clone()) <= lower(deterministic(scores)), "{:?}", rows);
}

#[test]
fn declared_application_is_decided_by_one_repeat() {
    let declared = |repeats| {
        let metric = deterministic(perfect(5, repeats));
        MetricScores { declared_deterministic: true, ..metric }
    };
    for repeats in [1, 2, 3] {
        for criterion in [not_worse("m", 0.0), minimum("m", 1.0)] {
            let outcome = single_outcome(vec![declared(repeats)], criterion);
            assert_eq!((outcome.verdict, outcome.method.as_str()), (CriterionVerdict::Pass, "literal"));
        }
    }
    // One lower answer of a case is a loss, and answers that vary are not trusted.
    let lower = metric("m", &[vec![1.0], vec![0.9]], Some(&same(&[1.0], 2)));
    let lower = MetricScores { declared_deterministic: true, ..deterministic(lower) };
    assert_eq!(single_outcome(vec![lower], not_worse("m", 0.0)).verdict, CriterionVerdict::Fail);
    let varying = MetricScores { deterministic_repeats: 1, ..declared(2) };
    assert_eq!(single_outcome(vec![varying], not_worse("m", 0.0)).verdict, CriterionVerdict::Inconclusive);
}
