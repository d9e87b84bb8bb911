//! Pass rates.

use serde_json::Value;

use super::{close, close_bound, close_bounds, count, fields, number, rows};
use crate::stats::*;

pub(super) fn mcnemar(expected: &Value) {
    for row in rows(expected) {
        let losses = count(&row["n10_base_pass_cand_fail"]);
        let gains = count(&row["n01_base_fail_cand_pass"]);
        // Sign flips of equal differences are the exact test.
        let mut units = vec![-1.0; losses];
        units.extend(vec![1.0; gains]);
        units.extend([0.0; 7]);
        close(sign_flip(&units, units.len(), 1).expect("small").p, &row["exact_one_sided_worse"]);
    }
}

pub(super) fn paired_shares(expected: &Value) {
    for row in rows(expected) {
        let [cases, losses, gains, both, neither] =
            ["n", "n10", "n01", "n11", "n00"].map(|name| count(&row[name]));
        assert_eq!(cases, losses + gains + both + neither);
        close((gains as f64 - losses as f64) / cases as f64, &row["diff"]);
        close_bounds(tango(cases, losses, gains, 0.025), &row["tango95"]);
        let bounds = tango(cases, losses, gains, 0.05);
        close_bound(bounds.lower, &row["tango_1sided95_lower"]);
        close_bound(bounds.upper, &row["tango_1sided95_upper"]);
        // At the bound, p equals alpha.
        let p = tango_p_worse(cases, losses, gains, bounds.upper.expect("a bound"));
        assert!((p - 0.05).abs() < 1e-9, "{p}");
    }
}

pub(super) fn paired_shares_published(expected: &Value) {
    assert_eq!(expected["table"], "n11=1,n10=7,n01=1,n00=12 (n=21), diff=-6/21");
    close_bounds(tango(21, 7, 1, 0.025), &expected["tango"]);
}

pub(super) fn no_discordant_pairs(expected: &Value) {
    for (cases, expected) in fields(expected) {
        let cases = cases.parse().expect("a count");
        close_bound(tango(cases, 0, 0, 0.05).lower, &expected["lower_1sided95 = -z^2/(n+z^2)"]);
    }
}

pub(super) fn shares(expected: &Value) {
    for row in rows(expected) {
        let (k, n) = (count(&row["k"]), count(&row["n"]));
        close_bounds(wilson(k, n, 0.025), &row["wilson95"]);
        close_bounds(clopper_pearson(k, n, 0.025), &row["clopper_pearson95"]);
        close_bound(wilson(k, n, 0.05).lower, &row["wilson_1sided95_lower"]);
        close_bound(clopper_pearson(k, n, 0.05).lower, &row["cp_1sided95_lower"]);
    }
}

pub(super) fn fisher(expected: &Value) {
    for k in 2..=5_usize {
        let expected = &expected[format!("base {k}/{k} pass vs cand 0/{k} pass")];
        close(broken_case_p(k, k), expected);
        assert!(
            (broken_case_p(k, k) - number(expected)).abs() < 1e-14,
            "exact enough for three repeats, where p is 0.05"
        );
    }
    close(fisher_p_worse(1, 5, 5, 5), &expected["base 5/5 vs cand 1/5"]);
}
