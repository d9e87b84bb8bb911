//! One rule at a time.

use std::sync::Arc;

use super::build::{alone, analysis, completed, criterion, metric, minimum, not_worse, policy, same};
use crate::gate::{Bound, Criterion, Policy, Requirement, Rule, Statistic};
use crate::model::{CaseStatus, CriterionVerdict, MetricScores, ReasonCode, Scope, Verdict};

fn population(metrics: Vec<MetricScores>, one: Criterion) -> crate::model::CriterionOutcome {
    let policy = Policy { scope: Scope::Population, ..policy(vec![one]) };
    completed(&analysis(metrics), &policy).criteria.swap_remove(0)
}

#[test]
fn without_noise_three_repeats_are_compared_literally_and_two_are_not() {
    let rows = |k| same(&[0.8, 0.8, 0.8][..k], 5);
    for (required, expected) in [(0.8, CriterionVerdict::Pass), (0.81, CriterionVerdict::Fail)] {
        let three = alone(vec![metric("m", &rows(3), None)], minimum("m", required));
        assert_eq!((three.verdict, three.method.as_str(), three.p), (expected, "literal", None));
        let two = alone(vec![metric("m", &rows(2), None)], minimum("m", required));
        assert_eq!(two.verdict, CriterionVerdict::Inconclusive);
        assert!(two.explanation.contains("about 1 more repeat would settle it"), "{}", two.explanation);
    }
    let lower = same(&[0.7, 0.7], 5);
    let outcome = alone(vec![metric("m", &lower, Some(&rows(2)))], not_worse("m", 0.0));
    assert_eq!((outcome.verdict, outcome.method.as_str()), (CriterionVerdict::Fail, "permutation"));
    assert!((outcome.p.expect("a p") - 6.0_f64.powi(-5)).abs() < 1e-12);
}

#[test]
fn identical_requests_cannot_differ_at_any_number_of_repeats() {
    for repeats in 1..=3 {
        let rows = same(&[0.2, 0.9, 0.4][..repeats], 3);
        let mut run = analysis(vec![metric("m", &rows, Some(&rows))]);
        Arc::make_mut(&mut run.cases).iter_mut().for_each(|case| case.shared = true);
        let decision = completed(&run, &policy(vec![not_worse("m", 0.0)]));
        assert_eq!(decision.verdict, Verdict::Pass, "{repeats}: {:?}", decision.reasons);
    }
}

#[test]
fn shared_cases_stay_in_the_mean_and_a_tolerance_stays_one_of_the_mean() {
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
    assert!(outcome.p.expect("a p") > 0.5, "a drop of just the tolerance is no evidence: {outcome:?}");
}

#[test]
fn holm_counts_every_criterion_that_has_a_p() {
    // Three cases all 0.1 lower: 3 of 8 sums at least... alone p = 1 / 20; beside a second criterion 2 / 20.
    let ours = [vec![0.4, 0.5, 0.3]];
    let theirs = [vec![0.6, 0.7, 0.8]];
    let one = metric("m", &ours, Some(&theirs));
    let still = metric("n", &[vec![0.5, 0.5, 0.5]], Some(&[vec![0.5, 0.5, 0.5]]));
    let outcome = alone(vec![one.clone()], not_worse("m", 0.0));
    assert_eq!((outcome.verdict, outcome.p), (CriterionVerdict::Fail, Some(0.05)));
    let run = analysis(vec![one, still]);
    let decision = completed(&run, &policy(vec![not_worse("m", 0.0), not_worse("n", 0.0)]));
    assert_eq!(
        decision.criteria[0].verdict,
        CriterionVerdict::Inconclusive,
        "a noiseless one takes its place"
    );
    assert_eq!(decision.criteria[0].p, Some(0.05), "the p shown is its own");
    let literal = criterion("check", "m", Requirement::MustPass { case: 0 });
    let decision = completed(&run, &policy(vec![not_worse("m", 0.0), literal]));
    assert_eq!(decision.criteria[0].verdict, CriterionVerdict::Fail, "a literal one does not");
}

