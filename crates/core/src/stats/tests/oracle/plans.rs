//! Power, multiple tests and multiple looks.

use serde_json::Value;

use super::{close, close_bound, close_to, count, fields, number, numbers, rows};
use crate::stats::*;

pub(super) fn power(power: &Value) {
    close(power_constant(0.05), &power["z_sum_sq(one-sided .05,80%)"]);
    close(power_constant(0.025), &power["z_sum_sq(two-sided .05,80%)"]);
    for row in rows(&power["n_one_sided05_power80"]) {
        let (sd, effect) = (number(&row["sd_d"]), number(&row["effect"]));
        close(cases_needed(sd, effect, 0.05), &row["n_normal"]);
        assert_eq!(cases_needed_t(sd, effect, 0.05), Some(count(&row["n_t_exact"])));
    }
    for row in rows(&power["power_nct"]) {
        let [sd, effect, alpha] = ["sd", "effect", "alpha_one_sided"].map(|name| number(&row[name]));
        close_bound(power_t(count(&row["n"]), sd, effect, alpha), &row["power"]);
    }
    for row in rows(&power["mde_one_sided05_power80"]) {
        let standard_error = number(&row["sd_d"]) / number(&row["n"]).sqrt();
        close(detectable_shift(standard_error, 0.05), &row["mde_normal"]);
    }
    let miller = cases_needed((1.0_f64 / 9.0).sqrt(), 0.03, 0.025);
    close(miller, &power["miller2024_n(omega2=1/9,sigma2=0,delta=.03,two-sided .05,80%)"]);
    for row in rows(&power["sd_with_repeats"]) {
        let found = variance_of_differences(number(&row["tau2"]), number(&row["sigma2_w"]), count(&row["k"]));
        close_bound(found, &row["var_d=tau2+2*sigma2_w/k"]);
    }
    for row in rows(&power["mcnemar_power_unconditional(n,p10,p01,one-sided exact .05)"]) {
        let (loss, gain) = (number(&row["p10"]), number(&row["p01"]));
        close_bound(power_mcnemar(count(&row["n"]), loss, gain, 0.05), &row["power"]);
    }
}

pub(super) fn holm_adjusted(expected: &Value) {
    for row in rows(expected) {
        let adjusted = holm(&numbers(&row["p"]));
        assert_eq!(adjusted.len(), rows(&row["adj"]).len());
        adjusted.iter().zip(rows(&row["adj"])).for_each(|(found, expected)| close(*found, expected));
    }
}

/// Accuracy of the oracle's constants, which come from a coarse grid. `tests/plans.rs` has more accurate values.
const COARSE: f64 = 2e-6;

pub(super) fn looks(expected: &Value) {
    for (looks, constant) in fields(&expected["pocock_c"]) {
        let found = pocock_constant(looks.parse().expect("a count"), 0.05).expect("a constant");
        close_to(found, constant, COARSE);
        close_to(normal_cdf(-found), &expected["pocock_nominal_p"][looks], COARSE);
    }
    for (looks, constant) in fields(&expected["obrien_fleming_c(z_k=c*sqrt(K/k))"]) {
        let found = obrien_fleming_constant(looks.parse().expect("a count"), 0.05).expect("a constant");
        close_to(found, constant, COARSE);
    }
}
