//! Every function against values computed independently, and properties that hold for any input.

mod judges;
mod plans;
mod properties;
mod properties_of_judges;

use serde_json::Value;

use super::*;

fn oracle() -> Value {
    serde_json::from_str(include_str!("../../../tests/fixtures/oracles/stats.json"))
        .expect("the fixture is JSON")
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn count(value: &Value) -> usize {
    usize::try_from(value.as_u64().expect("a count")).expect("a small count")
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(number).collect()
}

fn repeated(value: &Value) -> Repeated {
    value.as_array().expect("rows").iter().map(numbers).collect()
}

fn keys(text: &str) -> Vec<f64> {
    text.split(',').map(|part| part.parse().expect("a number in a key")).collect()
}

#[track_caller]
fn close(found: f64, expected: &Value) {
    let expected = number(expected);
    assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "found {found}, expected {expected}");
}

#[track_caller]
fn close_bound(found: Option<f64>, expected: &Value) {
    close(found.expect("a bound"), expected);
}

#[test]
fn quantiles_and_distribution_functions_agree_with_the_oracle() {
    let quantiles = &oracle()["quantiles"];
    let each = |name: &str, check: &dyn Fn(&[f64], &Value)| {
        for (key, expected) in quantiles[name].as_object().expect("a table") {
            check(&keys(key), expected);
        }
    };
    each("norm_ppf", &|key, expected| {
        close(normal_quantile(key[0]), expected);
        assert!((normal_cdf(number(expected)) - key[0]).abs() < 1e-9);
    });
    each("t_ppf_0.95", &|key, expected| close(student_t_quantile(0.95, key[0]), expected));
    each("t_ppf_0.975", &|key, expected| close(student_t_quantile(0.975, key[0]), expected));
    each("t_cdf", &|key, expected| close(student_t_cdf(key[0], key[1]), expected));
    each("beta_ppf", &|key, expected| close(beta_quantile(key[0], key[1], key[2]), expected));
}

#[test]
fn impossible_parameters_give_nan_and_not_a_panic() {
    assert!(student_t_quantile(1.5, 3.0).is_nan());
    assert!(student_t_quantile(0.5, 0.0).is_nan());
    assert!(student_t_cdf(0.0, -1.0).is_nan());
    assert!(normal_quantile(-0.1).is_nan());
    assert!(beta_quantile(0.5, 0.0, 1.0).is_nan());
    assert_eq!(binomial_cdf(5, 3, 0.5), 1.0);
    assert_eq!(binomial_cdf(0, 3, 1.0), 0.0);
    assert_eq!(student_t_quantile(0.975, f64::INFINITY), normal_quantile(0.975));
}

#[test]
fn a_paired_difference_agrees_with_the_oracle() {
    let d1 = &oracle()["D1_paired"];
    let (candidate, baseline) = (numbers(&d1["candidate"]), numbers(&d1["baseline"]));
    let diff = numbers(&d1["diff"]);
    for ((ours, theirs), diff) in candidate.iter().zip(&baseline).zip(&diff) {
        assert!((ours - theirs - diff).abs() < 1e-12);
    }
    close(mean(&candidate), &d1["mean_candidate"]);
    close(mean(&baseline), &d1["mean_baseline"]);
    close(sample_variance(&diff).sqrt(), &d1["sd"]);
    let estimate = population_mean(&diff, None);
    close(estimate.mean, &d1["mean"]);
    close(estimate.standard_error, &d1["se"]);
    assert_eq!(estimate.degrees_of_freedom, number(&d1["df"]));
    let bounds = t_bounds(estimate, 0.05);
    close_bound(bounds.lower, &d1["lower_1sided95"]);
    close_bound(bounds.upper, &d1["upper_1sided95"]);
    let two_sided = t_bounds(estimate, 0.025);
    close_bound(two_sided.lower, &d1["ci95_two_sided"][0]);
    close_bound(two_sided.upper, &d1["ci95_two_sided"][1]);
    let t = estimate.mean / estimate.standard_error;
    close(t, &d1["t"]);
    close(student_t_cdf(t, 11.0), &d1["p_less"]);
    close(1.0 - student_t_cdf(t, 11.0), &d1["p_greater"]);
    close(2.0 * student_t_cdf(-t.abs(), 11.0), &d1["p_two"]);
    let margin = number(&d1["noninferiority_margin"]);
    let t_ni = (estimate.mean + margin) / estimate.standard_error;
    close(t_ni, &d1["t_ni"]);
    close(student_t_cdf(-t_ni, 11.0), &d1["p_ni"]);
}

