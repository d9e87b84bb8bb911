//! Several looks: when more repeats follow, which criteria stay settled, and how much alpha each look spends.

use super::builders::{analysis, criterion, deterministic, metric, minimum, not_worse, policy, same};
use crate::gate::{Criterion, Policy, Requirement, decide};
use crate::model::{Analysis, CriterionVerdict, Decision, Ended, Fault, FaultKind, Need, Verdict};

const MISSING: f64 = f64::NAN;
const NOT_ASKED: f64 = f64::INFINITY;

/// Scores that vary between the repeats of a case, around this mean.
fn noisy(mean: f64, cases: usize, repeats: usize) -> Vec<Vec<f64>> {
    let offsets = [0.2, -0.2, 0.0, -0.1, 0.1, 0.0];
    let row =
        |case: usize| (0..repeats).map(|repeat| mean + offsets[(case + repeat) % offsets.len()]).collect();
    (0..cases).map(row).collect()
}

fn looks(first: u32, last: u32, criteria: Vec<Criterion>) -> Policy {
    Policy { repeats: first, max_repeats: last, ..policy(criteria) }
}

fn decided(run: &Analysis, policy: &Policy) -> Decision {
    decide(run, policy, &Ended::Completed)
}

fn verdicts(decision: &Decision) -> Vec<CriterionVerdict> {
    decision.criteria.iter().map(|outcome| outcome.verdict).collect()
}

#[test]
fn undecided_criteria_request_next_look_with_their_metrics() {
    let criteria = vec![minimum("a", 0.7), minimum("b", 0.5), not_worse("a", 0.0)];
    let run = analysis(vec![
        metric("a", &noisy(0.7, 4, 3), Some(&noisy(0.7, 4, 3))),
        metric("b", &same(&[0.9; 3], 4), Some(&same(&[0.9; 3], 4))),
    ]);
    let decision = decided(&run, &looks(3, 24, criteria));
    assert_eq!(decision.verdict, Verdict::Inconclusive);
    let next = decision.next.expect("more repeats");
    assert_eq!((next.repeats, next.metrics), (6, vec!["a".to_owned()]));
    assert_eq!(next.undecided, ["a.min", "a.baseline"]);
    assert_eq!(decision.looks.len(), 1);
    assert_eq!((decision.criteria[0].repeats, decision.criteria[0].alpha), (3, 0.05 * 0.125));
}

#[test]
fn single_look_requests_no_other() {
    let run = analysis(vec![metric("a", &noisy(0.7, 4, 3), None)]);
    let decision = decided(&run, &looks(3, 3, vec![minimum("a", 0.7)]));
    assert_eq!((decision.verdict, decision.next), (Verdict::Inconclusive, None));
}

#[test]
fn needed_repeats_settle_if_the_schedule_ends_there() {
    // Half of the cases alternate against the other half, so the estimate does not depend on the repeats.
    let score = |case: usize, repeat: usize| if (case + repeat).is_multiple_of(2) { 0.85 } else { 0.55 };
    let decide = |cases: usize, repeats: usize, last: u32| {
        let row = |case| (0..repeats).map(|repeat| score(case, repeat)).collect();
        let rows: Vec<Vec<f64>> = (0..cases).map(row).collect();
        decided(&analysis(vec![metric("a", &rows, None)]), &looks(3, last, vec![minimum("a", 0.7)]))
    };
    let mut tried = 0;
    for cases in [2, 4, 6, 8] {
        let open = decide(cases, 6, 6);
        let Some(Need::Repeats(more)) = open.criteria[0].need else { continue };
        let total = 6 + more;
        let settled = decide(cases, total, u32::try_from(total).expect("few repeats"));
        assert_eq!(verdicts(&settled), [CriterionVerdict::Pass], "{cases} cases, {total} repeats");
        tried += 1;
    }
    assert!(tried >= 3, "{tried}");
}

#[test]
fn reused_baseline_needs_no_repeats() {
    let mut run = analysis(vec![metric("a", &noisy(0.7, 3, 6), Some(&noisy(0.71, 3, 6)))]);
    let open = decided(&run, &looks(3, 6, vec![not_worse("a", 0.0)]));
    assert!(matches!(open.criteria[0].need, Some(Need::Repeats(_))), "{:?}", open.criteria[0]);
    run.baseline_reused = true;
    let open = decided(&run, &looks(3, 6, vec![not_worse("a", 0.0)]));
    assert_eq!((open.criteria[0].verdict, open.criteria[0].need), (CriterionVerdict::Inconclusive, None));
}

