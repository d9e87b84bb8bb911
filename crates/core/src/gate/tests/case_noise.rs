//! Cases that changed by more than noise explains.

use super::super::case_status;
use super::super::trials::TrialTallies;
use super::builders::{analysis, completed, deterministic, metric, minimum, not_worse, policy, same};
use super::tagged_suite::{Random, TRULY_BROKEN, runs, tagged_suite};
use crate::model::{Analysis, CaseFacts, CaseStatus, CaseSummary, MetricScores};
use crate::stats::clopper_pearson;

use CaseStatus::{Broken, Fixed, Flaky, Higher, Improved, Lower, Regressed, Same};

/// The statuses alone: a decision also draws permutations, which thousands of runs have no time for.
fn summaries(run: &Analysis) -> Vec<CaseSummary> {
    let criteria =
        run.metrics.iter().flat_map(|metric| [minimum(&metric.name, 0.5), not_worse(&metric.name, 0.0)]);
    let policy = policy(criteria.collect());
    case_status::statuses(run, &policy, &TrialTallies::new(run, &policy, false))
}

/// The statuses without a minimum, where no case can break.
fn compared(run: &Analysis) -> Vec<CaseStatus> {
    let policy = policy(run.metrics.iter().map(|metric| not_worse(&metric.name, 0.0)).collect());
    let summaries = case_status::statuses(run, &policy, &TrialTallies::new(run, &policy, false));
    summaries.into_iter().map(|case| case.status).collect()
}

fn statuses(run: &Analysis) -> Vec<CaseStatus> {
    summaries(run).into_iter().map(|case| case.status).collect()
}

fn of(metrics: Vec<MetricScores>) -> Vec<CaseStatus> {
    statuses(&analysis(metrics))
}

/// Judged scores around 0.9 with this deviation; the first `fallen` cases are lower by 0.4.
fn judged(random: &mut Random, cases: usize, repeats: usize, deviation: f64, fallen: usize) -> MetricScores {
    let mut side = |drop: f64| -> Vec<Vec<f64>> {
        (0..cases)
            .map(|case| {
                let mean = if case < fallen { 0.9 - drop } else { 0.9 };
                (0..repeats).map(|_| random.normal(mean, deviation).clamp(0.0, 1.0)).collect()
            })
            .collect()
    };
    let theirs = side(0.0);
    metric("m", &side(0.4), Some(&theirs))
}

#[test]
fn large_suite_names_the_broken_cases_and_little_else() {
    for repeats in [3, 8] {
        for seed in 1..=4 {
            let (run, truly) = tagged_suite(seed, repeats);
            let statuses = statuses(&run);
            let named = |case: &usize| matches!(statuses[*case], Broken | Regressed);
            let found = truly.iter().filter(|case| named(case)).count();
            let all = (0..statuses.len()).filter(named).count();
            assert!((40..=TRULY_BROKEN).contains(&found), "seed {seed}, {repeats} repeats: {found} found");
            assert!(all <= 60, "seed {seed}, {repeats} repeats: {all} named");
        }
    }
}

/// Among the cases of an unchanged suite, only chance can be named. The share of runs in which it is, is the rate of false
/// discoveries there.
#[test]
fn unchanged_suite_rarely_has_a_regressed_case() {
    let runs = 2_000;
    let mut random = Random::new(7);
    for (deviation, repeats) in [(0.02, 3), (0.2, 3), (0.2, 6)] {
        let false_alarms = (0..runs)
            .filter(|_| {
                let run = analysis(vec![judged(&mut random, 20, repeats, deviation, 0)]);
                statuses(&run).iter().any(|status| matches!(status, Regressed | Improved))
            })
            .count();
        let lower = clopper_pearson(false_alarms, runs, 0.025).lower.unwrap_or(0.0);
        assert!(lower <= 0.1, "deviation {deviation}, {repeats} repeats: {false_alarms} of {runs}");
    }
}

#[test]
fn binary_scores_of_an_unchanged_suite_rarely_regress() {
    let runs = 2_000;
    let mut random = Random::new(8);
    for repeats in [3, 6, 12] {
        let mut false_alarms = 0;
        for _ in 0..runs {
            let rates: Vec<f64> = (0..20).map(|_| random.pass_rate()).collect();
            let mut side =
                || -> Vec<Vec<f64>> { rates.iter().map(|rate| random.trials(*rate, repeats)).collect() };
            let theirs = side();
            let run = analysis(vec![metric("m", &side(), Some(&theirs))]);
            false_alarms +=
                usize::from(statuses(&run).iter().any(|status| matches!(status, Regressed | Improved)));
        }
        let lower = clopper_pearson(false_alarms, runs, 0.025).lower.unwrap_or(0.0);
        assert!(lower <= 0.1, "{repeats} repeats: {false_alarms} of {runs}");
    }
}

