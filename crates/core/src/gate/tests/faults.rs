//! The second decision, by first attempts: retries must not turn a worse candidate green.

use super::builders::{
    analysis, completed, criterion, deterministic, metric, minimum, not_worse, policy, same,
};
use crate::gate::{Criterion, Requirement, decide};
use crate::model::{
    Analysis, ContestedTrial, CriterionVerdict, Decision, Ended, MetricScores, ReasonCode, Role, TrialPlace,
    Verdict,
};

fn place(role: Role, case: usize, repeat: u32) -> TrialPlace {
    TrialPlace { role, case, repeat }
}

/// An analysis in which these trials are contested.
fn contested(metrics: Vec<MetricScores>, places: &[TrialPlace]) -> Analysis {
    let mut analysis = analysis(metrics);
    let trial = |&at: &TrialPlace| ContestedTrial { at, timed_out: false };
    analysis.contested.trials = places.iter().map(trial).collect();
    analysis
}

/// Thirty noisy cases with the same three scores for both variants.
fn noisy() -> MetricScores {
    let rows = same(&[0.7, 0.9, 0.8], 30);
    metric("faithfulness", &rows, Some(&rows))
}

fn first_of(decision: &Decision) -> (CriterionVerdict, Verdict, Option<ReasonCode>) {
    (decision.criteria[0].verdict, decision.verdict, decision.reasons.first().map(|reason| reason.code))
}

#[test]
fn faults_on_the_candidate_alone_are_never_green() {
    let hits: Vec<TrialPlace> = (0..10).map(|case| place(Role::Candidate, case, 1)).collect();
    let run = contested(vec![noisy()], &hits);
    let policy = policy(vec![not_worse("faithfulness", 0.0)]);
    assert_eq!(completed(&analysis(vec![noisy()]), &policy).verdict, Verdict::Pass);
    let decision = completed(&run, &policy);
    let differ = (CriterionVerdict::Incomplete, Verdict::Incomplete, Some(ReasonCode::FaultsDiffer));
    assert_eq!(first_of(&decision), differ);
    let message = &decision.reasons[0].message;
    assert!(message.contains("10 of 90 answers of the candidate and 0 of 90 of the baseline"), "{message}");
    assert!(message.contains("--refresh"), "{message}");
    let first = decision.criteria[0].first_attempts.as_ref().expect("a second decision");
    assert!(first.estimate.is_some_and(|estimate| (estimate + 0.1).abs() < 0.01), "{first:?}");
}

#[test]
fn faults_end_the_run_at_once() {
    let hits: Vec<TrialPlace> = (0..20).map(|case| place(Role::Candidate, case, 1)).collect();
    let run = contested(vec![noisy()], &hits);
    let mut policy = policy(vec![not_worse("faithfulness", 0.0), minimum("faithfulness", 0.79)]);
    (policy.repeats, policy.max_repeats) = (3, 24);
    let decision = decide(&run, &policy, &Ended::Completed);
    assert!(decision.criteria[0].faults_differ(), "{:?}", decision.criteria[0]);
    assert_eq!(decision.next, None);
}

#[test]
fn faults_on_both_variants_alike_cancel_out() {
    let both = |case| [place(Role::Candidate, case, 1), place(Role::Baseline, case, 2)];
    let hits: Vec<TrialPlace> = (0..2).flat_map(both).collect();
    let rows = same(&[0.7, 0.9, 0.8, 0.7, 0.9, 0.8, 0.7, 0.9, 0.8, 0.8, 0.8, 0.8], 30);
    let run = contested(vec![metric("faithfulness", &rows, Some(&rows))], &hits);
    let decision = completed(&run, &policy(vec![not_worse("faithfulness", 0.0)]));
    assert_eq!(decision.verdict, Verdict::Pass);
    let first = decision.criteria[0].first_attempts.as_ref().expect("a second decision");
    assert_eq!((first.candidate, first.baseline, first.verdict), (2, 2, CriterionVerdict::Pass));
}

#[test]
fn loss_as_answered_fails_whatever_the_first_attempts_say() {
    let hits: Vec<TrialPlace> = (0..30).map(|case| place(Role::Baseline, case, 1)).collect();
    let worse = metric("m", &same(&[0.5, 0.4, 0.45], 30), Some(&same(&[0.7, 0.9, 0.8], 30)));
    let decision = completed(&contested(vec![worse], &hits), &policy(vec![not_worse("m", 0.0)]));
    assert_eq!(decision.verdict, Verdict::Fail);
}

