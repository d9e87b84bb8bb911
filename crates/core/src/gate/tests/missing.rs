//! Missing grades, cells that were not asked, and metrics that do not exist.

use std::sync::Arc;

use super::builders::{
    analysis, completed, criterion, deterministic, ended, metric, minimum, not_worse, policy, same,
    single_outcome,
};
use crate::gate::{Bound, Requirement, Statistic};
use crate::model::{CriterionVerdict, Ended, Fault, FaultKind, ReasonCode, Verdict};

const MISSING: f64 = f64::NAN;
const NOT_ASKED: f64 = f64::INFINITY;

fn with_gap(cases: usize, value: f64) -> Vec<Vec<f64>> {
    let mut rows = same(&[0.9, 0.9, 0.9], cases);
    rows[0][0] = value;
    rows
}

#[test]
fn missing_grade_without_effect_keeps_the_verdict() {
    let outcome = single_outcome(vec![metric("m", &with_gap(30, MISSING), None)], minimum("m", 0.8));
    assert_eq!(outcome.verdict, CriterionVerdict::Pass);
    assert!(
        (outcome.estimate.expect("an estimate") - 0.9).abs() < 1e-12,
        "gaps do not count in the estimate"
    );
    assert!(outcome.lower < Some(0.9) && outcome.upper > Some(0.9), "but in the interval");
}

#[test]
fn missing_grade_that_could_change_the_verdict_is_incomplete() {
    let mut rows = same(&[0.76, 0.76, 0.76], 4);
    rows[0][0] = MISSING;
    let run = analysis(vec![deterministic(metric("m", &rows, None))]);
    let decision = completed(&run, &policy(vec![minimum("m", 0.75)]));
    assert_eq!(decision.criteria[0].verdict, CriterionVerdict::Incomplete);
    assert_eq!(decision.verdict, Verdict::Incomplete);
    assert!(decision.reasons.iter().all(|reason| reason.code == ReasonCode::MissingGrades));
    assert!(
        decision.criteria[0].explanation.contains("1 grade is missing"),
        "{}",
        decision.criteria[0].explanation
    );
}

#[test]
fn fail_under_the_best_fill_is_a_fail() {
    let mut rows = same(&[0.2, 0.2, 0.2], 10);
    rows[0] = vec![MISSING; 3];
    let decision = completed(&analysis(vec![metric("m", &rows, None)]), &policy(vec![minimum("m", 0.75)]));
    assert_eq!(decision.verdict, Verdict::Fail);
    assert_eq!(decision.reasons[0].code, ReasonCode::ThresholdMissed);
}

#[test]
fn too_many_missing_grades_are_incomplete() {
    let mut rows = same(&[1.0, 1.0, 1.0], 30);
    rows[0] = vec![MISSING; 3];
    let run = analysis(vec![metric("m", &rows, None)]);
    let decision = completed(&run, &policy(vec![minimum("m", 0.5)]));
    assert_eq!(decision.criteria[0].verdict, CriterionVerdict::Pass);
    assert_eq!(decision.verdict, Verdict::Incomplete);
    assert!(
        decision.reasons[0].message.starts_with("3.3 % of the candidate's grades of m"),
        "{:?}",
        decision.reasons
    );
    let tolerant = crate::gate::Policy { max_missing: 0.04, ..policy(vec![minimum("m", 0.5)]) };
    assert_eq!(completed(&run, &tolerant).verdict, Verdict::Pass);
}

#[test]
fn check_with_missing_trial_is_incomplete_unless_one_fails() {
    let every = || criterion("check.c", "check.c", Requirement::EveryTrial);
    let mut rows = same(&[1.0, 1.0, 1.0], 40);
    rows[0][0] = MISSING;
    let outcome = single_outcome(vec![metric("check.c", &rows, None)], every());
    assert_eq!(outcome.verdict, CriterionVerdict::Incomplete);
    rows[1][0] = 0.0;
    let outcome = single_outcome(vec![metric("check.c", &rows, None)], every());
    assert_eq!(outcome.verdict, CriterionVerdict::Fail);
    assert_eq!(outcome.explanation, "Check c failed on 1 of 119 answers; every answer must pass.");
}

