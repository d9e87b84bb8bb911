//! Literal rules that know the baseline's rate.

use super::builders::{analysis, completed, criterion, metric, minimum, policy, single_outcome};
use crate::gate::{Criterion, Requirement};
use crate::model::{CriterionVerdict, MetricScores, ReasonCode};

/// One row of 30 cases: all repeats pass but the first of `failing` cases.
fn failing_once(failing: &[usize]) -> Vec<Vec<f64>> {
    let row = |case: usize| vec![f64::from(u8::from(!failing.contains(&case))), 1.0, 1.0];
    (0..30).map(row).collect()
}

fn check(ours: &[Vec<f64>], theirs: &[Vec<f64>]) -> MetricScores {
    metric("check.c", ours, Some(theirs))
}

#[test]
fn failing_check_names_the_rate_of_its_baseline() {
    let every = || criterion("check.c", "check.c", Requirement::EveryTrial);
    let sentence = |ours: &[usize], theirs: &[usize]| {
        let outcome = single_outcome(vec![check(&failing_once(ours), &failing_once(theirs))], every());
        assert_eq!(outcome.verdict, CriterionVerdict::Fail, "it stays red");
        outcome.explanation
    };
    assert_eq!(
        sentence(&[1, 2], &[3, 4, 5]),
        "Check c failed on 2 of 90 answers; every answer must pass; the baseline fails it as often (3 of 90): not caused \
         by this change."
    );
    assert!(
        sentence(&[1, 2], &[3])
            .ends_with("the baseline fails it too (1 of 90), and the difference may be chance.")
    );
    assert!(sentence(&[1, 2], &[]).ends_with("every answer must pass."));
    let many: Vec<usize> = (0..20).collect();
    assert!(sentence(&many, &[3]).ends_with("every answer must pass."), "20 against 1 is beyond chance");
}

#[test]
fn no_new_failures_gates_cases_that_passed_before() {
    let rule = || criterion("check.c", "check.c", Requirement::NoNewFailures);
    let outcome = |ours: &[usize], theirs: &[usize]| {
        single_outcome(vec![check(&failing_once(ours), &failing_once(theirs))], rule())
    };
    assert_eq!(outcome(&[3, 4], &[3, 4]).verdict, CriterionVerdict::Pass);
    assert_eq!(outcome(&[4], &[3, 4]).verdict, CriterionVerdict::Pass);
    let new = outcome(&[3, 5], &[3, 4]);
    assert_eq!((new.verdict, new.kind.as_str()), (CriterionVerdict::Fail, "check"));
    assert!(new.explanation.contains("cases that passed before"), "{}", new.explanation);
    let mut ours = failing_once(&[]);
    ours[7][1] = f64::NAN;
    let gap = single_outcome(vec![check(&ours, &failing_once(&[]))], rule());
    assert_eq!(gap.verdict, CriterionVerdict::Incomplete, "the missing answer could be a new failure");
    let run = analysis(vec![check(&failing_once(&[5]), &failing_once(&[]))]);
    assert_eq!(completed(&run, &policy(vec![rule()])).reasons[0].code, ReasonCode::CheckFailed);
}

#[test]
fn must_pass_case_that_flickers_with_the_baseline_is_flaky() {
    let outcome = |ours: [f64; 3], theirs: [f64; 3], strict| {
        let rule = criterion("case.c0", "", Requirement::MustPass { case: 0, strict });
        let scores = check(&[ours.to_vec()], &[theirs.to_vec()]);
        let decision = completed(&analysis(vec![scores]), &policy(vec![rule]));
        (decision.criteria[0].clone(), decision.warnings)
    };
    let (flaky, warnings) = outcome([1.0, 0.0, 0.0], [1.0, 1.0, 0.0], false);
    assert_eq!((flaky.verdict, flaky.method.as_str()), (CriterionVerdict::Pass, "flaky"));
    assert!(
        flaky.explanation.contains("passed in 1 of its 3 trials, and in 2 of 3"),
        "{}",
        flaky.explanation
    );
    assert!(warnings.iter().any(|warning| warning.contains("is flaky")), "{warnings:?}");
    use CriterionVerdict::{Fail, Inconclusive};
    for (ours, theirs, strict, expected) in [
        ([1.0, 0.0, 0.0], [1.0, 1.0, 0.0], true, Fail),
        ([1.0, 0.0, 0.0], [1.0, 1.0, 1.0], false, Fail),
        ([1.0, 1.0, 0.0], [1.0, 1.0, 1.0], false, Inconclusive),
        // It does not flicker: it never passes.
        ([0.0, 0.0, 0.0], [1.0, 0.0, 0.0], false, Fail),
        ([0.0, 0.0, 0.0], [0.0, 0.0, 0.0], false, Fail),
        ([1.0, 0.0, 0.0], [0.0, 0.0, 0.0], false, Fail),
    ] {
        let (outcome, _) = outcome(ours, theirs, strict);
        assert_eq!(outcome.verdict, expected, "{ours:?} against {theirs:?}: {}", outcome.explanation);
    }
}

#[test]
fn much_worse_must_pass_case_is_not_flaky() {
    let row = |passes: usize| -> Vec<f64> { (0..12).map(|r| f64::from(u8::from(r < passes))).collect() };
    let rule = criterion("case.c0", "", Requirement::MustPass { case: 0, strict: false });
    // Fisher's p of 5 against 11 of 12 is 0.0134.
    let outcome = single_outcome(vec![check(&[row(5)], &[row(11)])], rule);
    assert_eq!(outcome.verdict, CriterionVerdict::Fail);
}

#[test]
fn what_the_change_caused_comes_first() {
    // Case 0 passed and fails now; `weak` is as low as before.
    let before = vec![vec![1.0; 3]; 4];
    let mut after = before.clone();
    after[0] = vec![0.0; 3];
    let low: Vec<Vec<f64>> = (0..4).map(|case| vec![0.3 + 0.01 * f64::from(case); 3]).collect();
    let must_pass = criterion("case.c0", "", Requirement::MustPass { case: 0, strict: false });
    let every = criterion("check.c", "check.c", Requirement::EveryTrial);
    let reasons = |criteria, metrics| -> Vec<String> {
        let decision = completed(&analysis(metrics), &policy(criteria));
        decision.reasons.into_iter().map(|reason| reason.message).collect()
    };
    let weak = || metric("weak", &low, Some(&low));
    let found = reasons(vec![minimum("weak", 0.8), every.clone()], vec![weak(), check(&after, &before)]);
    assert_eq!(found[0], "Check c failed on 3 of 12 answers; every answer must pass.");
    assert!(found[1].ends_with("; the baseline averages 0.32: not caused by this change."), "{}", found[1]);
    let must_pass_reason = |metrics, criteria: &[Criterion]| {
        let criteria = criteria.iter().cloned().chain([must_pass.clone()]).collect();
        reasons(criteria, metrics).into_iter().find(|reason| reason.starts_with("Case")).expect("a reason")
    };
    assert_eq!(
        must_pass_reason(vec![check(&after, &before)], &[every]),
        "Case c0 must pass, but none of its 3 trials did (with the baseline 3 of 3)."
    );
    assert_eq!(
        must_pass_reason(vec![weak()], &[minimum("weak", 0.8)]),
        "Case c0 must pass, but none of its 3 trials did (with the baseline 0 of 3): not caused by this change."
    );
}