#[test]
fn clear_losses_in_a_noisy_suite_are_found() {
    let mut random = Random::new(9);
    let statuses = of(vec![judged(&mut random, 60, 6, 0.1, 6)]);
    let regressed: Vec<usize> = (0..60).filter(|case| statuses[*case] == Regressed).collect();
    assert!((0..6).all(|case| regressed.contains(&case)), "{regressed:?}");
    assert!(regressed.len() <= 8, "{regressed:?}");
    assert!(statuses[6..].contains(&Lower) && statuses.contains(&Higher));
}

#[test]
fn two_of_three_trials_after_three_is_noise() {
    let mut ours = same(&[1.0; 3], 20);
    ours[0] = vec![1.0, 0.0, 1.0];
    let statuses = of(vec![metric("m", &ours, Some(&same(&[1.0; 3], 20)))]);
    assert_eq!((statuses[0], statuses[1]), (Flaky, Same));
}

#[test]
fn any_change_of_a_deterministic_suite_is_certain() {
    let theirs = [vec![0.9; 3], vec![0.9; 3], vec![0.9; 3]];
    let ours = [vec![0.89; 3], vec![0.9; 3], vec![0.91; 3]];
    let certain = deterministic(metric("m", &ours, Some(&theirs)));
    assert_eq!(of(vec![certain.clone()]), [Regressed, Same, Improved]);
    let mut copies = analysis(vec![MetricScores { deterministic_repeats: 0, ..certain }]);
    assert_eq!(statuses(&copies), [Lower, Same, Higher]);
    copies.repeats_cached = true;
    assert_eq!(statuses(&copies), [Lower, Same, Higher]);
}

#[test]
fn suite_without_visible_noise_is_not_without_noise() {
    let sides = |cases| {
        let mut ours = same(&[0.9; 3], cases);
        ours[0] = vec![0.8; 3];
        metric("m", &ours, Some(&same(&[0.9; 3], cases)))
    };
    // One case does not show how much a score moves; thirty that never do show that it hardly does.
    assert_eq!(of(vec![sides(1)]), [Lower]);
    assert_eq!(of(vec![sides(30)])[0], Regressed);
}

/// Scores of one variant in which the first `noisy` cases take one of `levels` by chance, and the others are near 0.9 with
/// this deviation.
fn uneven_side(
    random: &mut Random,
    cases: (usize, usize),
    repeats: usize,
    levels: &[f64],
    deviation: f64,
) -> Vec<Vec<f64>> {
    let (cases, noisy) = cases;
    let score = |random: &mut Random, case: usize| match case < noisy {
        true => levels[(random.uniform() * levels.len() as f64) as usize],
        false => random.normal(0.9, deviation).clamp(0.0, 1.0),
    };
    (0..cases).map(|case| (0..repeats).map(|_| score(random, case)).collect()).collect()
}

/// A few noisy cases among quiet ones: the noise of the others must not make theirs look certain.
#[test]
fn noisy_cases_of_an_unchanged_suite_rarely_regress() {
    const FIVE: &[f64] = &[0.0, 0.25, 0.5, 0.75, 1.0];
    const TWO: &[f64] = &[0.5, 1.0];
    let mut random = Random::new(10);
    let suites = [
        (FIVE, (20, 3), 3, 0.0, 2_000),
        (FIVE, (20, 3), 3, 0.01, 2_000),
        (FIVE, (50, 10), 3, 0.0, 2_000),
        (FIVE, (50, 10), 6, 0.05, 2_000),
        (FIVE, (200, 40), 3, 0.01, 500),
        (FIVE, (2_000, 200), 3, 0.0, 50),
        (TWO, (20, 5), 3, 0.0, 2_000),
        (TWO, (200, 40), 3, 0.01, 500),
    ];
    for (levels, cases, repeats, deviation, fewer) in suites {
        let runs = runs(fewer);
        let false_alarms = (0..runs)
            .filter(|_| {
                let mut side = || uneven_side(&mut random, cases, repeats, levels, deviation);
                let (ours, theirs) = (side(), side());
                let statuses = compared(&analysis(vec![metric("m", &ours, Some(&theirs))]));
                statuses.iter().any(|status| matches!(status, Regressed | Improved))
            })
            .count();
        let found =
            format!("{levels:?}, {cases:?}, {repeats} repeats, {deviation}: {false_alarms} of {runs}");
        println!("{found}");
        let lower = clopper_pearson(false_alarms, runs, 0.025).lower.unwrap_or(0.0);
        assert!(lower <= 0.1, "{found}");
    }
}

#[test]
fn quiet_case_that_falls_far_is_found_among_noisy_ones() {
    let mut random = Random::new(11);
    let levels = [0.0, 0.25, 0.5, 0.75, 1.0];
    for cases in [(20, 3), (50, 10), (200, 40), (2_000, 200)] {
        let mut side = || uneven_side(&mut random, cases, 3, &levels, 0.0);
        let (mut ours, theirs) = (side(), side());
        ours[cases.0 - 5..].fill(vec![0.15; 3]);
        let statuses = compared(&analysis(vec![metric("m", &ours, Some(&theirs))]));
        assert_eq!(statuses[cases.0 - 5..], [Regressed; 5], "{cases:?}");
    }
}

