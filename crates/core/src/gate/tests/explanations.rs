//! Sentences and warnings that match the numbers beside them.

use std::sync::Arc;

use super::builders::{
    analysis, completed, criterion, deterministic, metric, minimum, not_worse, policy, same, single_outcome,
};
use crate::gate::{Bound, Policy, Requirement, Statistic};
use crate::model::{CriterionVerdict, Scope};

const MISSING: f64 = f64::NAN;

#[test]
fn small_loss_is_not_explained_as_the_same() {
    let theirs = same(&[0.9, 0.9, 0.9], 1_000);
    let mut ours = theirs.clone();
    ours[7] = vec![0.87; 3];
    let scores = |theirs| vec![deterministic(metric("m", &ours, theirs))];
    let outcome = single_outcome(scores(Some(&*theirs)), not_worse("m", 0.0));
    assert_eq!(outcome.verdict, CriterionVerdict::Fail);
    assert_eq!(outcome.explanation, "M is 0.003 points lower than the baseline's.");
    let outcome = single_outcome(scores(None), minimum("m", 0.9));
    assert_eq!(outcome.explanation, "M averaged 0.89997, below the required 0.90000.");
}

#[test]
fn explained_bounds_stay_on_the_scale() {
    let rows = vec![vec![1.0, 0.2, 0.9], vec![1.0, 1.0, 0.1]];
    let outcome = single_outcome(vec![metric("m", &rows, None)], minimum("m", 0.9));
    assert_eq!(outcome.verdict, CriterionVerdict::Inconclusive);
    assert_eq!(outcome.upper, Some(1.0), "{outcome:?}");
    assert!(outcome.explanation.contains("as high as 1.00;"), "{}", outcome.explanation);
}

#[test]
fn relative_limit_with_a_gap_reports_a_measured_requirement() {
    let theirs = same(&[100.0, 101.0, 99.0], 20);
    let mut with_gap = theirs.clone();
    with_gap[3][1] = MISSING;
    let requirement = Requirement::Limit { statistic: Statistic::Mean, bound: Bound::MaxIncrease(0.5) };
    let outcome = single_outcome(
        vec![metric("output_tokens", &theirs, Some(&with_gap))],
        criterion("limit.output_tokens_mean", "output_tokens", requirement),
    );
    assert!((outcome.required.unwrap() - 150.0).abs() < 1.0, "{outcome:?}");
    assert!(!outcome.explanation.contains("000000"), "{}", outcome.explanation);
}

#[test]
fn variants_without_common_graded_case_are_incomplete() {
    let (graded, missing) = (vec![0.9; 3], vec![MISSING; 3]);
    let ours = vec![graded.clone(), missing.clone()];
    let theirs = vec![missing, graded];
    let outcome = single_outcome(vec![metric("m", &ours, Some(&theirs))], not_worse("m", 0.0));
    assert_eq!((outcome.verdict, outcome.estimate), (CriterionVerdict::Incomplete, None));
    assert!(outcome.explanation.contains("no case was graded for both"), "{}", outcome.explanation);
}

#[test]
fn gap_does_not_change_the_scope() {
    let mut rows: Vec<Vec<f64>> = (0..20).map(|case| vec![0.9, 0.8, 0.7 + f64::from(case) / 100.0]).collect();
    rows[0] = vec![0.9, MISSING, MISSING];
    let decision = completed(&analysis(vec![metric("m", &rows, None)]), &policy(vec![minimum("m", 0.5)]));
    assert_eq!(decision.metrics[0].scope, Scope::Suite);
}

#[test]
fn groups_count_for_the_baseline_too() {
    let rows: Vec<Vec<f64>> = (0..20).map(|case| vec![f64::from(case / 5) / 5.0, 0.5]).collect();
    let mut run = analysis(vec![metric("m", &rows, Some(&rows))]);
    for (index, case) in Arc::make_mut(&mut run.cases).iter_mut().enumerate() {
        case.group = Some(format!("g{}", index / 5));
    }
    let wide = Policy { scope: Scope::Population, ..policy(vec![not_worse("m", 0.0)]) };
    let summary = completed(&run, &wide).metrics.swap_remove(0);
    assert_eq!(Some(summary.candidate), summary.baseline, "same scores, same groups");
}

