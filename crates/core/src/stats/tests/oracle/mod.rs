//! Checks every number of the oracle, or names the reason for leaving it out.
//!
//! Each top-level key has a test. It reads numbers through the functions below, which record them, and fails if a number
//! of its key is neither read nor listed in `LEFT_OUT`.

mod estimates;
mod judges;
mod plans;
mod shares;

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde_json::Value;

use crate::stats::Repeated;

/// Numbers without a counterpart in this crate, by path, with the reason.
const LEFT_OUT: &[(&str, &str)] = &[
    ("quantiles.chi2_sf", "no chi-square test is used: the exact ones replace it"),
    ("D1_paired.wilcoxon_drop_zeros", "Wilcoxon does not test the mean"),
    ("D1_paired.cohen_dz", "effects are reported in score points, not standardised"),
    ("D1_paired.hedges_g_correction_J(df=11)", "as above"),
    ("degenerate.rule_of_three_upper.5.approx_3_over_n", "the exact bound is used"),
    ("degenerate.rule_of_three_upper.8.approx_3_over_n", "the exact bound is used"),
    ("degenerate.rule_of_three_upper.10.approx_3_over_n", "the exact bound is used"),
    ("degenerate.rule_of_three_upper.20.approx_3_over_n", "the exact bound is used"),
    ("degenerate.rule_of_three_upper.30.approx_3_over_n", "the exact bound is used"),
    ("degenerate.rule_of_three_upper.50.approx_3_over_n", "the exact bound is used"),
    ("degenerate.rule_of_three_upper.59.approx_3_over_n", "the exact bound is used"),
    ("degenerate.rule_of_three_upper.100.approx_3_over_n", "the exact bound is used"),
    ("mcnemar[].chi2", "no chi-square test is used: the exact ones replace it"),
    ("mcnemar[].chi2_p", "as above"),
    ("mcnemar[].chi2_cc", "as above"),
    ("mcnemar[].exact_two", "regressions are tested one-sided"),
    ("mcnemar[].midp_two", "regressions are tested one-sided"),
    ("proportion[].jeffreys95", "Wilson's and Clopper and Pearson's intervals are used"),
    ("power.n_one_sided05_power80[].n_t_exact", "forecasts use the normal approximation"),
    ("power.power_nct", "forecasts use the normal approximation"),
    ("power.sd_with_repeats", "forecasts measure the spread of a suite"),
    ("power.mcnemar_power_unconditional(n,p10,p01,one-sided exact .05)", "no forecast needs it"),
    ("group_sequential_one_sided_0.05", "alpha is spent in proportion to repeats"),
    ("paired_prop_published_check.newcombe_squareadd_cc", "Tango's interval is used"),
    ("paired_prop_published_check.bonett_price", "Tango's interval is used"),
    ("paired_prop[].newcombe95", "Tango's interval is used"),
    ("paired_prop[].bonett_price95", "Tango's interval is used"),
    ("bootstrap_exact", "t intervals are used: the bootstrap undercovers with few cases"),
    ("concentration", "distribution-free bounds are too wide below hundreds of cases"),
    ("real_data.qags_cnndm|krippendorff_nominal(sentence votes)", "the ratings are not in the oracle"),
    ("real_data.qags_xsum|krippendorff_nominal(sentence votes)", "the ratings are not in the oracle"),
    ("real_data.dialsummeval|consistency", "the ratings are not in the oracle"),
    ("real_data.dialsummeval|relevance", "the ratings are not in the oracle"),
    ("real_data.dialsummeval|fluency", "the ratings are not in the oracle"),
    ("real_data.dialsummeval|coherence", "the ratings are not in the oracle"),
];