#[test]
fn the_sign_flip_test_agrees_with_the_oracle() {
    let d1 = &oracle()["D1_paired"];
    let diff = numbers(&d1["diff"]);
    let p = |units: &[f64]| sign_flip(units, units.len(), 1).expect("small").p;
    let mirrored: Vec<f64> = diff.iter().map(|d| -d).collect();
    close(p(&diff), &d1["signflip_exact_p_less"]);
    close(p(&mirrored), &d1["signflip_exact_p_greater"]);
    close(2.0 * p(&diff), &d1["signflip_exact_p_two"]);
    let beyond: Vec<f64> = diff.iter().map(|d| -(d + 0.05)).collect();
    close(p(&beyond), &d1["signflip_exact_p_ni_margin_0.05"]);
}

#[test]
fn no_differences_leave_the_estimate_without_noise() {
    let diff = numbers(&oracle()["degenerate"]["all_equal_diffs"]["diff"]);
    let estimate = population_mean(&diff, None);
    close(estimate.standard_error, &oracle()["degenerate"]["all_equal_diffs"]["se"]);
    assert_eq!(t_bounds(estimate, 0.05), Bounds { lower: Some(0.0), upper: Some(0.0) });
    assert_eq!(sign_flip(&diff, diff.len(), 1).map(|permuted| permuted.p), Some(1.0));
}

#[test]
fn clean_cases_leave_failures_unseen_as_in_the_oracle() {
    for (cases, expected) in oracle()["degenerate"]["rule_of_three_upper"].as_object().expect("a table") {
        let cases = cases.parse().expect("a count");
        close(unseen_failure_share(cases, 0.05), &expected["exact_1sided95"]);
    }
    assert_eq!(unseen_failure_share(0, 0.05), 1.0);
}

#[test]
fn the_within_case_permutation_agrees_with_the_oracle() {
    let all = oracle();
    let first = &all["stratified_permutation"];
    let (candidate, baseline) = (repeated(&first["candidate_repeats"]), repeated(&first["baseline_repeats"]));
    let p = |ours: &Repeated, theirs: &Repeated| within_cases(ours, theirs, &[], 0.0, 1).expect("small").p;
    close(p(&candidate, &baseline), &first["p_less"]);
    close(p(&baseline, &candidate), &first["p_greater"]);
    let second = &all["stratified_permutation_n1_k3"];
    let (candidate, baseline) = (repeated(&second["candidate"]), repeated(&second["baseline"]));
    close(p(&candidate, &baseline), &second["p_less"]);
    close(p(&baseline, &candidate), &second["p_greater"]);
}

#[test]
fn the_noise_of_repeats_agrees_with_the_oracle() {
    let all = oracle();
    let noise = &all["noise_se"];
    let (candidate, baseline) = (repeated(&noise["candidate"]), repeated(&noise["baseline"]));
    let estimate = suite_contrast(&candidate, &baseline, &[], 1.0);
    close(estimate.mean, &noise["mean_diff"]);
    close(estimate.standard_error, &noise["se_noise"]);
    close(estimate.degrees_of_freedom, &noise["satterthwaite_df"]);
    close_bound(t_bounds(estimate, 0.05).lower, &noise["lower_1sided95"]);
    close_bound(t_bounds(estimate, 0.05).upper, &noise["upper_1sided95"]);
    let differences: Vec<f64> =
        candidate.row_means().iter().zip(baseline.row_means()).map(|(ours, theirs)| ours - theirs).collect();
    for (found, expected) in differences.iter().zip(noise["case_level"]["diffs"].as_array().expect("a list"))
    {
        close(*found, expected);
    }
    let cases = population_mean(&differences, None);
    close(cases.standard_error, &noise["case_level"]["se_case"]);
    close_bound(t_bounds(cases, 0.05).lower, &noise["case_level"]["lower_1sided95"]);
    let split = &noise["variance_decomposition"];
    close(sample_variance(&differences), &split["total_var_of_case_diff"]);
    close(estimate.standard_error.powi(2) * 4.0, &split["within_component(mean of v_c+v_b)"]);
    close(
        (sample_variance(&differences) - 4.0 * estimate.standard_error.powi(2)).max(0.0),
        &split["tau2_hat=max(0,total-within)"],
    );

    let single = &all["noise_se_single_arm"];
    let scores = repeated(&single["scores"]);
    let estimate = suite_mean(&scores);
    close(estimate.mean, &single["mean"]);
    close(estimate.standard_error, &single["se_noise"]);
    close(estimate.degrees_of_freedom, &single["df"]);
    close_bound(t_bounds(estimate, 0.05).lower, &single["lower_1sided95"]);
    close_bound(t_bounds(estimate, 0.05).upper, &single["upper_1sided95"]);
    let cases = population_mean(&scores.row_means(), None);
    close(cases.standard_error, &single["se_case"]);
    close_bound(t_bounds(cases, 0.05).lower, &single["lower_1sided95_case"]);
}