#[test]
fn a_threshold_passes_only_if_the_estimate_meets_it() {
    let rows: Vec<Vec<f64>> =
        (0..30).map(|case| vec![0.79, 0.80, 0.78 + f64::from(case % 3) / 100.0]).collect();
    let outcome = alone(vec![metric("m", &rows, None)], minimum("m", 0.7905));
    assert!(outcome.lower > Some(0.75) && outcome.estimate > Some(0.7905));
    assert_eq!(outcome.verdict, CriterionVerdict::Pass);
    let outcome = alone(vec![metric("m", &rows, None)], minimum("m", 0.7941));
    assert!(outcome.lower > Some(0.75) && outcome.p > Some(0.05), "{outcome:?}");
    assert_eq!(outcome.verdict, CriterionVerdict::Inconclusive);
}

#[test]
fn zeros_and_ones_of_a_population_get_wilson_mcnemar_and_tango() {
    let share = |passes: usize, cases: usize| -> Vec<Vec<f64>> {
        (0..cases).map(|case| vec![f64::from(u8::from(case < passes))]).collect()
    };
    let outcome = alone(vec![metric("check.c", &share(24, 30), None)], minimum("check.c", 0.7));
    assert_eq!(outcome.method, "wilson");
    assert!((outcome.lower.expect("a bound") - 0.6574890913212069).abs() < 1e-9);
    assert_eq!(outcome.verdict, CriterionVerdict::Pass);
    let outcome =
        alone(vec![metric("check.c", &share(30, 30), Some(&share(30, 30)))], not_worse("check.c", 0.0));
    assert!((outcome.lower.expect("a bound") + 0.08272430812524319).abs() < 1e-9);
    assert_eq!(outcome.verdict, CriterionVerdict::Inconclusive, "30 clean pairs do not rule out 5 points");
    assert!(outcome.explanation.contains("more cases would settle it"), "{}", outcome.explanation);
    let outcome =
        alone(vec![metric("check.c", &share(25, 30), Some(&share(30, 30)))], not_worse("check.c", 0.0));
    assert_eq!(outcome.method, "sign-flip");
    assert!((outcome.p.expect("a p") - 0.03125).abs() < 1e-9);
    assert_eq!(outcome.verdict, CriterionVerdict::Fail);
    let outcome =
        alone(vec![metric("check.c", &share(25, 30), Some(&share(30, 30)))], not_worse("check.c", 0.1));
    assert_eq!(outcome.method, "tango");
    assert!(outcome.p > Some(0.05), "{outcome:?}");
}

#[test]
fn a_population_of_fewer_than_ten_can_fail_but_not_pass() {
    let nine = |score: f64| (0..9).map(|case| vec![score + f64::from(case) / 1000.0]).collect::<Vec<_>>();
    assert_eq!(
        alone(vec![metric("m", &nine(0.9), None)], minimum("m", 0.5)).verdict,
        CriterionVerdict::Inconclusive
    );
    assert_eq!(alone(vec![metric("m", &nine(0.3), None)], minimum("m", 0.5)).verdict, CriterionVerdict::Fail);
    let ten: Vec<Vec<f64>> = nine(0.9).into_iter().chain([vec![0.9]]).collect();
    assert_eq!(alone(vec![metric("m", &ten, None)], minimum("m", 0.5)).verdict, CriterionVerdict::Pass);
}

