//! The rules of the decision, one at a time.

use std::sync::Arc;

use super::builders::{
    analysis, completed, criterion, deterministic, metric, minimum, not_worse, policy, same, single_outcome,
};
use crate::gate::{Criterion, Policy, Requirement, Rule};
use crate::model::{CaseStatus, CriterionVerdict, MetricScores, ReasonCode, Scope, Verdict};

fn population_outcome(metrics: Vec<MetricScores>, criterion: Criterion) -> crate::model::CriterionOutcome {
    let policy = Policy { scope: Scope::Population, ..policy(vec![criterion]) };
    completed(&analysis(metrics), &policy).criteria.swap_remove(0)
}

#[test]
fn noiseless_scores_are_literal_from_three_repeats() {
    let rows = |k| same(&[0.8, 0.8, 0.8][..k], 5);
    for (required, expected) in [(0.8, CriterionVerdict::Pass), (0.81, CriterionVerdict::Fail)] {
        let scores = |k| vec![deterministic(metric("m", &rows(k), None))];
        let three = single_outcome(scores(3), minimum("m", required));
        assert_eq!((three.verdict, three.method.as_str(), three.p), (expected, "literal", None));
        let two = single_outcome(scores(2), minimum("m", required));
        assert_eq!(two.verdict, CriterionVerdict::Inconclusive);
        assert!(two.explanation.contains("about 1 more repeat would settle it"), "{}", two.explanation);
    }
    let lower = same(&[0.7, 0.7], 5);
    let outcome = single_outcome(vec![metric("m", &lower, Some(&rows(2)))], not_worse("m", 0.0));
    assert_eq!((outcome.verdict, outcome.method.as_str()), (CriterionVerdict::Fail, "permutation"));
    assert!((outcome.p.expect("a p") - 6.0_f64.powi(-5)).abs() < 1e-12);
}

#[test]
fn shared_requests_never_differ() {
    for repeats in 1..=3 {
        let rows = same(&[0.2, 0.9, 0.4][..repeats], 3);
        let mut run = analysis(vec![metric("m", &rows, Some(&rows))]);
        Arc::make_mut(&mut run.cases).iter_mut().for_each(|case| case.shared = true);
        let decision = completed(&run, &policy(vec![not_worse("m", 0.0)]));
        assert_eq!(decision.verdict, Verdict::Pass, "{repeats}: {:?}", decision.reasons);
    }
}

#[test]
fn tolerance_applies_to_the_mean_with_shared_cases() {
    // Two of four cases are shared; the others drop by 0.1, which is 0.05 over all.
    let theirs = same(&[0.9, 0.8, 0.7], 4);
    let mut ours = theirs.clone();
    for row in &mut ours[..2] {
        row.iter_mut().for_each(|score| *score -= 0.1);
    }
    let mut run = analysis(vec![metric("m", &ours, Some(&theirs))]);
    Arc::make_mut(&mut run.cases)[2].shared = true;
    Arc::make_mut(&mut run.cases)[3].shared = true;
    let outcome = &completed(&run, &policy(vec![not_worse("m", 0.05)])).criteria[0];
    assert!((outcome.estimate.expect("an estimate") + 0.05).abs() < 1e-12);
    assert!(outcome.p.expect("a p") > 0.5, "a drop of exactly the tolerance passes: {outcome:?}");
}

#[test]
fn holm_counts_statistical_criteria_only() {
    // All of the candidate's scores are lower: p = 1 / 20 alone, 2 / 20 with a second criterion.
    let ours = [vec![0.4, 0.5, 0.3]];
    let theirs = [vec![0.6, 0.7, 0.8]];
    let lower = metric("m", &ours, Some(&theirs));
    let unchanged = metric("n", &[vec![0.5, 0.5, 0.5]], Some(&[vec![0.5, 0.5, 0.5]]));
    let outcome = single_outcome(vec![lower.clone()], not_worse("m", 0.0));
    assert_eq!((outcome.verdict, outcome.p), (CriterionVerdict::Fail, Some(0.05)));
    let run = analysis(vec![lower, unchanged]);
    let decision = completed(&run, &policy(vec![not_worse("m", 0.0), not_worse("n", 0.0)]));
    assert_eq!(decision.criteria[0].verdict, CriterionVerdict::Inconclusive, "a noiseless criterion counts");
    assert_eq!(decision.criteria[0].p, Some(0.05), "the reported p is not adjusted");
    let literal = criterion("check", "m", Requirement::MustPass { case: 0, strict: false });
    let decision = completed(&run, &policy(vec![not_worse("m", 0.0), literal]));
    assert_eq!(decision.criteria[0].verdict, CriterionVerdict::Fail, "a literal criterion does not count");
}