#[test]
fn run_without_grades_never_passes() {
    let rows = same(&[MISSING, MISSING, MISSING], 3);
    for criterion in [
        minimum("m", 0.0),
        not_worse("m", 1.0),
        criterion("x", "m", Requirement::EveryTrial),
        criterion("case.c0", "", Requirement::MustPass { case: 0, strict: false }),
        criterion("broken_cases", "", Requirement::BrokenCases { max: 0 }),
        criterion("x", "m", Requirement::Limit { statistic: Statistic::P50, bound: Bound::Absolute(1e9) }),
    ] {
        let id = criterion.id.clone();
        let outcome = single_outcome(vec![metric("m", &rows, Some(&rows))], criterion);
        assert_eq!(outcome.verdict, CriterionVerdict::Incomplete, "{id}");
    }
    let decision = completed(&analysis(vec![metric("m", &same(&[1.0; 3], 3), None)]), &policy(vec![]));
    assert_eq!(decision.verdict, Verdict::Incomplete, "no criteria, no pass");
    assert!(!decision.reasons.is_empty());
}

#[test]
fn unknown_metric_missing_baseline_or_empty_slice_is_incomplete() {
    let rows = same(&[1.0; 3], 3);
    let unknown = single_outcome(vec![metric("m", &rows, None)], minimum("other", 0.5));
    assert_eq!(unknown.verdict, CriterionVerdict::Incomplete);
    let without_baseline = single_outcome(vec![metric("m", &rows, None)], not_worse("m", 0.0));
    assert_eq!(without_baseline.verdict, CriterionVerdict::Incomplete);
    let ungraded_baseline = single_outcome(
        vec![metric("old", &rows, Some(&rows)), metric("m", &rows, None)],
        not_worse("m", 0.0),
    );
    assert_eq!(ungraded_baseline.verdict, CriterionVerdict::Incomplete);
    assert!(
        ungraded_baseline.explanation.contains("the baseline has no grades for it"),
        "{}",
        ungraded_baseline.explanation
    );
    let slice = crate::gate::Criterion { tag: Some("refunds".to_owned()), ..minimum("m", 0.5) };
    let slice = single_outcome(vec![metric("m", &rows, None)], slice);
    assert_eq!((slice.verdict, slice.kind.as_str()), (CriterionVerdict::Incomplete, "slice"));
}

#[test]
fn case_without_baseline_row_counts_as_missing() {
    let rows = same(&[0.9, 0.8, 1.0], 4);
    let mut run = analysis(vec![metric("m", &rows, Some(&rows))]);
    if let Some(baseline) = &mut run.metrics[0].scores.baseline {
        *baseline = baseline.rows().take(3).chain([None]).map(|row| row.map(<[_]>::to_vec)).collect();
    }
    let decision = completed(&run, &policy(vec![not_worse("m", 0.0)]));
    assert_eq!(decision.verdict, Verdict::Incomplete);
    assert_eq!(decision.metrics[0].baseline.as_ref().map(|baseline| baseline.missing), Some(3));
}

#[test]
fn fail_fast_decides_only_certain_criteria() {
    let checks = metric("check.c", &[vec![0.0, NOT_ASKED, NOT_ASKED], vec![NOT_ASKED; 3]], None);
    let judged = metric("m", &[vec![1.0, NOT_ASKED, NOT_ASKED], vec![NOT_ASKED; 3]], None);
    let run = analysis(vec![checks, judged]);
    let policy = policy(vec![criterion("check.c", "check.c", Requirement::EveryTrial), minimum("m", 0.5)]);
    let decision = ended(&run, &policy, &Ended::FailedFast);
    assert_eq!(decision.verdict, Verdict::Fail);
    assert_eq!(decision.criteria[0].verdict, CriterionVerdict::Fail);
    assert_eq!(decision.criteria[1].verdict, CriterionVerdict::Incomplete);
    assert_eq!(decision.metrics[1].candidate.missing, 0, "a cell that was not asked is not missing");
    assert_eq!(decision.reasons.first().map(|reason| reason.code), Some(ReasonCode::CheckFailed));
    assert_eq!(decision.reasons.last().map(|reason| reason.code), Some(ReasonCode::FailedFast));
}