#[test]
fn single_repeats_show_no_noise_and_no_case_is_tested() {
    // One answer in a hundred is lower, with either prompt.
    let theirs: Vec<Vec<f64>> = (0..100).map(|case| vec![if case == 7 { 0.5 } else { 0.9 }]).collect();
    let ours: Vec<Vec<f64>> = (0..100).map(|case| vec![if case == 3 { 0.5 } else { 0.9 }]).collect();
    let statuses = of(vec![metric("m", &ours, Some(&theirs))]);
    assert_eq!((statuses[3], statuses[7], statuses[0]), (Lower, Higher, Same));
    // Copies of one answer are one repeat.
    let row = |score: &f64| vec![*score; 3];
    let copies = |rows: &[Vec<f64>]| -> Vec<Vec<f64>> { rows.iter().map(|scores| row(&scores[0])).collect() };
    let mut run = analysis(vec![metric("m", &copies(&ours), Some(&copies(&theirs)))]);
    run.repeats_cached = true;
    let statuses = self::statuses(&run);
    assert_eq!((statuses[3], statuses[7]), (Lower, Higher));
    // Only certain repeats need no noise.
    let certain = deterministic(metric("m", &ours, Some(&theirs)));
    let statuses = of(vec![certain]);
    assert_eq!((statuses[3], statuses[7]), (Regressed, Improved));
}

#[test]
fn repeats_of_the_variants_may_differ_in_number() {
    let mut random = Random::new(3);
    let mut side = |mean: f64, repeats: usize| -> Vec<f64> {
        (0..repeats).map(|_| random.normal(mean, 0.05).clamp(0.0, 1.0)).collect()
    };
    let theirs: Vec<Vec<f64>> = (0..20).map(|_| side(0.8, 2)).collect();
    let ours: Vec<Vec<f64>> = (0..20).map(|case| side(if case == 0 { 0.55 } else { 0.8 }, 6)).collect();
    let statuses = of(vec![metric("m", &ours, Some(&theirs))]);
    assert_eq!(statuses[0], Regressed);
    assert!(statuses[1..].iter().all(|status| matches!(status, Lower | Higher)), "{statuses:?}");
}

/// The status of the first case and its metric where it changes in one of several metrics.
fn first_of(metrics: &[(&str, f64)]) -> (CaseStatus, Option<(String, f64)>) {
    let scores = |(name, score): &(&str, f64)| {
        let mut ours = same(&[0.8; 3], 30);
        ours[0] = vec![*score; 3];
        // Noise of 0.01 in all other cases.
        ours[1..].iter_mut().for_each(|row| row[0] -= 0.01);
        metric(name, &ours, Some(&same(&[0.8; 3], 30)))
    };
    let run = analysis(metrics.iter().map(scores).collect());
    let cases = summaries(&run);
    (cases[0].status, cases[0].largest_difference.clone())
}

#[test]
fn case_with_several_metrics_has_the_status_of_its_worst() {
    let (status, largest) = first_of(&[("gain", 1.0), ("loss", 0.5), ("same", 0.8)]);
    assert_eq!((status, largest.map(|(metric, _)| metric)), (Regressed, Some("loss".to_owned())));
    // A loss within noise hides no gain beyond it.
    let (status, largest) = first_of(&[("gain", 1.0), ("loss", 0.79)]);
    assert_eq!((status, largest.map(|(metric, _)| metric)), (Improved, Some("gain".to_owned())));
}

#[test]
fn broken_and_fixed_come_before_noise() {
    let mut ours = same(&[1.0; 3], 10);
    let mut theirs = ours.clone();
    (ours[0], theirs[1]) = (vec![0.0; 3], vec![0.0; 3]);
    let statuses = of(vec![metric("m", &ours, Some(&theirs))]);
    assert_eq!(statuses[..3], [Broken, Fixed, Same]);
}

#[test]
fn metric_without_a_criterion_changes_no_status() {
    let mut ours = same(&[0.8; 3], 30);
    ours[0] = vec![0.1; 3];
    let run = analysis(vec![
        deterministic(metric("free", &ours, Some(&same(&[0.8; 3], 30)))),
        metric("m", &same(&[1.0; 3], 30), Some(&same(&[1.0; 3], 30))),
    ]);
    let decision = completed(&run, &policy(vec![not_worse("m", 0.0)]));
    assert!(decision.cases.iter().all(|case| case.status == Same));
}

#[test]
fn shared_case_never_changes() {
    let (ours, theirs) = (same(&[0.1; 3], 3), same(&[0.9; 3], 3));
    let mut run = analysis(vec![deterministic(metric("m", &ours, Some(&theirs)))]);
    run.cases = run
        .cases
        .iter()
        .enumerate()
        .map(|(case, facts)| CaseFacts { shared: case == 1, ..facts.clone() })
        .collect();
    assert_eq!(statuses(&run), [Broken, Same, Broken]);
}