#[test]
fn threshold_passes_only_if_the_estimate_meets_it() {
    let rows: Vec<Vec<f64>> =
        (0..30).map(|case| vec![0.79, 0.80, 0.78 + f64::from(case % 3) / 100.0]).collect();
    let outcome = single_outcome(vec![metric("m", &rows, None)], minimum("m", 0.7905));
    assert!(outcome.lower > Some(0.75) && outcome.estimate > Some(0.7905));
    assert_eq!(outcome.verdict, CriterionVerdict::Pass);
    let outcome = single_outcome(vec![metric("m", &rows, None)], minimum("m", 0.7941));
    assert!(outcome.lower > Some(0.75) && outcome.p > Some(0.05), "{outcome:?}");
    assert_eq!(outcome.verdict, CriterionVerdict::Inconclusive);
}

#[test]
fn population_of_binary_scores_uses_wilson_mcnemar_and_tango() {
    let share = |passes: usize, cases: usize| -> Vec<Vec<f64>> {
        (0..cases).map(|case| vec![f64::from(u8::from(case < passes))]).collect()
    };
    let outcome = single_outcome(vec![metric("check.c", &share(24, 30), None)], minimum("check.c", 0.7));
    assert_eq!(outcome.method, "wilson");
    assert!((outcome.lower.expect("a bound") - 0.6574890913212069).abs() < 1e-9);
    assert_eq!(outcome.verdict, CriterionVerdict::Pass);
    let outcome = single_outcome(
        vec![metric("check.c", &share(30, 30), Some(&share(30, 30)))],
        not_worse("check.c", 0.0),
    );
    assert!((outcome.lower.expect("a bound") + 0.08272430812524319).abs() < 1e-9);
    assert_eq!(outcome.verdict, CriterionVerdict::Inconclusive, "30 clean pairs do not rule out 5 points");
    assert!(outcome.explanation.contains("more cases would settle it"), "{}", outcome.explanation);
    let outcome = single_outcome(
        vec![metric("check.c", &share(25, 30), Some(&share(30, 30)))],
        not_worse("check.c", 0.0),
    );
    assert_eq!(outcome.method, "sign-flip");
    assert!((outcome.p.expect("a p") - 0.03125).abs() < 1e-9);
    assert_eq!(outcome.verdict, CriterionVerdict::Fail);
    let outcome = single_outcome(
        vec![metric("check.c", &share(25, 30), Some(&share(30, 30)))],
        not_worse("check.c", 0.1),
    );
    assert_eq!(outcome.method, "tango");
    assert!(outcome.p > Some(0.05), "{outcome:?}");
}

#[test]
fn population_below_ten_cases_can_fail_but_not_pass() {
    let nine = |score: f64| (0..9).map(|case| vec![score + f64::from(case) / 1000.0]).collect::<Vec<_>>();
    assert_eq!(
        single_outcome(vec![metric("m", &nine(0.9), None)], minimum("m", 0.5)).verdict,
        CriterionVerdict::Inconclusive
    );
    assert_eq!(
        single_outcome(vec![metric("m", &nine(0.3), None)], minimum("m", 0.5)).verdict,
        CriterionVerdict::Fail
    );
    let ten: Vec<Vec<f64>> = nine(0.9).into_iter().chain([vec![0.9]]).collect();
    assert_eq!(
        single_outcome(vec![metric("m", &ten, None)], minimum("m", 0.5)).verdict,
        CriterionVerdict::Pass
    );
}

