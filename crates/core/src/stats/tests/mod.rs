//! Every function against independently computed values, and properties of any input.

pub(super) mod draws;
mod judges;
mod oracle;
mod plans;
mod properties;
mod properties_of_judges;

use super::*;

#[test]
fn invalid_parameters_give_nan_without_panic() {
    assert!(student_t_quantile(1.5, 3.0).is_nan());
    assert!(student_t_quantile(0.5, 0.0).is_nan());
    assert!(student_t_cdf(0.0, -1.0).is_nan());
    assert!(normal_quantile(-0.1).is_nan());
    assert!(beta_quantile(0.5, 0.0, 1.0).is_nan());
    assert_eq!(binomial_cdf(5, 3, 0.5), 1.0);
    assert_eq!(binomial_cdf(0, 3, 1.0), 0.0);
    assert_eq!(student_t_quantile(0.975, f64::INFINITY), normal_quantile(0.975));
    assert_eq!(student_t_quantile(1.0, 1e6), f64::INFINITY);
}

#[test]
fn student_t_is_exact_with_many_degrees_of_freedom() {
    // Checked by numerical integration of the tail with 30 digits.
    for (probability, degrees_of_freedom, expected) in [
        (0.95, 10_000.0, 1.645_006_018_069_243),
        (0.95, 20_000.0, 1.644_929_818_959_481_7),
        (0.9999, 20_000.0, 3.719_706_062_884_869),
        (0.99375, 566_000.0, 2.497_713_460_179_722_5),
    ] {
        let found = student_t_quantile(probability, degrees_of_freedom);
        assert!((found - expected).abs() < 1e-9, "{found} at {degrees_of_freedom}");
        assert!((student_t_cdf(found, degrees_of_freedom) - probability).abs() < 1e-9);
        assert_eq!(student_t_quantile(1.0 - probability, degrees_of_freedom).signum(), -1.0);
    }
}

#[test]
fn proportion_test_inverts_wilson_interval() {
    for (k, n) in [(24, 30), (9, 10), (45, 50)] {
        let upper = wilson(k, n, 0.05).upper.expect("a bound");
        assert!((proportion_p_below(k, n, upper) - 0.05).abs() < 1e-9);
    }
    assert_eq!(proportion_p_below(29, 30, 1.0), 0.0);
    assert_eq!(proportion_p_below(30, 30, 1.0), 1.0);
    assert_eq!(proportion_p_below(0, 30, 0.0), 1.0);
}

#[test]
fn drawn_permutation_p_is_close_to_exact_p() {
    // 7 cases of 3 + 3 have 20^7 arrangements; the exact p comes from convolution over a grid.
    let ours: Repeated = (0..7).map(|i| [0.2, 0.4, f64::from(i) / 10.0]).collect();
    let theirs: Repeated = (0..7).map(|i| [0.3, 0.6, f64::from(i) / 10.0 + 0.1]).collect();
    let drawn = within_cases(&ours, &theirs, &[], 0.0, 7).expect("few scores");
    assert!(!drawn.exact && drawn.draws == 50_000);
    let exact = grid_p(&ours, &theirs, 10.0);
    let error = (exact * (1.0 - exact) / 50_000.0).sqrt();
    assert!((drawn.p - exact).abs() < 4.0 * error, "{} against {exact}", drawn.p);
    assert_eq!(within_cases(&ours, &theirs, &[], 0.0, 7), Some(drawn), "same seed, same draws");
    assert_ne!(within_cases(&ours, &theirs, &[], 0.0, 8), Some(drawn), "different seed, different draws");
}

#[test]
fn cases_with_many_arrangements_are_shuffled() {
    // 2 cases of 7 + 7: 3432 arrangements each.
    let ours: Repeated = (0..2).map(|i| (0..7).map(move |r| f64::from((r * 3 + i) % 5) / 10.0)).collect();
    let theirs: Repeated =
        (0..2).map(|i| (0..7).map(move |r| f64::from((r * 2 + i) % 6) / 10.0 + 0.1)).collect();
    let drawn = within_cases(&ours, &theirs, &[], 0.0, 3).expect("few scores");
    let exact = grid_p(&ours, &theirs, 10.0);
    let error = (exact * (1.0 - exact) / 50_000.0).sqrt();
    assert!(!drawn.exact && (drawn.p - exact).abs() < 4.0 * error, "{} against {exact}", drawn.p);
}

/// The exact p for scores that are multiples of 1 / `scale`, by convolution of integers.
fn grid_p(ours: &Repeated, theirs: &Repeated, scale: f64) -> f64 {
    use std::collections::BTreeMap;
    let mut ways: BTreeMap<i64, f64> = BTreeMap::from([(0, 1.0)]);
    let mut observed = 0;
    for (ours, theirs) in ours.rows().zip(theirs.rows()) {
        let whole = |score: &f64| (score * scale).round() as i64;
        observed += ours.iter().map(whole).sum::<i64>();
        let pool: Vec<i64> = ours.iter().chain(theirs).map(whole).collect();
        let mut sums: BTreeMap<i64, f64> = BTreeMap::new();
        for mask in 0_u32..1 << pool.len() {
            if mask.count_ones() as usize == ours.len() {
                let picked = (0..pool.len()).filter(|bit| mask >> bit & 1 == 1).map(|bit| pool[bit]).sum();
                *sums.entry(picked).or_default() += 1.0;
            }
        }
        let mut next = BTreeMap::new();
        for (total, count) in &ways {
            for (more, times) in &sums {
                *next.entry(total + more).or_default() += count * times;
            }
        }
        ways = next;
    }
    let all: f64 = ways.values().sum();
    ways.range(..=observed).map(|(_, count)| count).sum::<f64>() / all
}

