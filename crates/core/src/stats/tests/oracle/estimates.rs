//! Distributions, estimates and permutation tests.

use serde_json::Value;

use super::{close, close_bound, close_bounds, count, counts, fields, number, numbers, parts, repeated};
use crate::stats::*;

pub(super) fn quantiles(quantiles: &Value) {
    let each = |name: &str, check: &dyn Fn(&[f64], &Value)| {
        for (key, expected) in fields(&quantiles[name]) {
            check(&parts(key), expected);
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

pub(super) fn paired(d1: &Value) {
    let (candidate, baseline) = (numbers(&d1["candidate"]), numbers(&d1["baseline"]));
    let diff = numbers(&d1["diff"]);
    for ((ours, theirs), diff) in candidate.iter().zip(&baseline).zip(&diff) {
        assert!((ours - theirs - diff).abs() < 1e-12);
    }
    assert_eq!(diff.len(), count(&d1["n"]));
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
    close_bounds(t_bounds(estimate, 0.025), &d1["ci95_two_sided"]);
    let t = estimate.mean / estimate.standard_error;
    close(t, &d1["t"]);
    close(student_t_cdf(t, 11.0), &d1["p_less"]);
    close(1.0 - student_t_cdf(t, 11.0), &d1["p_greater"]);
    close(2.0 * student_t_cdf(-t.abs(), 11.0), &d1["p_two"]);
    let margin = number(&d1["noninferiority_margin"]);
    let t_ni = (estimate.mean + margin) / estimate.standard_error;
    close(t_ni, &d1["t_ni"]);
    close(student_t_cdf(-t_ni, 11.0), &d1["p_ni"]);

    let p = |units: &[f64]| sign_flip(units, units.len(), 1).expect("small").p;
    let mirrored: Vec<f64> = diff.iter().map(|d| -d).collect();
    close(p(&diff), &d1["signflip_exact_p_less"]);
    close(p(&mirrored), &d1["signflip_exact_p_greater"]);
    close(2.0 * p(&diff), &d1["signflip_exact_p_two"]);
    let beyond: Vec<f64> = diff.iter().map(|d| -(d + margin)).collect();
    close(p(&beyond), &d1["signflip_exact_p_ni_margin_0.05"]);

    let signs = [1.0, -1.0].map(|sign| diff.iter().filter(|d| sign * **d > 0.0).count());
    assert_eq!(signs.to_vec(), counts(&d1["sign_counts"]));
    let tail = binomial_cdf(signs[0].min(signs[1]), signs[0] + signs[1], 0.5);
    close(2.0 * tail, &d1["sign_test_two"]);
}

pub(super) fn degenerate(degenerate: &Value) {
    let diff = numbers(&degenerate["all_equal_diffs"]["diff"]);
    let estimate = population_mean(&diff, None);
    close(estimate.standard_error, &degenerate["all_equal_diffs"]["se"]);
    assert_eq!(t_bounds(estimate, 0.05), Bounds { lower: Some(0.0), upper: Some(0.0) });
    assert_eq!(sign_flip(&diff, diff.len(), 1).map(|permuted| permuted.p), Some(1.0));
    for (cases, expected) in fields(&degenerate["rule_of_three_upper"]) {
        let cases = cases.parse().expect("a count");
        close(unseen_failure_share(cases, 0.05), &expected["exact_1sided95"]);
    }
}

fn check_permutation(candidate: &Value, baseline: &Value, arrangements: &Value, expected: &Value) {
    let (candidate, baseline) = (repeated(candidate), repeated(baseline));
    let p = |ours: &Repeated, theirs: &Repeated| within_cases(ours, theirs, &[], 0.0, 1).expect("small").p;
    close(p(&candidate, &baseline), &expected["p_less"]);
    close(p(&baseline, &candidate), &expected["p_greater"]);
    // p is a whole number of arrangements.
    let arrangements = number(arrangements) * p(&candidate, &baseline);
    assert!((arrangements - arrangements.round()).abs() < 1e-9);
}

pub(super) fn permutation(expected: &Value) {
    let scores = [&expected["candidate_repeats"], &expected["baseline_repeats"]];
    check_permutation(scores[0], scores[1], &expected["n_assignments"], expected);
}

pub(super) fn permutation_of_one_case(expected: &Value) {
    check_permutation(&expected["candidate"], &expected["baseline"], &expected["n_assignments"], expected);
}

pub(super) fn noise(noise: &Value) {
    let (candidate, baseline) = (repeated(&noise["candidate"]), repeated(&noise["baseline"]));
    let estimate = suite_contrast(&candidate, &baseline, &[], 1.0);
    close(estimate.mean, &noise["mean_diff"]);
    close(estimate.standard_error, &noise["se_noise"]);
    close(estimate.degrees_of_freedom, &noise["satterthwaite_df"]);
    close_bound(t_bounds(estimate, 0.05).lower, &noise["lower_1sided95"]);
    close_bound(t_bounds(estimate, 0.05).upper, &noise["upper_1sided95"]);
    let differences: Vec<f64> =
        candidate.row_means().iter().zip(baseline.row_means()).map(|(ours, theirs)| ours - theirs).collect();
    let expected = super::rows(&noise["case_level"]["diffs"]);
    assert_eq!(differences.len(), expected.len());
    differences.iter().zip(expected).for_each(|(found, expected)| close(*found, expected));
    let cases = population_mean(&differences, None);
    close(cases.standard_error, &noise["case_level"]["se_case"]);
    close_bound(t_bounds(cases, 0.05).lower, &noise["case_level"]["lower_1sided95"]);
    let split = &noise["variance_decomposition"];
    let within = 4.0 * estimate.standard_error.powi(2);
    close(sample_variance(&differences), &split["total_var_of_case_diff"]);
    close(within, &split["within_component(mean of v_c+v_b)"]);
    close((sample_variance(&differences) - within).max(0.0), &split["tau2_hat=max(0,total-within)"]);
}

pub(super) fn noise_of_one_variant(single: &Value) {
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

pub(super) fn clusters(clustered: &Value) {
    let scores = numbers(&clustered["scores"]);
    let clusters = counts(&clustered["cluster"]);
    let estimate = population_mean(&scores, Some(&clusters));
    close(estimate.mean, &clustered["mean"]);
    close(estimate.standard_error, &clustered["se_clustered_CR1(xG/(G-1))"]);
    let groups = number(&clustered["G"]);
    let plain = estimate.standard_error * ((groups - 1.0) / groups).sqrt();
    close(plain, &clustered["se_clustered_CR0(Miller)"]);
    close(estimate.degrees_of_freedom, &clustered["df_recommended"]);
    close(population_mean(&scores, None).standard_error, &clustered["se_iid(sd/sqrt n, ddof=1)"]);
    assert!(population_mean(&scores, Some(&[0; 10])).standard_error.is_infinite());
}
