//! The win rate over the baseline: its rules, its mirror image and how often it is wrong.

use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::builders::{analysis, completed, criterion, matrix, metric, policy, same};
use super::tagged_suite::runs;
use crate::gate::{Criterion, Policy, Requirement, decide};
use crate::model::{
    Analysis, CaseFacts, Contested, ContestedTrial, CriterionOutcome, CriterionVerdict, Ended, MetricScores,
    Role, Scope, TrialPlace, VariantScores,
};
use crate::stats::clopper_pearson;

fn preferred(tolerance: f64) -> Criterion {
    criterion("preference.baseline", "preference", Requirement::WinRate { tolerance })
}

/// Results of pairs, with ties for the baseline as `analyse` makes them.
fn pairs(rows: &[Vec<f64>]) -> MetricScores {
    let tie = |score: &f64| if score.is_finite() { 0.5 } else { *score };
    let ties: Vec<Vec<f64>> = rows.iter().map(|row| row.iter().map(tie).collect()).collect();
    metric("preference", rows, Some(&ties))
}

fn outcome(run: &Analysis, policy: &Policy) -> CriterionOutcome {
    completed(run, policy).criteria.swap_remove(0)
}

fn decided(rows: &[Vec<f64>], tolerance: f64) -> CriterionOutcome {
    outcome(&analysis(vec![pairs(rows)]), &policy(vec![preferred(tolerance)]))
}

#[test]
fn better_candidate_passes_and_worse_one_fails() {
    let better = decided(&same(&[1.0, 1.0, 0.5], 12), 0.0);
    assert_eq!(better.verdict, CriterionVerdict::Pass, "{better:?}");
    assert_eq!((better.required, better.kind.as_str()), (Some(0.5), "win_rate"));
    assert!(better.explanation.contains("win rate over the baseline is 0.83"), "{}", better.explanation);
    let worse = decided(&same(&[0.0, 0.5, 0.0], 12), 0.0);
    assert_eq!((worse.verdict, worse.method.as_str()), (CriterionVerdict::Fail, "sign-flip"), "{worse:?}");
    assert!(worse.explanation.contains("below the required 0.5"), "{}", worse.explanation);
}

#[test]
fn p_is_that_of_the_sign_test_over_pairs() {
    // 2 wins, 8 losses and 5 ties: the binomial tail of at most 2 of 10.
    let results = [1.0, 0.0, 0.5, 0.0, 0.0, 0.5, 0.0, 1.0, 0.5, 0.0, 0.0, 0.5, 0.0, 0.0, 0.5];
    let rows: Vec<Vec<f64>> = results.chunks(3).map(<[f64]>::to_vec).collect();
    let p = decided(&rows, 0.0).p.expect("a p");
    assert!((p - 56.0 / 1024.0).abs() < 1e-12, "{p}");
}

#[test]
fn interval_has_the_noise_of_the_pairs_alone() {
    let rows = [vec![1.0, 0.0, 0.5], vec![0.5, 1.0, 0.0], vec![0.0, 0.5, 1.0], vec![1.0, 0.5, 0.0]];
    let outcome = decided(&rows, 0.0);
    // Each case has the variance 1/4, so SE = sqrt(4 / 12) / 4 / 2 with 8 degrees of freedom.
    let reach = 1.859_548_037_530_898 * (4.0 * 0.25 / 3.0_f64).sqrt() / 4.0;
    let lower = outcome.lower.expect("a bound");
    assert!((lower - (0.5 - reach)).abs() < 1e-9, "{lower}");
}

#[test]
fn shared_cases_tie_for_certain() {
    let mut run = analysis(vec![pairs(&same(&[0.5; 3], 4))]);
    run.cases = run.cases.iter().map(|case| CaseFacts { shared: true, ..case.clone() }).collect();
    let all_shared = outcome(&run, &policy(vec![preferred(0.0)]));
    assert_eq!((all_shared.verdict, all_shared.method.as_str()), (CriterionVerdict::Pass, "literal"));
    // Ties that could have come out otherwise have the floor of the variance.
    let open = decided(&same(&[0.5; 3], 4), 0.0);
    assert_eq!(open.verdict, CriterionVerdict::Inconclusive, "{open:?}");
}