#[test]
fn cluster_robust_errors_agree_with_the_oracle() {
    let clustered = &oracle()["clustered_se"];
    let scores = numbers(&clustered["scores"]);
    let clusters: Vec<usize> = clustered["cluster"].as_array().expect("a list").iter().map(count).collect();
    let estimate = population_mean(&scores, Some(&clusters));
    close(estimate.mean, &clustered["mean"]);
    close(estimate.standard_error, &clustered["se_clustered_CR1(xG/(G-1))"]);
    close(estimate.degrees_of_freedom, &clustered["df_recommended"]);
    assert_eq!(clusters.iter().max().map(|last| last + 1), Some(count(&clustered["G"])));
    close(population_mean(&scores, None).standard_error, &clustered["se_iid(sd/sqrt n, ddof=1)"]);
    assert!(population_mean(&scores, Some(&[0; 10])).standard_error.is_infinite());
}

#[test]
fn mcnemar_agrees_with_the_oracle_and_with_the_sign_flip_test() {
    for row in oracle()["mcnemar"].as_array().expect("rows") {
        let losses = count(&row["n10_base_pass_cand_fail"]);
        let gains = count(&row["n01_base_fail_cand_pass"]);
        close(mcnemar_p_worse(losses, gains), &row["exact_one_sided_worse"]);
        let mut units = vec![-1.0; losses];
        units.extend(vec![1.0; gains]);
        units.extend([0.0; 7]);
        close(sign_flip(&units, units.len(), 1).expect("small").p, &row["exact_one_sided_worse"]);
    }
}

#[test]
fn intervals_of_paired_shares_agree_with_the_oracle() {
    let all = oracle();
    let mut rows = all["paired_prop"].as_array().expect("rows").clone();
    rows.push(all["paired_prop_published_check"].clone());
    for row in &rows {
        let (cases, losses, gains) = (count(&row["n"]), count(&row["n10"]), count(&row["n01"]));
        let two_sided = tango(cases, losses, gains, 0.025);
        close_bound(two_sided.lower, &row["tango95"][0]);
        close_bound(two_sided.upper, &row["tango95"][1]);
        let bounds = tango(cases, losses, gains, 0.05);
        if let Some(expected) = row.get("tango_1sided95_lower") {
            close_bound(bounds.lower, expected);
            close_bound(bounds.upper, &row["tango_1sided95_upper"]);
            close((gains as f64 - losses as f64) / cases as f64, &row["diff"]);
        }
        // The bound is where the test stands at alpha.
        let p = tango_p_worse(cases, losses, gains, bounds.upper.expect("a bound"));
        assert!((p - 0.05).abs() < 1e-9, "{p}");
    }
    for (cases, expected) in all["tango_zero_discordant_closed_form"].as_object().expect("a table") {
        let cases = cases.parse().expect("a count");
        close_bound(tango(cases, 0, 0, 0.05).lower, &expected["lower_1sided95 = -z^2/(n+z^2)"]);
    }
}

#[test]
fn intervals_of_shares_agree_with_the_oracle() {
    for row in oracle()["proportion"].as_array().expect("rows") {
        let (k, n) = (count(&row["k"]), count(&row["n"]));
        for (name, interval) in [
            ("wilson95", wilson as fn(usize, usize, f64) -> Bounds),
            ("clopper_pearson95", clopper_pearson),
            ("jeffreys95", jeffreys),
        ] {
            close_bound(interval(k, n, 0.025).lower, &row[name][0]);
            close_bound(interval(k, n, 0.025).upper, &row[name][1]);
        }
        close_bound(wilson(k, n, 0.05).lower, &row["wilson_1sided95_lower"]);
        close_bound(clopper_pearson(k, n, 0.05).lower, &row["cp_1sided95_lower"]);
    }
    assert_eq!(wilson(0, 0, 0.05), Bounds::default());
}

#[test]
fn the_share_test_inverts_wilsons_interval() {
    for (k, n) in [(24, 30), (9, 10), (45, 50)] {
        let upper = wilson(k, n, 0.05).upper.expect("a bound");
        assert!((proportion_p_below(k, n, upper) - 0.05).abs() < 1e-9);
    }
    assert_eq!(proportion_p_below(29, 30, 1.0), 0.0);
    assert_eq!(proportion_p_below(30, 30, 1.0), 1.0);
    assert_eq!(proportion_p_below(0, 30, 0.0), 1.0);
}