#[test]
fn no_noise_warning_names_only_the_noiseless_slice() {
    let mut rows: Vec<Vec<f64>> = (0..20).map(|_| vec![0.9, 0.8, 1.0]).collect();
    rows[0] = vec![0.9; 3];
    let mut run = analysis(vec![deterministic(metric("m", &rows, Some(&rows)))]);
    Arc::make_mut(&mut run.cases)[0].tags = vec!["one".to_owned()];
    Arc::make_mut(&mut run.cases).iter_mut().for_each(|case| case.shared = true);
    let slice = crate::gate::Criterion {
        tag: Some("one".to_owned()),
        ..criterion("slice.one.m.min", "m", Requirement::Minimum { value: 0.5 })
    };
    let decision = completed(&run, &policy(vec![not_worse("m", 0.0), slice]));
    assert!(decision.criteria.iter().all(|outcome| outcome.method == "literal"));
    let noiseless: Vec<&String> = decision.warnings.iter().filter(|it| it.contains("did not vary")).collect();
    assert_eq!(noiseless.len(), 1, "{noiseless:?}");
    assert!(noiseless[0].starts_with("m on cases tagged one did not vary"), "{noiseless:?}");
    assert!(noiseless[0].contains("3 trials are weak evidence"), "{noiseless:?}");
}

#[test]
fn criterion_per_case_is_decided_quickly() {
    let cases = 20_000;
    let rows = same(&[1.0], cases);
    let checks: Vec<_> = (0..5).map(|check| metric(&format!("check.{check}"), &rows, Some(&rows))).collect();
    let must = |case| criterion(&format!("case.c{case}"), "", Requirement::MustPass { case, strict: false });
    let (run, policy) = (analysis(checks), policy((0..cases).map(must).collect()));
    // Takes minutes if every criterion searches all cases.
    let decision = completed(&run, &policy);
    assert_eq!(decision.criteria.len(), cases);
    assert!(decision.criteria.iter().all(|outcome| outcome.verdict == CriterionVerdict::Pass));
}

#[test]
fn too_few_cases_for_a_pass_are_named() {
    let rows: Vec<Vec<f64>> = (0..8).map(|case| vec![if case < 2 { 0.9 } else { 1.0 }]).collect();
    let scores = || vec![metric("m", &rows, Some(&rows))];
    for requirement in [minimum("m", 0.7), not_worse("m", 0.0)] {
        // One repeat, so that the cases count as a sample.
        let outcome = single_outcome(scores(), requirement.clone());
        assert_eq!(outcome.verdict, CriterionVerdict::Inconclusive, "{outcome:?}");
        let few = "but without repeats fewer than 10 cases cannot pass, and there are 8; about 2 more cases";
        assert!(outcome.explanation.contains(few), "{}", outcome.explanation);
        let wide = Policy { scope: Scope::Population, ..policy(vec![requirement]) };
        let outcome = completed(&analysis(scores()), &wide).criteria.swap_remove(0);
        let few = "but fewer than 10 cases cannot pass, and there are 8; about 2 more cases";
        assert!(outcome.explanation.contains(few), "{}", outcome.explanation);
    }
    // With repeats the noise is known, and the number of cases says nothing.
    let rows = same(&[0.9, 1.0, 0.8], 8);
    let outcome = single_outcome(vec![metric("m", &rows, None)], minimum("m", 0.7));
    assert!(!outcome.explanation.contains("cannot pass"), "{}", outcome.explanation);
}

#[test]
fn two_equal_repeats_are_explained_as_too_little_evidence() {
    let scores = deterministic(metric("m", &same(&[0.8, 0.8], 12), None));
    let outcome = single_outcome(vec![scores], minimum("m", 0.85));
    assert_eq!(outcome.verdict, CriterionVerdict::Inconclusive);
    assert_eq!(
        outcome.explanation,
        "M averaged 0.80, below the required 0.85, but there is too little evidence to be sure; about 1 more \
         repeat would settle it."
    );
}

#[test]
fn drawn_p_ignores_case_order() {
    let rows = |factor: u32| -> Vec<Vec<f64>> {
        (0..27).map(|case| (0..3).map(|r| f64::from((case * 5 + r * factor) % 11) / 10.0).collect()).collect()
    };
    let (mut ours, mut theirs) = (rows(3), rows(7));
    for scope in [Scope::Suite, Scope::Population] {
        let p = |ours: &[Vec<f64>], theirs: &[Vec<f64>]| {
            let run = analysis(vec![metric("m", ours, Some(theirs))]);
            let outcome = completed(&run, &Policy { scope, ..policy(vec![not_worse("m", 0.0)]) })
                .criteria
                .swap_remove(0);
            assert!(outcome.method.ends_with("(drawn)"), "{outcome:?}");
            outcome.p
        };
        let before = p(&ours, &theirs);
        ours.reverse();
        theirs.reverse();
        ours.iter_mut().for_each(|row| row.reverse());
        assert_eq!(p(&ours, &theirs), before);
    }
}