#[test]
fn pass_by_bound_reports_repeats_to_hold() {
    let criteria = vec![minimum("a", 0.68), minimum("b", 0.7)];
    let run = analysis(vec![
        metric("a", &noisy(0.7, 6, 6), None),
        deterministic(metric(
            "b",
            &noisy(0.7, 3, 6).into_iter().chain(same(&[0.7; 6], 3)).collect::<Vec<_>>(),
            None,
        )),
    ]);
    let decision = decided(&run, &looks(3, 6, criteria));
    assert_eq!(decision.criteria[0].verdict, CriterionVerdict::Pass);
    assert!(decision.repeats_to_hold["a"] > 6, "{:?}", decision.repeats_to_hold);
    let none = decided(
        &analysis(vec![deterministic(metric("a", &same(&[0.9; 3], 4), None))]),
        &looks(3, 6, vec![minimum("a", 0.5)]),
    );
    assert_eq!((none.verdict, none.repeats_to_hold.is_empty()), (Verdict::Pass, true));
}

#[test]
fn settled_criterion_passes_without_more_grades() {
    // `a` has no noise in three repeats and passes, so it is not graded any more.
    let rows = same(&[0.9, 0.9, 0.9, NOT_ASKED, NOT_ASKED, NOT_ASKED], 4);
    let mut first = metric("a", &rows, None);
    first.repeats = 3;
    let run = analysis(vec![first, metric("b", &noisy(0.7, 4, 6), None)]);
    let decision = decided(&run, &looks(3, 6, vec![minimum("a", 0.75), minimum("b", 0.7)]));
    assert_eq!(verdicts(&decision), [CriterionVerdict::Pass, CriterionVerdict::Inconclusive]);
    assert_eq!((decision.criteria[0].repeats, decision.criteria[1].repeats), (3, 6));
    assert_eq!(decision.looks.len(), 2);
    let later = &decision.looks[1].criteria[0];
    assert_eq!((later.verdict, later.estimate, later.p), (CriterionVerdict::Pass, None, None));
    assert_eq!(decision.metrics[0].candidate.missing, 0);
}

#[test]
fn settled_criterion_stays_in_the_family() {
    // One of 924 arrangements is as bad: p = 0.00108, below the alpha of the last look, 0.0015; twice p is above it.
    let (mut rows, mut theirs) = (vec![vec![0.5; 6]], vec![vec![0.6; 6]]);
    for repeat in 0..6 {
        rows[0][repeat] += repeat as f64 / 1e3;
        theirs[0][repeat] += repeat as f64 / 1e3;
    }
    let worse = || metric("a", &rows, Some(&theirs));
    let steady = deterministic(metric("b", &[vec![0.9; 6]], Some(&[vec![0.9; 6]])));
    let strict = |criteria| Policy { confidence: 0.997, ..looks(3, 6, criteria) };
    let alone = decided(&analysis(vec![worse()]), &strict(vec![not_worse("a", 0.0)]));
    assert_eq!(verdicts(&alone), [CriterionVerdict::Fail]);
    assert_eq!(alone.looks[0].verdict, Verdict::Inconclusive);
    let both = analysis(vec![worse(), steady]);
    let both = decided(&both, &strict(vec![not_worse("a", 0.0), minimum("b", 0.5)]));
    assert_eq!(verdicts(&both), [CriterionVerdict::Inconclusive, CriterionVerdict::Pass]);
}

#[test]
fn failure_requests_no_next_look() {
    let run =
        analysis(vec![metric("a", &same(&[0.2, 0.3, 0.2], 8), None), metric("b", &noisy(0.7, 8, 3), None)]);
    let decision = decided(&run, &looks(3, 24, vec![minimum("a", 0.75), minimum("b", 0.7)]));
    assert_eq!((decision.verdict, decision.next), (Verdict::Fail, None));
}

#[test]
fn check_is_decided_again_over_all_trials() {
    let mut rows = same(&[1.0; 6], 4);
    rows[2][4] = 0.0;
    let run = analysis(vec![metric("check.c", &rows, None)]);
    let every = criterion("check.c", "check.c", Requirement::EveryTrial);
    let decision = decided(&run, &looks(3, 6, vec![every]));
    assert_eq!((decision.looks[0].verdict, decision.verdict), (Verdict::Pass, Verdict::Fail));
}

#[test]
fn inconclusive_must_pass_case_requests_no_next_look() {
    let mut rows = same(&[1.0; 3], 4);
    rows[1][0] = 0.0;
    let run = analysis(vec![metric("check.c", &rows, None)]);
    let decision = decided(
        &run,
        &looks(3, 24, vec![criterion("case.c1", "", Requirement::MustPass { case: 1, strict: false })]),
    );
    assert_eq!((decision.verdict, decision.next), (Verdict::Inconclusive, None));
}

#[test]
fn trial_not_graded_by_a_settled_metric_does_not_pass() {
    // The first three trials fail `a`; only the check graded the later ones.
    let mut judged = metric("a", &same(&[0.1, 0.1, 0.1, NOT_ASKED, NOT_ASKED, NOT_ASKED], 4), None);
    judged.repeats = 3;
    let run = analysis(vec![metric("check.c", &same(&[1.0; 6], 4), None), judged]);
    let case = criterion("case.c0", "", Requirement::MustPass { case: 0, strict: false });
    let decision = decided(&run, &looks(3, 6, vec![minimum("a", 0.05), case.clone(), minimum("a", 0.5)]));
    assert_eq!(decision.criteria[1].verdict, CriterionVerdict::Fail);
    assert_eq!(decision.cases[0].candidate_passes, Some((0, 3)));
}