#[test]
fn a_broken_case_has_the_p_of_fisher() {
    let fisher = &oracle()["fisher_exact_one_sided_broken_case"];
    for k in 2..=5_usize {
        close(broken_case_p(k, k), &fisher[format!("base {k}/{k} pass vs cand 0/{k} pass")]);
    }
}

#[test]
fn power_agrees_with_the_oracle() {
    let power = &oracle()["power"];
    close(power_constant(0.05), &power["z_sum_sq(one-sided .05,80%)"]);
    assert!((power_constant(0.025) - 7.848880).abs() < 1e-6);
    for row in power["n_one_sided05_power80"].as_array().expect("rows") {
        close(cases_needed(number(&row["sd_d"]), number(&row["effect"]), 0.05), &row["n_normal"]);
    }
    for row in power["mde_one_sided05_power80"].as_array().expect("rows") {
        let standard_error = number(&row["sd_d"]) / number(&row["n"]).sqrt();
        close(detectable_shift(standard_error, 0.05), &row["mde_normal"]);
    }
    // The two figures are one: the repeats that are needed make the drop just detectable.
    let (variance, cases, delta) = (0.05, 30, 0.05);
    let repeats = repeats_needed(variance, cases, delta, 0.05);
    let standard_error = (2.0 * variance / (cases as f64 * repeats)).sqrt();
    assert!((detectable_shift(standard_error, 0.05) - delta).abs() < 1e-12);
}

#[test]
fn holm_agrees_with_the_oracle() {
    for row in oracle()["holm"].as_array().expect("rows") {
        let adjusted = holm(&numbers(&row["p"]));
        for (found, expected) in adjusted.iter().zip(row["adj"].as_array().expect("a list")) {
            close(*found, expected);
        }
        assert_eq!(adjusted.len(), row["p"].as_array().expect("a list").len());
    }
    assert!(holm(&[]).is_empty());
}

#[test]
fn drawn_permutations_come_close_to_the_exact_p() {
    // 7 cases of 3 + 3 have 20^7 arrangements; the exact p is found by convolution over a grid.
    let ours: Repeated = (0..7).map(|i| [0.2, 0.4, f64::from(i) / 10.0]).collect();
    let theirs: Repeated = (0..7).map(|i| [0.3, 0.6, f64::from(i) / 10.0 + 0.1]).collect();
    let drawn = within_cases(&ours, &theirs, &[], 0.0, 7).expect("few scores");
    assert!(!drawn.exact && drawn.draws == 50_000);
    let exact = grid_p(&ours, &theirs, 10.0);
    let error = (exact * (1.0 - exact) / 50_000.0).sqrt();
    assert!((drawn.p - exact).abs() < 4.0 * error, "{} against {exact}", drawn.p);
    assert_eq!(within_cases(&ours, &theirs, &[], 0.0, 7), Some(drawn), "the seed fixes the draw");
    assert_ne!(within_cases(&ours, &theirs, &[], 0.0, 8), Some(drawn), "another seed is another draw");
}

#[test]
fn cases_with_too_many_arrangements_to_list_are_shuffled() {
    // 2 cases of 7 + 7: 3432 arrangements each.
    let ours: Repeated = (0..2).map(|i| (0..7).map(move |r| f64::from((r * 3 + i) % 5) / 10.0)).collect();
    let theirs: Repeated =
        (0..2).map(|i| (0..7).map(move |r| f64::from((r * 2 + i) % 6) / 10.0 + 0.1)).collect();
    let drawn = within_cases(&ours, &theirs, &[], 0.0, 3).expect("few scores");
    let exact = grid_p(&ours, &theirs, 10.0);
    let error = (exact * (1.0 - exact) / 50_000.0).sqrt();
    assert!(!drawn.exact && (drawn.p - exact).abs() < 4.0 * error, "{} against {exact}", drawn.p);
}

/// The exact p for scores that are multiples of 1 / `scale`, by convolving whole numbers.
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
fn unequal_repeats_are_weighed_by_case_means() {
    // C(3, 1) = 3 arrangements: d = 0.9 - 0.15, 0.1 - 0.55, 0.2 - 0.5; the observed one is the middle of them.
    let ours: Repeated = [[0.2]].into_iter().collect();
    let theirs: Repeated = [[0.9, 0.1]].into_iter().collect();
    let p = within_cases(&ours, &theirs, &[], 0.0, 1).expect("small").p;
    assert!((p - 2.0 / 3.0).abs() < 1e-12);
    let mirrored = within_cases(&theirs, &ours, &[], 0.0, 1).expect("small").p;
    assert!((mirrored - 2.0 / 3.0).abs() < 1e-12);
}