macro_rules! oracles {
    ($($name:ident: $key:literal => $check:path;)*) => {
        $(#[test] fn $name() { check_key($key, $check); })*
        /// The keys that have a test.
        const CHECKED: &[&str] = &[$($key),*];
    };
}

oracles! {
    quantiles: "quantiles" => estimates::quantiles;
    paired: "D1_paired" => estimates::paired;
    degenerate: "degenerate" => estimates::degenerate;
    permutation: "stratified_permutation" => estimates::permutation;
    permutation_of_one_case: "stratified_permutation_n1_k3" => estimates::permutation_of_one_case;
    noise: "noise_se" => estimates::noise;
    noise_of_one_variant: "noise_se_single_arm" => estimates::noise_of_one_variant;
    clusters: "clustered_se" => estimates::clusters;
    mcnemar: "mcnemar" => shares::mcnemar;
    paired_shares: "paired_prop" => shares::paired_shares;
    paired_shares_published: "paired_prop_published_check" => shares::paired_shares_published;
    no_discordant_pairs: "tango_zero_discordant_closed_form" => shares::no_discordant_pairs;
    shares: "proportion" => shares::shares;
    fisher: "fisher_exact_one_sided_broken_case" => shares::fisher;
    power: "power" => plans::power;
    holm: "holm" => plans::holm_adjusted;
    rogan_gladen: "rogan_gladen" => judges::rates;
    prediction_powered: "ppi_mean" => judges::means;
    kappa: "cohen_kappa" => judges::kappa;
    krippendorff: "krippendorff_canonical" => judges::krippendorff;
    judges_of_published_data: "real_data" => judges::published_data;
}

#[test]
fn every_key_is_checked_or_left_out() {
    for key in oracle().as_object().expect("a table").keys() {
        let left_out = LEFT_OUT.iter().any(|(path, _)| path == key);
        assert!(CHECKED.contains(&key.as_str()) != left_out, "{key} must be either checked or left out");
    }
}

fn oracle() -> Value {
    serde_json::from_str(include_str!("../../../../../../tests/fixtures/oracles/stats.json"))
        .expect("the fixture is JSON")
}

thread_local! {
    /// Addresses of the numbers that this test has read.
    static READ: RefCell<BTreeSet<*const Value>> = const { RefCell::new(BTreeSet::new()) };
}

/// Runs a check, then asserts that each number of the key is either read or left out.
fn check_key(key: &str, check: fn(&Value)) {
    let all = oracle();
    let value = all.get(key).expect("the key is in the oracle");
    check(value);
    let mut wrong = Vec::new();
    walk(value, key.to_owned(), &mut |path, number| {
        let read = READ.with_borrow(|read| read.contains(&std::ptr::from_ref(number)));
        let left_out = LEFT_OUT.iter().any(|(known, _)| {
            path.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        });
        if read == left_out {
            wrong.push(format!(
                "{path} is {}",
                if read { "read, but listed as left out" } else { "not read" }
            ));
        }
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn walk(value: &Value, path: String, visit: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, field)| walk(field, format!("{path}.{name}"), visit));
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, format!("{path}[]"), visit)),
        Value::Number(_) => visit(&path, value),
        _ => {}
    }
}

fn number(value: &Value) -> f64 {
    READ.with_borrow_mut(|read| read.insert(std::ptr::from_ref(value)));
    value.as_f64().expect("a number")
}

fn count(value: &Value) -> usize {
    let number = number(value);
    assert!(number >= 0.0 && number.fract() == 0.0, "expected a count, found {number}");
    number as usize
}

fn rows(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn numbers(value: &Value) -> Vec<f64> {
    rows(value).iter().map(number).collect()
}

fn counts(value: &Value) -> Vec<usize> {
    rows(value).iter().map(count).collect()
}

fn repeated(value: &Value) -> Repeated {
    rows(value).iter().map(numbers).collect()
}

fn fields(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().expect("a table").iter().map(|(key, value)| (key.as_str(), value))
}

/// The numbers in a key.
fn parts(key: &str) -> Vec<f64> {
    key.split(',').map(|part| part.parse().expect("a number in a key")).collect()
}

#[track_caller]
fn close(found: f64, expected: &Value) {
    close_to(found, expected, 1e-9);
}

#[track_caller]
fn close_to(found: f64, expected: &Value, error: f64) {
    let expected = number(expected);
    assert!(
        (found - expected).abs() <= error * expected.abs().max(1.0),
        "found {found}, expected {expected}"
    );
}

#[track_caller]
fn close_bound(found: Option<f64>, expected: &Value) {
    close(found.expect("a number"), expected);
}

#[track_caller]
fn close_bounds(found: crate::stats::Bounds, expected: &Value) {
    close_bound(found.lower, &expected[0]);
    close_bound(found.upper, &expected[1]);
    assert_eq!(rows(expected).len(), 2);
}