#[test]
fn too_little_evidence_by_first_attempts_asks_for_repeats() {
    let hits: Vec<TrialPlace> = (0..3).map(|case| place(Role::Candidate, case, 1)).collect();
    let rows = same(&[1.0, 1.0, 1.0], 30);
    let run = contested(vec![deterministic(metric("m", &rows, Some(&rows)))], &hits);
    let mut policy = policy(vec![not_worse("m", 0.0)]);
    (policy.repeats, policy.max_repeats) = (3, 24);
    let decision = decide(&run, &policy, &Ended::Completed);
    assert_eq!(decision.criteria[0].verdict, CriterionVerdict::Inconclusive);
    let explanation = &decision.criteria[0].explanation;
    assert!(explanation.contains("3 of 90 answers of the candidate"), "{explanation}");
    assert_eq!(decision.next.map(|next| next.repeats), Some(6));
}

#[test]
fn contested_trials_do_not_count_as_missing() {
    let missing = f64::NAN;
    let mut rows = same(&[0.7, 0.9, 0.8, 0.8], 30);
    let clean = rows.clone();
    for row in rows.iter_mut().take(3) {
        row[0] = missing;
    }
    let metrics = || vec![metric("m", &rows, Some(&clean))];
    let hits: Vec<TrialPlace> = (0..3).map(|case| place(Role::Candidate, case, 0)).collect();
    let policy = policy(vec![not_worse("m", 0.0)]);
    let above = |decision: &Decision| decision.reasons.iter().any(|it| it.message.contains("max_missing"));
    assert!(above(&completed(&analysis(metrics()), &policy)));
    assert!(!above(&completed(&contested(metrics(), &hits), &policy)));
}

#[test]
fn missing_grades_above_the_limit_by_chance_are_asked_once_more() {
    let retries = |missing: usize| {
        let mut rows = same(&[0.7, 0.9, 0.8, 0.8], 30);
        rows.iter_mut().take(missing).for_each(|row| row[0] = f64::NAN);
        completed(&analysis(vec![metric("m", &rows, None)]), &policy(vec![minimum("m", 0.5)])).retry_missing
    };
    // 2, 3 and 20 of 120 against a limit of 2 %.
    assert_eq!([2, 3, 20].map(retries), [false, true, false]);
}

#[test]
fn minimum_loses_the_excess_of_contested_trials() {
    let rows = same(&[0.78, 0.82, 0.80], 30);
    let m = || vec![metric("m", &rows, Some(&rows))];
    let hits = |roles: &[Role]| -> Vec<TrialPlace> {
        (0..9).flat_map(|case| roles.iter().map(move |&role| place(role, case, 1))).collect()
    };
    let verdict = |run: &Analysis| completed(run, &policy(vec![minimum("m", 0.75)])).verdict;
    assert_eq!(verdict(&analysis(m())), Verdict::Pass);
    // 10 % more contested trials than the baseline, plus one standard error, times 0.8: more than the margin of 0.05.
    assert_ne!(verdict(&contested(m(), &hits(&[Role::Candidate]))), Verdict::Pass);
    assert_eq!(verdict(&contested(m(), &hits(&[Role::Candidate, Role::Baseline]))), Verdict::Pass);
    assert_eq!(verdict(&contested(m(), &hits(&[Role::Baseline]))), Verdict::Pass);
}

#[test]
fn minimum_without_a_baseline_counts_faults_above_max_missing_as_zero() {
    let rows = same(&[0.78, 0.82, 0.80], 30);
    let m = || vec![metric("m", &rows, None)];
    let hits =
        |count| -> Vec<TrialPlace> { (0..count).map(|case| place(Role::Candidate, case, 1)).collect() };
    let verdict = |count| completed(&contested(m(), &hits(count)), &policy(vec![minimum("m", 0.78)])).verdict;
    // One trial of 90 is below max_missing.
    assert_eq!(verdict(1), Verdict::Pass);
    assert_ne!(verdict(20), Verdict::Pass);
}

fn every_trial() -> Criterion {
    criterion("check.c", "check.c", Requirement::EveryTrial)
}