#[test]
fn groups_are_flipped_together_and_count_as_units() {
    let theirs: Vec<Vec<f64>> = (0..12).map(|case| vec![0.9, 0.8 + f64::from(case) / 200.0]).collect();
    let ours: Vec<Vec<f64>> =
        theirs.iter().map(|row| row.iter().map(|score| score - 0.1).collect()).collect();
    let mut run = analysis(vec![metric("m", &ours, Some(&theirs))]);
    let wide = Policy { scope: Scope::Population, ..policy(vec![not_worse("m", 0.0)]) };
    let outcome = &completed(&run, &wide).criteria[0];
    assert!((outcome.p.expect("a p") - 0.5_f64.powi(12)).abs() < 1e-12);
    for (case, facts) in Arc::make_mut(&mut run.cases).iter_mut().enumerate() {
        facts.group = Some(format!("g{}", case % 3));
    }
    let outcome = &completed(&run, &wide).criteria[0];
    assert!((outcome.p.expect("a p") - 0.125).abs() < 1e-12, "three groups, eight flips");
    assert_eq!(outcome.verdict, CriterionVerdict::Inconclusive);
}

#[test]
fn point_rule_compares_estimates_with_a_warning() {
    let theirs = vec![vec![0.5, 0.9], vec![0.6, 0.8]];
    let ours = vec![vec![0.5, 0.9], vec![0.6, 0.79]];
    let point = Policy { rule: Rule::Point, ..policy(vec![not_worse("m", 0.0), minimum("m", 0.5)]) };
    let decision = completed(&analysis(vec![metric("m", &ours, Some(&theirs))]), &point);
    assert_eq!(decision.criteria[0].verdict, CriterionVerdict::Fail);
    assert_eq!(decision.criteria[1].verdict, CriterionVerdict::Pass);
    assert!(decision.criteria.iter().all(|outcome| outcome.method == "point" && outcome.p.is_none()));
    assert!(decision.warnings[0].starts_with("rule: point"), "{:?}", decision.warnings);
}

#[test]
fn slice_counts_only_its_own_cases() {
    let rows = vec![vec![0.2, 0.2, 0.2], vec![0.9, 0.9, 0.9]];
    let mut run = analysis(vec![deterministic(metric("m", &rows, None))]);
    Arc::make_mut(&mut run.cases)[1].tags = vec!["refunds".to_owned()];
    let slice =
        Criterion { tag: Some("refunds".to_owned()), id: "slice.refunds.m.min".into(), ..minimum("m", 0.8) };
    let decision = completed(&run, &policy(vec![slice, minimum("m", 0.8)]));
    assert_eq!(decision.criteria[0].verdict, CriterionVerdict::Pass);
    assert_eq!(decision.criteria[0].kind, "slice");
    assert!(decision.criteria[0].explanation.starts_with("M on cases tagged refunds averaged 0.90"));
    assert_eq!(decision.criteria[1].verdict, CriterionVerdict::Fail);
}

#[test]
fn must_pass_case_verdict_follows_its_trials() {
    let must = || criterion("case.c0", "", Requirement::MustPass { case: 0, strict: false });
    for (row, expected) in [
        ([1.0, 1.0, 1.0], CriterionVerdict::Pass),
        ([1.0, 1.0, 0.0], CriterionVerdict::Inconclusive),
        ([1.0, 0.0, 0.0], CriterionVerdict::Fail),
        ([1.0, 1.0, f64::NAN], CriterionVerdict::Incomplete),
        ([0.0, 0.0, f64::NAN], CriterionVerdict::Fail),
    ] {
        let outcome = single_outcome(vec![metric("check.c", &[row.to_vec()], None)], must());
        assert_eq!((outcome.verdict, outcome.kind.as_str()), (expected, "case"), "{row:?}");
    }
}

#[test]
fn trial_passes_if_checks_and_minimums_are_met() {
    let metrics = vec![
        metric("check.c", &[vec![1.0, 1.0], vec![1.0, 0.0], vec![1.0, 1.0]], None),
        metric("m", &[vec![0.8, 0.7], vec![0.9, 0.9], vec![0.1, 0.2]], None),
        metric("free", &[vec![0.0, 0.0], vec![0.0, 0.0], vec![0.0, 0.0]], None),
    ];
    let decision = completed(&analysis(metrics), &policy(vec![minimum("m", 0.75)]));
    let passes: Vec<_> = decision.cases.iter().map(|case| case.candidate_passes).collect();
    assert_eq!(passes, [Some((1, 2)), Some((1, 2)), Some((0, 2))]);
    assert_eq!(decision.cases[1].failing, ["check.c"]);
    assert_eq!(decision.cases[2].failing, ["m"]);
    assert_eq!(decision.cases[0].status, CaseStatus::Flaky);
}