#[test]
fn unequal_repeats_are_compared_by_case_means() {
    // C(3, 1) = 3 arrangements: d = 0.9 - 0.15, 0.1 - 0.55, 0.2 - 0.5; the observed one is the middle of them.
    let ours: Repeated = [[0.2]].into_iter().collect();
    let theirs: Repeated = [[0.9, 0.1]].into_iter().collect();
    let p = within_cases(&ours, &theirs, &[], 0.0, 1).expect("small").p;
    assert!((p - 2.0 / 3.0).abs() < 1e-12);
    let mirrored = within_cases(&theirs, &ours, &[], 0.0, 1).expect("small").p;
    assert!((mirrored - 2.0 / 3.0).abs() < 1e-12);
}

#[test]
fn shared_cases_are_not_permuted() {
    let ours: Repeated = [[0.1, 0.2, 0.3], [0.9, 0.1, 0.5]].into_iter().collect();
    let theirs: Repeated = [[0.4, 0.5, 0.6], [0.9, 0.1, 0.5]].into_iter().collect();
    let p = within_cases(&ours, &theirs, &[false, true], 0.0, 1).expect("small").p;
    assert!((p - 0.05).abs() < 1e-12);
}

#[test]
fn too_many_scores_are_not_permuted() {
    let ours: Repeated = (0..1000).map(|i| [f64::from(i % 7) / 7.0, 0.5, f64::from(i % 3) / 3.0]).collect();
    assert_eq!(within_cases(&ours, &ours, &[], 0.0, 1), None);
    let units: Vec<f64> = (1..5000).map(f64::from).collect();
    assert_eq!(sign_flip(&units, units.len(), 1), None);
}

#[test]
fn percentiles_use_nearest_rank() {
    let values: Vec<f64> = (1..=20).map(f64::from).collect();
    assert_eq!(nearest_rank(&values, 0.95), Some(19.0));
    assert_eq!(nearest_rank(&values, 0.5), Some(10.0));
    assert_eq!(nearest_rank(&values[..1], 0.95), Some(1.0));
    assert_eq!(nearest_rank(&values, 0.0), Some(1.0));
    assert_eq!(nearest_rank(&[], 0.95), None);
}

#[test]
fn p95_has_an_upper_bound_from_59_values() {
    let values: Vec<f64> = (1..=99).map(f64::from).collect();
    assert_eq!(quantile_bounds(&values[..58], 0.95, 0.05).upper, None);
    assert_eq!(quantile_bounds(&values[..59], 0.95, 0.05).upper, Some(59.0));
    assert_eq!(quantile_bounds(&values[..98], 0.95, 0.00625).upper, None);
    assert_eq!(quantile_bounds(&values, 0.95, 0.00625).upper, Some(99.0));
    // Sign test bounds of the median of 20 values: P(Bin(20, 1/2) <= 5) = 0.0207, P(Bin(20, 1/2) <= 6) = 0.0577.
    let median = quantile_bounds(&values[..20], 0.5, 0.05);
    assert_eq!(median, Bounds { lower: Some(6.0), upper: Some(15.0) });
    assert_eq!(quantile_bounds(&[], 0.5, 0.05), Bounds::default());
}

#[test]
fn percentile_tests_agree_with_their_bounds() {
    let values: Vec<f64> = (1..=20).map(f64::from).collect();
    // The test rejects exactly if the lower bound is above the limit.
    assert!(quantile_p_above(&values, 0.5, 5.5) <= 0.05);
    assert!(quantile_p_above(&values, 0.5, 6.0) > 0.05);
}

#[test]
fn shared_case_adds_noise_to_ratio_but_not_to_difference() {
    let ours: Repeated = [[0.1, 0.5]].into_iter().collect();
    let same = suite_contrast(&ours, &ours, &[true], 1.0);
    assert_eq!((same.mean, same.standard_error), (0.0, 0.0));
    let scaled = suite_contrast(&ours, &ours, &[true], 1.2);
    assert!((scaled.mean + 0.06).abs() < 1e-12);
    assert!((scaled.standard_error - 0.2 * 0.2).abs() < 1e-12);
}

#[test]
fn single_repeat_or_case_has_unknown_error() {
    let once: Repeated = [[0.5], [0.7]].into_iter().collect();
    assert!(suite_mean(&once).standard_error.is_infinite());
    assert_eq!(t_bounds(suite_mean(&once), 0.05), Bounds::default());
    assert!(population_mean(&[0.5], None).standard_error.is_infinite());
    assert!(population_mean(&[], None).standard_error.is_infinite());
}

#[test]
fn rounding_is_not_noise() {
    assert_eq!(sample_variance(&[0.1 + 0.2, 0.3, 0.3]), 0.0);
    assert!(sample_variance(&[0.3, 0.300_001]) > 0.0);
}

#[test]
fn correlation_is_pearson() {
    assert_eq!(correlation(&[(1.0, 2.0), (2.0, 4.0), (3.0, 6.0)]), Some(1.0));
    assert_eq!(correlation(&[(1.0, 1.0), (1.0, 2.0)]), None);
    assert_eq!(correlation(&[]), None);
}

#[test]
fn units_to_settle_grow_with_the_squared_ratio() {
    assert_eq!(units_to_settle(3, 0.10, 0.05), Some(12));
    assert_eq!(units_to_settle(3, 0.01, 0.05), Some(4), "at least one more unit");
    assert_eq!(units_to_settle(3, 0.1, 0.0), None);
    assert_eq!(units_to_settle(3, 0.1, 1e-9), None);
}
