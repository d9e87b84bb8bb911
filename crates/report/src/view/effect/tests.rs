use super::*;
use crate::fixtures;

fn of(report: &Report) -> Effect {
    effect(report, str::to_owned).expect("a criterion on a score")
}

fn set(report: &mut Report, id: &str, verdict: CriterionVerdict, numbers: (f64, f64, f64)) {
    let criterion = report.criteria.iter_mut().find(|of| of.id == id).expect("a criterion");
    criterion.verdict = verdict;
    criterion.estimate = Some(numbers.0);
    (criterion.lower, criterion.upper) = (Some(numbers.1), Some(numbers.2));
}

#[test]
fn effect_interval_comes_from_the_criterion_and_its_look() {
    let mut report = fixtures::fail();
    set(&mut report, "faithfulness.baseline", CriterionVerdict::Fail, (-0.083, -0.15, -0.011));
    for criterion in &mut report.criteria {
        criterion.alpha = 0.025;
    }
    let effect = of(&report);
    assert_eq!((effect.kind, effect.name.as_str()), (EffectKind::Regression, "faithfulness"));
    assert_eq!(effect.size, "−0.083");
    assert_eq!(effect.interval.as_deref(), Some("−0.150 to −0.011"));
    assert_eq!(effect.confidence, "97.5 %");
    assert_eq!((effect.baseline.as_str(), effect.candidate.as_str()), ("1.000", "0.722"));
}

#[test]
fn undecided_criterion_precedes_larger_passed_drop() {
    let mut report = fixtures::pass();
    set(&mut report, "faithfulness.baseline", CriterionVerdict::Pass, (-0.04, -0.049, -0.031));
    set(&mut report, "relevance.baseline", CriterionVerdict::Inconclusive, (-0.01, -0.08, 0.06));
    let effect = of(&report);
    assert_eq!((effect.kind, effect.name.as_str()), (EffectKind::UndecidedDifference, "relevance"));
    assert_eq!(effect.size, "−0.010");
}

#[test]
fn undecided_minimum_is_shown_as_a_mean() {
    let mut report = fixtures::pass();
    set(&mut report, "relevance.min", CriterionVerdict::Inconclusive, (0.82, 0.71, 0.93));
    let effect = of(&report);
    assert_eq!((effect.kind, effect.name.as_str()), (EffectKind::UndecidedMean, "relevance"));
    assert_eq!((effect.size.as_str(), effect.required.as_str()), ("0.820", "≥ 0.800"));
    assert_eq!(effect.interval.as_deref(), Some("0.710 to 0.930"));
}

#[test]
fn regression_precedes_failed_minimum() {
    let mut report = fixtures::pass();
    set(&mut report, "relevance.min", CriterionVerdict::Fail, (0.70, 0.65, 0.75));
    set(&mut report, "faithfulness.min", CriterionVerdict::Fail, (0.40, 0.35, 0.45));
    let effect = of(&report);
    assert_eq!((effect.kind, effect.name.as_str()), (EffectKind::BelowMinimum, "faithfulness"));
    set(&mut report, "relevance.baseline", CriterionVerdict::Fail, (-0.02, -0.03, -0.01));
    assert_eq!((of(&report).kind, of(&report).name.as_str()), (EffectKind::Regression, "relevance"));
}

#[test]
fn passing_run_shows_largest_drop_else_smallest_change() {
    let mut report = fixtures::pass();
    set(&mut report, "faithfulness.baseline", CriterionVerdict::Pass, (-0.004, -0.02, 0.012));
    let effect = of(&report);
    assert_eq!((effect.kind, effect.name.as_str()), (EffectKind::Drop, "faithfulness"));
    set(&mut report, "faithfulness.baseline", CriterionVerdict::Pass, (0.04, 0.03, 0.05));
    // The check has no criterion against the baseline; its difference is the metric's.
    let effect = of(&report);
    assert_eq!((effect.kind, effect.name.as_str()), (EffectKind::NoDrop, "check.json_schema"));
    assert_eq!((effect.size.as_str(), effect.confidence.as_str()), ("0.000", "95 %"));
}

#[test]
fn no_baseline_shows_mean_nearest_to_its_minimum() {
    let report = fixtures::no_baseline();
    let effect = of(&report);
    assert_eq!(effect.kind, EffectKind::Nearest);
    assert_eq!((effect.name.as_str(), effect.size.as_str()), ("relevance", "1.000"));
    assert_eq!(effect.required, "≥ 0.800");
}

#[test]
fn slice_effect_names_its_tag() {
    let mut report = fixtures::pass();
    let mut slice = report.criteria.iter().find(|of| of.id == "faithfulness.min").cloned().expect("it");
    slice.id = "slice.a.b.faithfulness.min".to_owned();
    slice.kind = "slice".to_owned();
    slice.verdict = CriterionVerdict::Fail;
    report.criteria.push(slice);
    assert_eq!(of(&report).name, "faithfulness on cases tagged a.b");
}

#[test]
fn limit_has_no_effect() {
    let mut report = fixtures::pass();
    report.criteria.retain(|of| of.kind == "limit");
    assert!(!report.criteria.is_empty());
    assert!(effect(&report, str::to_owned).is_none());
}
