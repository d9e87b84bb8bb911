use super::*;
use crate::fixtures;

fn of(report: &Report) -> (&str, CriterionVerdict) {
    let deciding = deciding(report).expect("a criterion on a score");
    (deciding.criterion.id.as_str(), deciding.criterion.verdict)
}

fn set(report: &mut Report, id: &str, verdict: CriterionVerdict, estimate: f64) {
    let criterion = report.criteria.iter_mut().find(|of| of.id == id).expect("a criterion");
    (criterion.verdict, criterion.estimate) = (verdict, Some(estimate));
}

#[test]
fn undecided_criterion_precedes_larger_passed_drop() {
    let mut report = fixtures::pass();
    set(&mut report, "faithfulness.baseline", CriterionVerdict::Pass, -0.04);
    set(&mut report, "relevance.baseline", CriterionVerdict::Inconclusive, -0.01);
    assert_eq!(of(&report), ("relevance.baseline", CriterionVerdict::Inconclusive));
}

#[test]
fn regression_precedes_failed_minimum() {
    let mut report = fixtures::pass();
    set(&mut report, "relevance.min", CriterionVerdict::Fail, 0.70);
    set(&mut report, "faithfulness.min", CriterionVerdict::Fail, 0.40);
    assert_eq!(of(&report).0, "faithfulness.min");
    set(&mut report, "relevance.baseline", CriterionVerdict::Fail, -0.02);
    assert_eq!(of(&report).0, "relevance.baseline");
}

#[test]
fn passing_run_has_the_largest_drop() {
    let mut report = fixtures::pass();
    set(&mut report, "faithfulness.baseline", CriterionVerdict::Pass, -0.004);
    assert_eq!(of(&report).0, "faithfulness.baseline");
}

#[test]
fn no_baseline_has_the_mean_nearest_to_its_minimum() {
    assert_eq!(of(&fixtures::no_baseline()).0, "relevance.min");
}

#[test]
fn limit_never_decides() {
    let mut report = fixtures::pass();
    report.criteria.retain(|of| of.kind == "limit");
    assert!(!report.criteria.is_empty());
    assert!(deciding(&report).is_none());
}