#[test]
fn check_is_not_green_where_retries_may_hide_failures() {
    let rows = same(&[1.0, 1.0, 1.0], 30);
    let check = |baseline: bool| vec![metric("check.c", &rows, baseline.then_some(&*rows))];
    let decide = |baseline, places: &[TrialPlace]| {
        completed(&contested(check(baseline), places), &policy(vec![every_trial()]))
    };
    // A lone contested trial is the endpoint's.
    assert_eq!(decide(true, &[place(Role::Candidate, 4, 0)]).verdict, Verdict::Pass);
    let case: Vec<TrialPlace> = (0..3).map(|repeat| place(Role::Candidate, 4, repeat)).collect();
    for baseline in [true, false] {
        let decision = decide(baseline, &case);
        let reason = decision.reasons.first().map(|reason| reason.code);
        assert_eq!((decision.verdict, reason), (Verdict::Incomplete, Some(ReasonCode::FaultsDiffer)));
    }
    // Spread over cases: 9 of 90 against none.
    let spread: Vec<TrialPlace> = (0..9).map(|case| place(Role::Candidate, case, 1)).collect();
    assert_eq!(decide(true, &spread).verdict, Verdict::Incomplete);
    let both: Vec<TrialPlace> =
        spread.iter().flat_map(|at| [*at, TrialPlace { role: Role::Baseline, ..*at }]).collect();
    assert_eq!(decide(true, &both).verdict, Verdict::Pass);
}

#[test]
fn check_of_a_case_with_two_contested_trials_is_asked_again() {
    let rows = same(&[1.0, 1.0, 1.0], 30);
    let decide = |roles: &[Role], max_repeats| {
        let places: Vec<TrialPlace> =
            roles.iter().flat_map(|&role| (0..2).map(move |repeat| place(role, 4, repeat))).collect();
        let run = contested(vec![metric("check.c", &rows, Some(&rows))], &places);
        let mut policy = policy(vec![every_trial()]);
        (policy.repeats, policy.max_repeats) = (3, max_repeats);
        decide(&run, &policy, &Ended::Completed)
    };
    let decision = decide(&[Role::Candidate], 24);
    assert_eq!(decision.verdict, Verdict::Inconclusive);
    assert!(decision.next.is_some(), "{:?}", decision.criteria);
    // The last look cannot ask again, and two trials may be chance.
    assert_eq!(decide(&[Role::Candidate], 3).verdict, Verdict::Pass);
    assert_eq!(decide(&[Role::Candidate, Role::Baseline], 24).verdict, Verdict::Pass);
}

#[test]
fn lone_missing_trial_of_a_check_is_left_out_if_contested() {
    let mut rows = same(&[1.0, 1.0, 1.0], 30);
    let clean = rows.clone();
    rows[4][0] = f64::NAN;
    let metrics = || vec![metric("check.c", &rows, Some(&clean))];
    let policy = policy(vec![every_trial()]);
    assert_eq!(completed(&analysis(metrics()), &policy).verdict, Verdict::Incomplete);
    let run = contested(metrics(), &[place(Role::Candidate, 4, 0)]);
    assert_eq!(completed(&run, &policy).verdict, Verdict::Pass);
}

#[test]
fn must_pass_case_with_contested_trials_is_incomplete() {
    let rows = same(&[1.0, 1.0, 1.0], 3);
    let metrics = || vec![metric("check.c", &rows, Some(&rows))];
    let policy = policy(vec![criterion("case.c1", "", Requirement::MustPass { case: 1, strict: false })]);
    let hits =
        |count| -> Vec<TrialPlace> { (0..count).map(|repeat| place(Role::Candidate, 1, repeat)).collect() };
    assert_eq!(completed(&contested(metrics(), &hits(1)), &policy).verdict, Verdict::Pass);
    let decision = completed(&contested(metrics(), &hits(3)), &policy);
    assert_eq!(first_of(&decision).2, Some(ReasonCode::FaultsDiffer));
}

#[test]
fn case_that_only_the_candidate_cannot_answer_in_time_scores_zero() {
    let rows = same(&[1.0, 1.0, 1.0], 30);
    let slow = |roles: &[Role]| {
        let mut run = analysis(vec![metric("check.c", &rows, Some(&rows))]);
        let places = roles.iter().flat_map(|&role| (0..3).map(move |repeat| place(role, 4, repeat)));
        run.contested.trials = places.map(|at| ContestedTrial { at, timed_out: true }).collect();
        completed(&run, &policy(vec![every_trial()]))
    };
    let decision = slow(&[Role::Candidate]);
    assert_eq!(decision.verdict, Verdict::Fail);
    assert!(decision.cases[4].timed_out && !decision.cases[3].timed_out);
    assert_ne!(slow(&[Role::Candidate, Role::Baseline]).verdict, Verdict::Fail);
}

