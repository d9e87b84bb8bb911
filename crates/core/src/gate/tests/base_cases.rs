//! Cases that the base lacks do not dilute the decision on those that it has.

use std::sync::Arc;

use super::builders::{analysis, completed, criterion, deterministic, metric, minimum, not_worse, policy};
use crate::gate::Requirement;
use crate::model::{Analysis, CriterionVerdict, ReasonCode, Verdict};

/// The scores of `hard` cases of the base, then of `easy` new ones on which both variants are perfect.
fn run(name: &str, hard: &[(f64, f64)], easy: usize) -> Analysis {
    let rows = |pick: fn(&(f64, f64)) -> f64| -> Vec<Vec<f64>> {
        let scores = hard.iter().map(pick).chain(std::iter::repeat_n(1.0, easy));
        scores.map(|score| vec![score; 4]).collect()
    };
    let (candidate, baseline) = (rows(|it| it.0), rows(|it| it.1));
    let mut analysis = analysis(vec![metric(name, &candidate, Some(&baseline))]);
    for case in Arc::make_mut(&mut analysis.cases).iter_mut().skip(hard.len()) {
        case.added = true;
    }
    analysis
}

#[test]
fn new_easy_cases_do_not_hide_a_missed_minimum() {
    let hard: Vec<(f64, f64)> = (0..20).map(|case| (f64::from(case % 2) * 0.2 + 0.4, 0.9)).collect();
    let policy = policy(vec![minimum("faithfulness", 0.8)]);
    let mut diluted = run("faithfulness", &hard, 400);
    let decision = completed(&diluted, &policy);
    assert_eq!(decision.verdict, Verdict::Fail);
    let outcome = &decision.criteria[0];
    assert_eq!(outcome.verdict, CriterionVerdict::Fail);
    assert!(outcome.explanation.ends_with("Over the 20 cases of the base alone."), "{}", outcome.explanation);
    assert!((outcome.estimate.unwrap() - 0.5).abs() < 1e-9);
    assert_eq!(decision.reasons[0].code, ReasonCode::ThresholdMissed);
    assert_eq!(decision.looks.last().unwrap().verdict, Verdict::Fail);
    // Where all of them are the base's, they pass.
    Arc::make_mut(&mut diluted.cases).iter_mut().for_each(|case| case.added = false);
    assert_eq!(completed(&diluted, &policy).verdict, Verdict::Pass);
}

#[test]
fn new_cases_do_not_hide_a_regression_either() {
    let hard: Vec<(f64, f64)> = (0..12).map(|case| (0.5 + f64::from(case % 3) * 0.05, 0.95)).collect();
    let decision = completed(&run("faithfulness", &hard, 300), &policy(vec![not_worse("faithfulness", 0.1)]));
    assert_eq!(decision.verdict, Verdict::Fail);
    assert_eq!(decision.reasons[0].code, ReasonCode::Regression);
}

#[test]
fn failure_on_the_new_cases_is_a_failure() {
    let mut analysis = run("check.a", &[(1.0, 1.0); 10], 0);
    let cases = Arc::make_mut(&mut analysis.cases);
    cases[9].added = true;
    let scores = &mut analysis.metrics[0].scores;
    scores.candidate =
        (0..10).map(|case| super::builders::row(&[if case == 9 { 0.0 } else { 1.0 }; 4])).collect();
    let every = criterion("check.a", "check.a", Requirement::EveryTrial);
    assert_eq!(completed(&analysis, &policy(vec![every])).verdict, Verdict::Fail);
}

#[test]
fn criteria_that_only_new_cases_have_are_decided_over_all() {
    let analysis = run("check.a", &[(1.0, 1.0); 6], 4);
    let mut tagged = analysis;
    tagged.metrics[0] = deterministic(tagged.metrics[0].clone());
    Arc::make_mut(&mut tagged.cases)[7].tags = vec!["new".to_owned()];
    let mut slice = minimum("check.a", 0.5);
    (slice.id, slice.tag) = ("slice.new.check.a.min".to_owned(), Some("new".to_owned()));
    let must_pass = criterion("case.c7", "", Requirement::MustPass { case: 7, strict: false });
    let of_base = criterion("case.c2", "", Requirement::MustPass { case: 2, strict: false });
    let every = criterion("check.a", "check.a", Requirement::EveryTrial);
    let decision = completed(&tagged, &policy(vec![every, slice, must_pass, of_base]));
    assert_eq!(decision.verdict, Verdict::Pass, "{:?}", decision.reasons);
    assert_eq!(decision.criteria.len(), 4);
}