#[test]
fn trial_passes_a_check_with_its_minimum_or_with_one() {
    let passing = |requirement| {
        let criterion = Criterion { requirement, ..minimum("check.a", 0.0) };
        crate::gate::passing_score(&policy(vec![criterion]), "check.a", crate::model::MetricKind::Check)
    };
    assert_eq!(passing(Requirement::NoNewFailures), Some(1.0));
    assert_eq!(passing(Requirement::EveryTrial), Some(1.0));
    assert_eq!(passing(Requirement::Minimum { value: 0.8 }), Some(0.8));
    assert_eq!(passing(Requirement::Minimum { value: 0.0 }), Some(1.0));
}

#[test]
fn case_status_is_the_first_that_applies() {
    let theirs = vec![
        vec![1.0, 1.0, 1.0],
        vec![1.0, 1.0, 1.0],
        vec![0.0, 0.0, 0.0],
        vec![0.9, 0.9, 0.9],
        vec![0.6, 0.6, 0.6],
        vec![1.0, 0.0, 1.0],
        vec![1.0, 1.0, 1.0],
        vec![0.9, 0.9, 0.9],
        vec![1.0, 1.0, 1.0],
    ];
    let ours = vec![
        vec![f64::NAN, 0.0, 0.0],
        vec![0.0, 0.0, 0.0],
        vec![1.0, 1.0, 1.0],
        vec![0.5, 0.5, 0.5],
        vec![1.0, 1.0, 1.0],
        vec![1.0, 0.0, 1.0],
        vec![0.95, 0.95, 0.95],
        vec![0.95, 0.95, 0.95],
        vec![1.0, 1.0, 1.0],
    ];
    // The scores of many cases without noise.
    let quiet = || same(&[0.9, 0.9, 0.9], 200);
    let (ours, theirs) = ([ours, quiet()].concat(), [theirs, quiet()].concat());
    let run = analysis(vec![metric("m", &ours, Some(&theirs))]);
    let decision = completed(&run, &policy(vec![minimum("m", 0.5), not_worse("m", 0.0)]));
    let statuses: Vec<CaseStatus> = decision.cases.iter().map(|case| case.status).collect();
    use CaseStatus::{Broken, Fixed, Flaky, Higher, Improved, Lower, Missing, Regressed, Same};
    assert_eq!(statuses[..9], [Missing, Broken, Fixed, Regressed, Improved, Flaky, Lower, Higher, Same]);
    let (name, loss) = decision.cases[3].largest_difference.clone().expect("a difference");
    assert!(name == "m" && (loss + 0.4).abs() < 1e-12);
    let broken = |max| criterion("broken_cases", "", Requirement::BrokenCases { max });
    // The first case could be broken too, depending on its missing grade.
    let verdicts: Vec<_> = completed(&run, &policy(vec![minimum("m", 0.5), broken(0), broken(1), broken(2)]))
        .criteria
        .into_iter()
        .skip(1)
        .map(|outcome| outcome.verdict)
        .collect();
    assert_eq!(verdicts, [CriterionVerdict::Fail, CriterionVerdict::Incomplete, CriterionVerdict::Pass]);
}

#[test]
fn cached_repeats_count_as_one() {
    let rows: Vec<Vec<f64>> = (0..12).map(|case| vec![0.9 - f64::from(case) / 100.0; 3]).collect();
    let mut run = analysis(vec![deterministic(metric("m", &rows, None))]);
    let policy = policy(vec![minimum("m", 0.84)]);
    assert_eq!(completed(&run, &policy).criteria[0].method, "literal");
    run.repeats_cached = true;
    let decision = completed(&run, &policy);
    assert_eq!(decision.criteria[0].method, "t");
    assert_eq!(decision.metrics[0].scope, Scope::Population);
    assert!(decision.warnings.iter().any(|warning| warning.contains("a cache seems to respond")));
}