#[test]
fn stopped_run_is_incomplete_unless_it_failed() {
    let good = analysis(vec![metric("m", &same(&[1.0; 3], 5), None)]);
    let policy = policy(vec![minimum("m", 0.5)]);
    let codes = [
        (FaultKind::MissingCredentials, ReasonCode::MissingCredentials),
        (FaultKind::UnfitJudge, ReasonCode::UnfitJudge),
        (FaultKind::BudgetSpent, ReasonCode::BudgetSpent),
        (FaultKind::Unauthorized, ReasonCode::Endpoint),
        (FaultKind::Interrupted, ReasonCode::Interrupted),
    ];
    for (kind, code) in codes {
        let decision = ended(&good, &policy, &Ended::Stopped(Fault::new(kind, "what happened")));
        assert_eq!(decision.verdict, Verdict::Incomplete);
        assert_eq!((decision.reasons[0].code, decision.reasons[0].message.as_str()), (code, "what happened"));
    }
    assert_eq!(ended(&good, &policy, &Ended::Interrupted).verdict, Verdict::Incomplete);
    let bad = analysis(vec![metric("m", &same(&[0.0; 3], 5), None)]);
    let decision = ended(&bad, &policy, &Ended::Interrupted);
    assert_eq!(decision.verdict, Verdict::Fail);
    assert_eq!(decision.reasons.len(), 2);
}

#[test]
fn gap_of_a_shared_answer_is_equal_for_both_variants() {
    let rows = with_gap(4, MISSING);
    let mut run = analysis(vec![deterministic(metric("m", &rows, Some(&rows)))]);
    Arc::make_mut(&mut run.cases)[0].shared = true;
    let outcome = &completed(&run, &policy(vec![not_worse("m", 0.0)])).criteria[0];
    assert_eq!((outcome.verdict, outcome.estimate), (CriterionVerdict::Pass, Some(0.0)));
    Arc::make_mut(&mut run.cases)[0].shared = false;
    let outcome = &completed(&run, &policy(vec![not_worse("m", 0.0)])).criteria[0];
    assert_ne!(outcome.verdict, CriterionVerdict::Pass);
    assert!(outcome.lower < Some(0.0) && outcome.upper > Some(0.0), "{outcome:?}");
}

#[test]
fn missing_latency_counts_as_unbounded() {
    let limit = |allowed| {
        let requirement = Requirement::Limit { statistic: Statistic::P95, bound: Bound::Absolute(allowed) };
        criterion("limit.latency_p95", "latency", requirement)
    };
    let mut rows: Vec<Vec<f64>> = (0..100).map(|case| vec![1.0 + f64::from(case) / 100.0]).collect();
    rows[0][0] = MISSING;
    let outcome = single_outcome(vec![metric("latency", &rows, None)], limit(3.0));
    assert_eq!(
        outcome.verdict,
        CriterionVerdict::Pass,
        "a percentile tolerates one gap: {}",
        outcome.explanation
    );
    let requirement = Requirement::Limit { statistic: Statistic::Mean, bound: Bound::Absolute(3.0) };
    let outcome = single_outcome(
        vec![metric("latency", &rows, None)],
        criterion("limit.latency_mean", "latency", requirement),
    );
    assert_eq!(outcome.verdict, CriterionVerdict::Incomplete, "a mean does not: {}", outcome.explanation);
    assert!(outcome.upper.is_none_or(|upper| upper < 1e6), "the fill value is not reported");
}

#[test]
fn nothing_answered_has_no_estimates() {
    let rows = same(&[MISSING; 3], 4);
    let run = analysis(vec![metric("check.c", &rows, Some(&rows))]);
    let rules = vec![
        criterion("check.c", "check.c", Requirement::EveryTrial),
        criterion("case.c0", "", Requirement::MustPass { case: 0, strict: false }),
        criterion("broken_cases", "", Requirement::BrokenCases { max: 0 }),
    ];
    let decision = completed(&run, &policy(rules));
    for outcome in &decision.criteria {
        assert_eq!((outcome.verdict, outcome.estimate), (CriterionVerdict::Incomplete, None), "{outcome:?}");
    }
}