#[test]
fn groups_are_flipped_as_a_whole_and_count_as_units() {
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
fn the_point_rule_compares_and_says_so() {
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
fn a_slice_looks_at_its_own_cases_only() {
    let rows = vec![vec![0.2, 0.2, 0.2], vec![0.9, 0.9, 0.9]];
    let mut run = analysis(vec![metric("m", &rows, None)]);
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
fn a_must_pass_case_passes_fails_or_stays_open() {
    let must = || criterion("case.c0", "", Requirement::MustPass { case: 0 });
    for (row, expected) in [
        ([1.0, 1.0, 1.0], CriterionVerdict::Pass),
        ([1.0, 1.0, 0.0], CriterionVerdict::Inconclusive),
        ([1.0, 0.0, 0.0], CriterionVerdict::Fail),
        ([1.0, 1.0, f64::NAN], CriterionVerdict::Incomplete),
        ([0.0, 0.0, f64::NAN], CriterionVerdict::Fail),
    ] {
        let outcome = alone(vec![metric("check.c", &[row.to_vec()], None)], must());
        assert_eq!((outcome.verdict, outcome.kind.as_str()), (expected, "case"), "{row:?}");
    }
}

#[test]
fn a_trial_passes_when_checks_are_one_and_metrics_reach_their_own_minimum() {
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
fn every_case_has_the_first_status_that_applies() {
    let theirs = vec![
        vec![1.0, 1.0, 1.0],
        vec![1.0, 1.0, 1.0],
        vec![0.0, 0.0, 0.0],
        vec![0.9, 0.9, 0.9],
        vec![0.8, 0.8, 0.8],
        vec![1.0, 0.0, 1.0],
        vec![1.0, 1.0, 1.0],
    ];
    let ours = vec![
        vec![f64::NAN, 0.0, 0.0],
        vec![0.0, 0.0, 0.0],
        vec![1.0, 1.0, 1.0],
        vec![0.8, 0.8, 0.8],
        vec![0.9, 0.9, 0.9],
        vec![1.0, 0.0, 1.0],
        vec![0.95, 0.95, 0.95],
    ];
    let run = analysis(vec![metric("m", &ours, Some(&theirs))]);
    let decision = completed(&run, &policy(vec![minimum("m", 0.5), not_worse("m", 0.0)]));
    let found: Vec<CaseStatus> = decision.cases.iter().map(|case| case.status).collect();
    use CaseStatus::{Broken, Fixed, Flaky, Improved, Missing, Regressed, Same};
    assert_eq!(found, [Missing, Broken, Fixed, Regressed, Improved, Flaky, Same]);
    let (name, loss) = decision.cases[3].largest_difference.clone().expect("a difference");
    assert!(name == "m" && (loss + 0.1).abs() < 1e-12);
    let broken = |max| criterion("broken_cases", "", Requirement::BrokenCases { max });
    // The first case could be broken as well, whatever is missing there.
    let verdicts: Vec<_> = completed(&run, &policy(vec![minimum("m", 0.5), broken(0), broken(1), broken(2)]))
        .criteria
        .into_iter()
        .skip(1)
        .map(|outcome| outcome.verdict)
        .collect();
    assert_eq!(verdicts, [CriterionVerdict::Fail, CriterionVerdict::Incomplete, CriterionVerdict::Pass]);
}

fn limit(metric: &str, statistic: Statistic, bound: Bound) -> Criterion {
    criterion("limit", metric, Requirement::Limit { statistic, bound })
}

#[test]
fn percentiles_have_intervals_from_59_trials_on_and_are_literal_before() {
    let seconds = |n: u32| (0..n).map(|case| vec![1.0 + f64::from(case) / 100.0]).collect::<Vec<_>>();
    let p95 = |n, allowed| {
        alone(
            vec![metric("latency", &seconds(n), None)],
            limit("latency", Statistic::P95, Bound::Absolute(allowed)),
        )
    };
    let few = p95(58, 2.0);
    assert_eq!((few.verdict, few.p), (CriterionVerdict::Pass, None));
    assert_eq!(few.method, "literal (too few trials for an interval)");
    assert!(few.explanation.contains("compared as they are"), "{}", few.explanation);
    assert_eq!(p95(58, 1.5).verdict, CriterionVerdict::Fail);
    let enough = p95(59, 2.0);
    assert_eq!((enough.verdict, enough.method.as_str()), (CriterionVerdict::Pass, "order statistics"));
    assert_eq!(enough.upper, Some(1.58));
    assert_eq!(p95(59, 1.2).verdict, CriterionVerdict::Fail);
    // The estimate meets the limit, but 5 % of it more cannot be ruled out.
    let mut tail = seconds(59);
    tail[58][0] = 9.0;
    let open =
        alone(vec![metric("latency", &tail, None)], limit("latency", Statistic::P95, Bound::Absolute(1.6)));
    assert_eq!(open.verdict, CriterionVerdict::Inconclusive, "{}", open.explanation);
}

#[test]
fn limits_on_means_mirror_thresholds() {
    let tokens: Vec<Vec<f64>> = (0..30).map(|case| vec![100.0, 110.0, 90.0 + f64::from(case % 5)]).collect();
    let mean = |bound| {
        alone(vec![metric("output_tokens", &tokens, None)], limit("output_tokens", Statistic::Mean, bound))
    };
    let pass = mean(Bound::Absolute(110.0));
    assert_eq!((pass.verdict, pass.method.as_str()), (CriterionVerdict::Pass, "t"));
    assert!(pass.lower < pass.estimate && pass.estimate < pass.upper);
    assert_eq!(mean(Bound::Absolute(90.0)).verdict, CriterionVerdict::Fail);
    assert_eq!(mean(Bound::Absolute(100.5)).verdict, CriterionVerdict::Inconclusive);
    let lone = alone(
        vec![metric("output_tokens", &[vec![100.0]], None)],
        limit("output_tokens", Statistic::Mean, Bound::Absolute(100.0)),
    );
    assert_eq!((lone.verdict, lone.p), (CriterionVerdict::Pass, None));
    assert!(lone.method.starts_with("literal"));
}

#[test]
fn relative_limits_compare_with_the_baseline() {
    let theirs: Vec<Vec<f64>> = (0..100).map(|case| vec![100.0, 101.0, 99.0 + f64::from(case % 3)]).collect();
    let times = |factor: f64| -> Vec<Vec<f64>> {
        theirs.iter().map(|row| row.iter().map(|tokens| tokens * factor).collect()).collect()
    };
    for statistic in [Statistic::Mean, Statistic::P50, Statistic::P95] {
        let with = |factor| {
            let metric = metric("output_tokens", &times(factor), Some(&theirs));
            alone(vec![metric], limit("output_tokens", statistic, Bound::MaxIncrease(0.2)))
        };
        assert_eq!(with(1.1).verdict, CriterionVerdict::Pass, "{statistic:?}: {:?}", with(1.1));
        let over = with(1.3);
        assert_eq!(over.verdict, CriterionVerdict::Fail, "{statistic:?}: {over:?}");
        assert!((over.required / 1.2 - 100.0).abs() < 2.0 && over.estimate > Some(125.0), "{over:?}");
    }
}

#[test]
fn a_relative_latency_needs_a_fresh_baseline() {
    let seconds = same(&[1.0, 1.1, 0.9], 30);
    let mut run = analysis(vec![metric("latency", &seconds, Some(&seconds))]);
    let policy = policy(vec![limit("latency", Statistic::P50, Bound::MaxIncrease(0.5))]);
    assert_eq!(completed(&run, &policy).verdict, Verdict::Pass);
    run.sessions_differ = true;
    let decision = completed(&run, &policy);
    assert_eq!(decision.verdict, Verdict::Incomplete);
    assert!(decision.criteria[0].explanation.contains("needs a fresh baseline"));
}

#[test]
fn copies_from_a_cache_are_no_repeats() {
    let rows: Vec<Vec<f64>> = (0..12).map(|case| vec![0.9 - f64::from(case) / 100.0; 3]).collect();
    let mut run = analysis(vec![metric("m", &rows, None)]);
    let policy = policy(vec![minimum("m", 0.84)]);
    assert_eq!(completed(&run, &policy).criteria[0].method, "literal");
    run.repeats_cached = true;
    let decision = completed(&run, &policy);
    assert_eq!(decision.criteria[0].method, "t");
    assert_eq!(decision.metrics[0].scope, Scope::Population);
    assert!(decision.warnings.iter().any(|warning| warning.contains("a cache seems to answer")));
}

#[test]
fn reasons_come_worst_first_and_name_their_criterion() {
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
    let (suite, wide) = (summary(Scope::Suite), summary(Scope::Population));
    assert_eq!((suite.scope, wide.scope), (Scope::Suite, Scope::Population));
    assert_eq!(suite.difference, wide.other_difference);
    assert_eq!(suite.other_difference, wide.difference);
    assert_ne!(suite.difference, suite.other_difference);
    assert_eq!(suite.candidate_cases, 20);
    assert!(suite.within_case_sd > Some(0.0) && suite.smallest_detectable_drop > Some(0.0));
    let outcome = population(vec![metric("m", &ours, Some(&theirs))], not_worse("m", 0.0));
    assert_eq!(outcome.lower, wide.difference.and_then(|interval| interval.lower));
}

#[test]
fn readers_are_warned_of_few_cases_and_thin_evidence() {
    let decision = completed(
        &analysis(vec![metric("m", &same(&[0.9, 0.9, 0.9], 10), None)]),
        &policy(vec![minimum("m", 0.8)]),
    );
    assert_eq!(decision.verdict, Verdict::Pass);
    let has = |part: &str| decision.warnings.iter().any(|warning| warning.contains(part));
    assert!(has("10 cases are few"), "{:?}", decision.warnings);
    assert!(has("25.9 % of traffic"), "{:?}", decision.warnings);
    assert!(has("m shows no noise between repeats"), "{:?}", decision.warnings);
    assert!(has("30 trials are thin evidence, 59 would be enough"), "{:?}", decision.warnings);
}

#[test]
fn a_large_suite_is_decided_by_t_in_no_time() {
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