#[test]
fn reasons_are_worst_first_and_name_their_criterion() {
    let metrics = vec![
        metric("open", &same(&[0.7, 0.9, 0.8], 3), None),
        metric("bad", &same(&[0.1, 0.1, 0.1], 3), None),
        metric("gone", &same(&[f64::NAN; 3], 3), None),
    ];
    let run = analysis(metrics);
    let decision =
        completed(&run, &policy(vec![minimum("open", 0.85), minimum("bad", 0.5), minimum("gone", 0.5)]));
    let codes: Vec<ReasonCode> = decision.reasons.iter().map(|reason| reason.code).collect();
    use ReasonCode::{MissingGrades, ThresholdMissed, TooLittleEvidence};
    assert_eq!(codes, [ThresholdMissed, MissingGrades, MissingGrades, TooLittleEvidence]);
    assert_eq!(decision.reasons[0].criterion.as_deref(), Some("bad.min"));
    assert_eq!(decision.reasons[0].message, "Bad averaged 0.10, below the required 0.50.");
}

#[test]
fn both_scopes_are_reported_and_one_decides() {
    let theirs: Vec<Vec<f64>> =
        (0..20).map(|case| vec![0.9, 0.8, 0.7 + f64::from(case % 4) / 20.0]).collect();
    let ours: Vec<Vec<f64>> = theirs
        .iter()
        .enumerate()
        .map(|(i, row)| row.iter().map(|s| s - 0.02 * (i % 3) as f64).collect())
        .collect();
    let summary = |scope| {
        let run = analysis(vec![metric("m", &ours, Some(&theirs))]);
        completed(&run, &Policy { scope, ..policy(vec![not_worse("m", 0.0)]) }).metrics.swap_remove(0)
    };
    let (suite, population_summary) = (summary(Scope::Suite), summary(Scope::Population));
    assert_eq!((suite.scope, population_summary.scope), (Scope::Suite, Scope::Population));
    assert_eq!(suite.difference, population_summary.other_scope_difference);
    assert_eq!(suite.other_scope_difference, population_summary.difference);
    assert_ne!(suite.difference, suite.other_scope_difference);
    assert_eq!(suite.candidate.n, 20);
    assert!(suite.noise > Some(0.0) && suite.smallest_detectable_drop > Some(0.0));
    let outcome = population_outcome(vec![metric("m", &ours, Some(&theirs))], not_worse("m", 0.0));
    assert_eq!(outcome.lower, population_summary.difference.and_then(|interval| interval.lower));
}

#[test]
fn few_cases_and_thin_evidence_are_warned_about() {
    let warnings = |cases: usize, required: Policy| {
        // All criteria of a case have to hold, on any other metric a score has to reach the minimum.
        let (name, score) = if cases == 1 { ("criteria", 1.0) } else { ("m", 0.9) };
        let metric = metric(name, &same(&[score; 3], cases), None);
        let decision = completed(&analysis(vec![deterministic(metric)]), &required);
        assert_eq!(decision.verdict, Verdict::Pass);
        decision.warnings
    };
    // A small suite has one sentence about all that it cannot show.
    assert_eq!(
        warnings(10, policy(vec![minimum("m", 0.8)])),
        [
            "10 cases cannot show how often other questions fail: even if all pass, up to 25.9 % of traffic could, and a \
          drop of 5 points may pass unseen"
        ]
    );
    let case = criterion("case.c0", "", Requirement::MustPass { case: 0, strict: false });
    assert_eq!(
        warnings(1, policy(vec![case])),
        ["1 case cannot show how often other questions fail: even if it passes, up to 95 % of traffic could"]
    );
    let large = warnings(20, policy(vec![minimum("m", 0.8)]));
    let has = |part: &str| large.iter().any(|warning| warning.contains(part));
    assert!(has("even if all 20 cases of the suite pass, up to 13.9 % of traffic"), "{large:?}");
    assert!(has("m did not vary between repeats"), "{large:?}");
}

#[test]
fn large_suite_is_decided_quickly_by_t() {
    let rows = |offset: f64| -> Vec<Vec<f64>> {
        (0..20_000_u32)
            .map(|case| (0..3).map(|r| f64::from((case * 7 + r * 13) % 17) / 20.0 + offset).collect())
            .collect()
    };
    let run = analysis(vec![metric("m", &rows(0.0), Some(&rows(0.001)))]);
    let start = std::time::Instant::now();
    let decision = completed(&run, &policy(vec![not_worse("m", 0.0), minimum("m", 0.2)]));
    assert_eq!(decision.criteria[0].method, "t");
    assert!(decision.warnings.iter().any(|warning| warning.contains("too many scores to permute")));
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
}