#[test]
fn missing_result_of_a_pair_counts_against_both_ends() {
    let mut rows = same(&[1.0, 0.5, 1.0], 12);
    rows[0][0] = f64::NAN;
    let lenient = Policy { max_missing: 1.0, ..policy(vec![preferred(0.0)]) };
    let few = outcome(&analysis(vec![pairs(&rows)]), &lenient);
    assert_eq!(few.verdict, CriterionVerdict::Pass, "{few:?}");
    let many = outcome(&analysis(vec![pairs(&same(&[f64::NAN, f64::NAN, 1.0], 12))]), &lenient);
    assert_eq!(many.verdict, CriterionVerdict::Incomplete, "{many:?}");
}

#[test]
fn without_a_baseline_nothing_is_decided() {
    let scores = MetricScores {
        scores: VariantScores { candidate: matrix(&same(&[0.5; 3], 4)), baseline: None },
        ..pairs(&same(&[0.5; 3], 4))
    };
    let outcome = outcome(&analysis(vec![scores]), &policy(vec![preferred(0.0)]));
    assert_eq!(outcome.verdict, CriterionVerdict::Incomplete);
    assert!(outcome.explanation.contains("no baseline to compare with"), "{}", outcome.explanation);
}

#[test]
fn contested_answers_lose_in_the_second_decision() {
    let rows = same(&[0.5, 0.5, 1.0], 12);
    let contested = |role| {
        let mut run = analysis(vec![pairs(&rows)]);
        let at = |case| ContestedTrial { at: TrialPlace { role, case, repeat: 2 }, timed_out: false };
        run.contested = Contested { trials: (0..12).map(at).collect(), ..Contested::default() };
        outcome(&run, &policy(vec![preferred(0.0)]))
    };
    let ours = contested(Role::Candidate);
    assert_eq!(ours.verdict, CriterionVerdict::Incomplete, "{ours:?}");
    assert!(ours.explanation.contains("Counted as lost"), "{}", ours.explanation);
    assert_eq!(contested(Role::Baseline).verdict, CriterionVerdict::Pass);
}

#[test]
fn clusters_of_a_population_are_flipped_whole() {
    // Three groups lost: 1 of 8 arrangements is as bad, however many cases they have.
    let mut run = analysis(vec![pairs(&same(&[0.0], 30))]);
    run.cases = (0..30)
        .map(|case| CaseFacts {
            id: format!("c{case}"),
            group: Some(format!("g{}", case % 3)),
            ..CaseFacts::default()
        })
        .collect();
    let wide = Policy { scope: Scope::Population, ..policy(vec![preferred(0.0)]) };
    let outcome = outcome(&run, &wide);
    assert!((outcome.p.expect("a p") - 0.125).abs() < 1e-12, "{outcome:?}");
}

