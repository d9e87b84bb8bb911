//! Structural refusals: counted, compared, and never a pass of their own.

use std::sync::Arc;

use super::builders::{analysis, completed, criterion, deterministic, matrix, metric, policy, same};
use crate::gate::{Policy, Requirement, Rule, decide};
use crate::model::{Analysis, CriterionVerdict, Ended, ReasonCode, StoredBaseline, VariantScores, Verdict};

/// A run of three repeats of `cases` cases in which every check passes, and the first `ours` and `theirs` answers are
/// refusals; without a baseline where `theirs` is `None`.
fn run(cases: usize, ours: usize, theirs: Option<usize>) -> Analysis {
    let rows = |refused: usize| -> Vec<Vec<f64>> {
        (0..cases).map(|case| (0..3).map(|r| f64::from(u8::from(case * 3 + r < refused))).collect()).collect()
    };
    let passing = same(&[1.0; 3], cases);
    let scores = deterministic(metric("check.c", &passing, theirs.map(|_| &*passing)));
    Analysis {
        refusals: Some(VariantScores {
            candidate: matrix(&rows(ours)),
            baseline: theirs.map(|theirs| matrix(&rows(theirs))),
        }),
        ..analysis(vec![scores])
    }
}

fn checks() -> Policy {
    policy(vec![criterion("check.c", "check.c", Requirement::EveryTrial)])
}

#[test]
fn run_in_which_every_answer_refuses_fails() {
    for theirs in [None, Some(0), Some(30)] {
        let decision = completed(&run(10, 30, theirs), &checks());
        assert_eq!(decision.verdict, Verdict::Fail, "baseline: {theirs:?}");
        assert_eq!(decision.reasons[0].code, ReasonCode::Refusals);
        assert!(
            decision.reasons[0].message.starts_with("all 30 answers are refusals"),
            "{:?}",
            decision.reasons
        );
    }
    let naive = Policy { rule: Rule::Point, ..checks() };
    assert_eq!(completed(&run(10, 30, None), &naive).verdict, Verdict::Fail);
}

#[test]
fn refusals_without_a_baseline_are_a_warning() {
    let decision = completed(&run(10, 3, None), &checks());
    assert_eq!(decision.verdict, Verdict::Pass);
    let warning = "3 of 30 answers are refusals (`refusal` in the response)";
    assert!(decision.warnings.iter().any(|other| other == warning), "{:?}", decision.warnings);
    assert_eq!((decision.refusals.candidate.refused, decision.refusals.p), (3, None));
}

#[test]
fn more_refusals_than_with_the_baseline_fail() {
    // Every repeat of four cases: p = 1 / 20^4.
    let decision = completed(&run(10, 12, Some(0)), &checks());
    assert_eq!(decision.verdict, Verdict::Fail);
    assert_eq!(decision.reasons[0].code, ReasonCode::Refusals);
    assert!(decision.reasons[0].message.contains("with the baseline 0 of 30: more than chance"));
    // One case: p = 1 / 20, above the 0.005 of one look.
    let decision = completed(&run(10, 3, Some(0)), &checks());
    assert_eq!((decision.verdict, decision.refusals.p), (Verdict::Pass, Some(0.05)));
    assert!(decision.refusals.alpha.is_some_and(|alpha| (alpha - 0.005).abs() < 1e-12));
    assert_eq!(
        completed(&run(10, 12, Some(12)), &checks()).verdict,
        Verdict::Pass,
        "as many with the baseline"
    );
}

#[test]
fn refusals_take_their_alpha_from_the_criteria_and_buy_no_repeats() {
    // p = 1 / 20 is within 0.05, but not within the 0.045 that is left.
    let lower = metric("m", &[vec![0.4, 0.5, 0.3]], Some(&[vec![0.6, 0.7, 0.8]]));
    let rule = || policy(vec![super::builders::not_worse("m", 0.0)]);
    let without = analysis(vec![lower.clone()]);
    assert_eq!(completed(&without, &rule()).criteria[0].verdict, CriterionVerdict::Fail);
    let one = |refused: f64| matrix(&[vec![refused, 0.0, 0.0]]);
    let with = Analysis {
        refusals: Some(VariantScores { candidate: one(1.0), baseline: Some(one(0.0)) }),
        ..without
    };
    assert_eq!(completed(&with, &rule()).criteria[0].verdict, CriterionVerdict::Inconclusive);
    let four = Policy { repeats: 3, max_repeats: 24, ..checks() };
    assert_eq!(decide(&run(10, 3, Some(0)), &four, &Ended::Completed).next, None);
}

#[test]
fn cases_that_may_be_refused_are_not_counted() {
    let mut refused = run(10, 30, Some(0));
    Arc::make_mut(&mut refused.cases)[1..].iter_mut().for_each(|case| case.may_refuse = true);
    let decision = completed(&refused, &checks());
    assert_eq!((decision.refusals.candidate.refused, decision.refusals.candidate.answers), (3, 3));
    Arc::make_mut(&mut refused.cases)[0].may_refuse = true;
    assert_eq!(completed(&refused, &checks()).verdict, Verdict::Pass);
}

#[test]
fn refusals_against_a_stored_baseline_wait_for_fresh_answers() {
    let stored = StoredBaseline { date: "2026-01-01".to_owned(), ..StoredBaseline::default() };
    let run = Analysis { stored_baseline: Some(stored), ..run(10, 12, Some(0)) };
    let decision = completed(&run, &checks());
    assert_eq!((decision.verdict, decision.is_unconfirmed()), (Verdict::Inconclusive, true));
    assert_eq!(decision.reasons[0].code, ReasonCode::Refusals);
}