#[test]
fn contested_judgements_count_where_their_rates_differ() {
    let judged = |roles: &[Role]| {
        let mut run = analysis(vec![noisy()]);
        let places = (0..10).flat_map(|case| roles.iter().map(move |&role| place(role, case, 1)));
        run.contested.judgements.insert("faithfulness".to_owned(), places.collect());
        completed(&run, &policy(vec![not_worse("faithfulness", 0.0)]))
    };
    assert_eq!(first_of(&judged(&[Role::Candidate])).2, Some(ReasonCode::FaultsDiffer));
    assert_eq!(judged(&[Role::Candidate, Role::Baseline]).verdict, Verdict::Pass);
}

#[test]
fn faults_on_cases_of_the_base_are_not_diluted_by_new_cases() {
    // The first cases are new, so that the base's cases have other indices when they are decided alone.
    let rows = same(&[0.7, 0.9, 0.8], 310);
    let hits: Vec<TrialPlace> = (300..304).map(|case| place(Role::Candidate, case, 1)).collect();
    let mut run = contested(vec![metric("m", &rows, Some(&rows))], &hits);
    let policy = policy(vec![not_worse("m", 0.0)]);
    assert_eq!(completed(&run, &policy).verdict, Verdict::Pass);
    for case in std::sync::Arc::make_mut(&mut run.cases).iter_mut().take(300) {
        case.added = true;
    }
    let decision = completed(&run, &policy);
    assert_ne!(decision.verdict, Verdict::Pass);
    let explanation = &decision.criteria[0].explanation;
    assert!(explanation.contains("4 of 30 answers of the candidate"), "{explanation}");
}

#[test]
fn check_of_new_failures_is_not_green_where_retries_may_hide_them() {
    let rows = same(&[1.0; 3], 20);
    let hits: Vec<TrialPlace> = (0..9).map(|case| place(Role::Candidate, case, 0)).collect();
    let run = contested(vec![metric("check.a", &rows, Some(&rows))], &hits);
    let check = criterion("check.a", "check.a", Requirement::NoNewFailures);
    assert_eq!(completed(&run, &policy(vec![check])).verdict, Verdict::Incomplete);
}

#[test]
fn broken_case_hidden_by_retries_is_not_green() {
    let rows = same(&[1.0; 3], 20);
    let hits: Vec<TrialPlace> = (0..3).map(|repeat| place(Role::Candidate, 7, repeat)).collect();
    let run = contested(vec![metric("check.a", &rows, Some(&rows))], &hits);
    let none_broken = criterion("broken_cases", "", Requirement::BrokenCases { max: 0 });
    let decision = completed(&run, &policy(vec![none_broken]));
    assert_eq!(decision.verdict, Verdict::Incomplete, "{:?}", decision.reasons);
    assert!(decision.criteria[0].explanation.contains("3 of 3 answers"), "{:?}", decision.criteria[0]);
}

#[test]
fn contested_judgements_count_against_a_minimum() {
    let rows = same(&[0.5, 0.4, 0.6], 20);
    let mut run = analysis(vec![metric("faithfulness", &rows, Some(&rows))]);
    assert_eq!(completed(&run, &policy(vec![minimum("faithfulness", 0.45)])).verdict, Verdict::Pass);
    let places = (0..20).flat_map(|case| [0, 1].map(|repeat| place(Role::Candidate, case, repeat))).collect();
    run.contested.judgements.insert("faithfulness".to_owned(), places);
    assert_ne!(completed(&run, &policy(vec![minimum("faithfulness", 0.45)])).verdict, Verdict::Pass);
}

#[test]
fn fewer_faults_than_a_look_can_tell_ask_for_more_repeats() {
    let rows = same(&[1.0; 3], 20);
    let hits: Vec<TrialPlace> = (0..6).map(|case| place(Role::Candidate, case, 0)).collect();
    let run = contested(vec![metric("check.a", &rows, Some(&rows))], &hits);
    let mut policy = policy(vec![criterion("check.a", "check.a", Requirement::EveryTrial)]);
    (policy.repeats, policy.max_repeats) = (3, 24);
    let decision = decide(&run, &policy, &Ended::Completed);
    assert_eq!(decision.criteria[0].verdict, CriterionVerdict::Inconclusive);
    assert_eq!(decision.next.map(|next| next.repeats), Some(6));
}