/// Results of pairs: repeats of cases.
fn results() -> impl Strategy<Value = Vec<Vec<f64>>> {
    let result = prop_oneof![Just(0.0), Just(0.5), Just(1.0)];
    (1..5_usize, 1..5_usize).prop_flat_map(move |(cases, repeats)| {
        prop::collection::vec(prop::collection::vec(result.clone(), repeats), cases)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn swapped_variants_mirror_estimate_and_interval(rows in results(), population: bool) {
        let mirrored: Vec<Vec<f64>> =
            rows.iter().map(|row| row.iter().map(|score| 1.0 - score).collect()).collect();
        let scope = if population { Scope::Population } else { Scope::Suite };
        let policy = Policy { scope, ..policy(vec![preferred(0.0)]) };
        let summary = |rows: &[Vec<f64>]| {
            let decision = completed(&analysis(vec![pairs(rows)]), &policy);
            let metric = decision.metrics.into_iter().next().expect("a metric");
            (decision.criteria[0].estimate.expect("an estimate"), metric.difference.expect("a difference"))
        };
        let ((ours, difference), (theirs, mirror)) = (summary(&rows), summary(&mirrored));
        prop_assert!((ours - (1.0 - theirs)).abs() < 1e-12);
        prop_assert!((difference.mean + mirror.mean).abs() < 1e-12);
        prop_assert!((difference.mean - (ours - 0.5)).abs() < 1e-12);
        // A candidate that is shown to lose is shown to win once the variants are swapped.
        let verdict = |rows: &[Vec<f64>]| outcome(&analysis(vec![pairs(rows)]), &policy).verdict;
        if verdict(&rows) == CriterionVerdict::Fail {
            prop_assert_ne!(verdict(&mirrored), CriterionVerdict::Fail);
        }
    }

    #[test]
    fn larger_tolerance_is_never_harder(rows in results(), tenths in 0..4_u32) {
        let rank = |tolerance| match decided(&rows, tolerance).verdict {
            CriterionVerdict::Fail => 0,
            CriterionVerdict::Inconclusive | CriterionVerdict::Incomplete => 1,
            CriterionVerdict::Pass => 2,
        };
        let low = f64::from(tenths) / 10.0;
        // A permutation after a shift is not monotone in it, so a fail may turn undecided, but never a pass a fail.
        prop_assert!(rank(low + 0.1) > 0 || rank(low) < 2);
    }
}

/// Simulated runs of 30 cases with the default looks: how many failed and how many passed. The chance of a win in a case
/// is around `rate`, by up to 0.3; a fifth of the pairs tie.
fn simulated(rate: f64, runs: u64) -> (usize, usize) {
    let policy = Policy { repeats: 3, max_repeats: 24, ..policy(vec![preferred(0.0)]) };
    let mut random = ChaCha8Rng::seed_from_u64(17);
    let mut uniform = move || f64::from(random.next_u32()) / f64::from(u32::MAX);
    let (mut failed, mut passed) = (0, 0);
    for _ in 0..runs {
        let rows: Vec<Vec<f64>> = (0..30)
            .map(|case| {
                let own = rate + if case % 2 == 0 { 0.3 } else { -0.3 };
                let mut result = || match uniform() < 0.2 {
                    true => 0.5,
                    false => f64::from(u8::from(uniform() < own)),
                };
                (0..24).map(|_| result()).collect()
            })
            .collect();
        match decide(&analysis(vec![pairs(&rows)]), &policy, &Ended::Completed).criteria[0].verdict {
            CriterionVerdict::Fail => failed += 1,
            CriterionVerdict::Pass => passed += 1,
            _ => {}
        }
    }
    (failed, passed)
}

#[test]
fn simulated_runs_keep_the_promised_error_rates() {
    let runs = runs(300);
    let exceeds = |count: usize, promise: f64| {
        clopper_pearson(count, runs, 0.025).lower.is_some_and(|lower| lower > promise)
    };
    // The win rate is (1 - 0.2) rate + 0.1, and the resolution 0.05.
    let (failed, passed) = simulated(0.5, runs as u64);
    println!("equal: {failed} failed, {passed} passed of {runs}");
    assert!(!exceeds(failed, 0.05), "{failed} of {runs} equal variants failed");
    assert!(passed > runs / 2, "{passed} of {runs} equal variants passed");
    let (_, passed) = simulated(0.4375, runs as u64);
    println!("0.45: {passed} passed of {runs}");
    assert!(!exceeds(passed, 0.05), "{passed} of {runs} passed at a win rate of 0.45");
    let (failed, passed) = simulated(0.375, runs as u64);
    println!("0.4: {failed} failed, {passed} passed of {runs}");
    assert!(!exceeds(passed, 0.01), "{passed} of {runs} passed at a win rate of 0.4");
    assert!(failed > runs * 9 / 10, "{failed} of {runs} failed at a win rate of 0.4");
}