#[test]
fn shared_cases_stay_out_of_the_permutation() {
    let ours: Repeated = [[0.1, 0.2, 0.3], [0.9, 0.1, 0.5]].into_iter().collect();
    let theirs: Repeated = [[0.4, 0.5, 0.6], [0.9, 0.1, 0.5]].into_iter().collect();
    let alone = within_cases(&ours, &theirs, &[false, true], 0.0, 1).expect("small").p;
    assert!((alone - 0.05).abs() < 1e-12);
}

#[test]
fn too_many_scores_are_not_permuted() {
    let ours: Repeated = (0..1000).map(|i| [f64::from(i % 7) / 7.0, 0.5, f64::from(i % 3) / 3.0]).collect();
    assert_eq!(within_cases(&ours, &ours, &[], 0.0, 1), None);
    let units: Vec<f64> = (1..5000).map(f64::from).collect();
    assert_eq!(sign_flip(&units, units.len(), 1), None);
}

#[test]
fn percentiles_are_found_by_nearest_rank() {
    let values: Vec<f64> = (1..=20).map(f64::from).collect();
    assert_eq!(nearest_rank(&values, 0.95), Some(19.0));
    assert_eq!(nearest_rank(&values, 0.5), Some(10.0));
    assert_eq!(nearest_rank(&values[..1], 0.95), Some(1.0));
    assert_eq!(nearest_rank(&values, 0.0), Some(1.0));
    assert_eq!(nearest_rank(&[], 0.95), None);
}

#[test]
fn a_95th_percentile_has_an_upper_bound_from_59_values_on() {
    let values: Vec<f64> = (1..=99).map(f64::from).collect();
    assert_eq!(quantile_bounds(&values[..58], 0.95, 0.05).upper, None);
    assert_eq!(quantile_bounds(&values[..59], 0.95, 0.05).upper, Some(59.0));
    assert_eq!(quantile_bounds(&values[..98], 0.95, 0.00625).upper, None);
    assert_eq!(quantile_bounds(&values, 0.95, 0.00625).upper, Some(99.0));
    // Of 20 values, the sign test's bounds of the median: P(Bin(20, 1/2) <= 5) = 0.0207 and <= 6 is 0.0577.
    let median = quantile_bounds(&values[..20], 0.5, 0.05);
    assert_eq!(median, Bounds { lower: Some(6.0), upper: Some(15.0) });
    assert_eq!(quantile_bounds(&[], 0.5, 0.05), Bounds::default());
}

#[test]
fn percentile_tests_agree_with_their_bounds() {
    let values: Vec<f64> = (1..=20).map(f64::from).collect();
    // The lower bound is above the limit exactly where the test rejects.
    assert!(quantile_p_above(&values, 0.5, 5.5) <= 0.05);
    assert!(quantile_p_above(&values, 0.5, 6.0) > 0.05);
    assert!(quantile_p_below(&values, 0.5, 15.5) <= 0.05);
    assert!(quantile_p_below(&values, 0.5, 15.0) > 0.05);
    assert_eq!(quantile_p_below(&values, 0.5, 1.0), 1.0);
}

#[test]
fn a_shared_case_adds_no_noise_to_a_difference_but_to_a_ratio() {
    let ours: Repeated = [[0.1, 0.5]].into_iter().collect();
    let same = suite_contrast(&ours, &ours, &[true], 1.0);
    assert_eq!((same.mean, same.standard_error), (0.0, 0.0));
    let scaled = suite_contrast(&ours, &ours, &[true], 1.2);
    assert!((scaled.mean + 0.06).abs() < 1e-12);
    assert!((scaled.standard_error - 0.2 * 0.2).abs() < 1e-12);
}

#[test]
fn one_repeat_and_one_case_leave_the_error_unknown() {
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
fn correlation_is_pearsons() {
    assert_eq!(correlation(&[(1.0, 2.0), (2.0, 4.0), (3.0, 6.0)]), Some(1.0));
    assert_eq!(correlation(&[(1.0, 1.0), (1.0, 2.0)]), None);
    assert_eq!(correlation(&[]), None);
}

#[test]
fn settling_takes_the_square_of_the_ratio() {
    assert_eq!(units_to_settle(3, 0.10, 0.05), Some(12));
    assert_eq!(units_to_settle(3, 0.01, 0.05), Some(4), "at least one more");
    assert_eq!(units_to_settle(3, 0.1, 0.0), None);
    assert_eq!(units_to_settle(3, 0.1, 1e-9), None);
}