#[test]
fn trials_after_a_settled_metric_do_not_change_pass_counts() {
    let must = || criterion("case.c0", "", Requirement::MustPass { case: 0, strict: false });
    // `a` is settled after three trials, two of which pass; later the check fails, passes, or is missing.
    for later in [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, MISSING]] {
        let mut judged = metric("a", &[vec![0.9, 0.9, 0.9, NOT_ASKED, NOT_ASKED, NOT_ASKED]], None);
        judged.repeats = 3;
        let check = metric("check.c", &[[[1.0, 0.0, 1.0], later].concat()], None);
        let run = analysis(vec![check, judged]);
        let decision = decided(&run, &looks(3, 6, vec![minimum("a", 0.5), must()]));
        assert_eq!(decision.cases[0].candidate_passes, Some((2, 3)), "{later:?}");
        let case = &decision.criteria[1];
        assert_eq!((case.verdict, case.estimate), (CriterionVerdict::Inconclusive, Some(2.0 / 3.0)));
        assert_eq!(
            case.explanation,
            "Case c0 must pass in every trial, but only 2 of the 3 counted trials did: it is unreliable."
        );
    }
    // If all metrics grade all trials, all count.
    let judged = metric("a", &[vec![0.9; 6]], None);
    let run = analysis(vec![metric("check.c", &[vec![1.0, 0.0, 1.0, 0.0, 0.0, 0.0]], None), judged]);
    let decision = decided(&run, &looks(3, 6, vec![minimum("a", 0.5), must()]));
    assert_eq!(decision.criteria[1].verdict, CriterionVerdict::Fail);
    assert_eq!(decision.criteria[1].explanation, "Case c0 must pass, but only 2 of its 6 trials did.");
}

#[test]
fn trials_after_a_settled_metric_do_not_break_cases() {
    let row = |later: f64| vec![1.0, 1.0, 1.0, later, later, later];
    let judged = |score: f64| vec![vec![score, score, score, NOT_ASKED, NOT_ASKED, NOT_ASKED]];
    let both = criterion("broken_cases", "", Requirement::BrokenCases { max: 0 });
    for later in [0.0, 1.0, MISSING] {
        let mut a = metric("a", &judged(0.2), Some(&judged(0.9)));
        (a.repeats, a.baseline_repeats) = (3, 3);
        let run = analysis(vec![metric("check.c", &[row(1.0)], Some(&[row(later)])), a]);
        let decision = decided(&run, &looks(3, 6, vec![minimum("a", 0.5), both.clone()]));
        assert_eq!(decision.cases[0].baseline_passes, Some((3, 3)), "{later}");
        assert_eq!(decision.criteria[1].verdict, CriterionVerdict::Fail, "{later}");
    }
}

#[test]
fn longer_run_repeats_the_decision_of_each_look() {
    let rows = noisy(0.72, 5, 12);
    let cut = |repeats: usize| rows.iter().map(|row| row[..repeats].to_vec()).collect::<Vec<_>>();
    let policy = looks(3, 12, vec![minimum("a", 0.7)]);
    let whole = decided(&analysis(vec![metric("a", &rows, None)]), &policy);
    for (look, repeats) in whole.looks.iter().zip([3, 6, 12]) {
        let then = decided(&analysis(vec![metric("a", &cut(repeats), None)]), &policy);
        assert_eq!(then.looks.last(), Some(look), "at {repeats} repeats");
    }
    assert_eq!(whole.looks.iter().map(|look| look.alpha).sum::<f64>(), 0.05);
}

#[test]
fn stopped_run_or_missing_grades_request_no_next_look() {
    let mut rows = noisy(0.7, 4, 3);
    let policy = looks(3, 24, vec![minimum("a", 0.7)]);
    let whole = analysis(vec![metric("a", &rows, None)]);
    assert!(decided(&whole, &policy).next.is_some());
    let stopped = Ended::Stopped(Fault::new(FaultKind::Timeout, "gone"));
    assert_eq!(decide(&whole, &policy, &stopped).next, None);
    rows[0][1] = MISSING;
    let incomplete = analysis(vec![metric("a", &rows, None)]);
    assert_eq!(decided(&incomplete, &policy).next, None);
    let tolerant = Policy { max_missing: 0.2, ..policy };
    assert!(decided(&incomplete, &tolerant).next.is_some());
}

#[test]
fn cached_repeats_request_no_next_look() {
    let mut run = analysis(vec![metric("a", &noisy(0.7, 12, 3), None)]);
    run.repeats_cached = true;
    assert_eq!(decided(&run, &looks(3, 24, vec![minimum("a", 0.7)])).next, None);
}
