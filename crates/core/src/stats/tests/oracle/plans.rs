//! Power and multiple tests.

use serde_json::Value;

use super::{close, number, numbers, rows};
use crate::stats::*;

pub(super) fn power(power: &Value) {
    close(power_constant(0.05), &power["z_sum_sq(one-sided .05,80%)"]);
    close(power_constant(0.025), &power["z_sum_sq(two-sided .05,80%)"]);
    for row in rows(&power["n_one_sided05_power80"]) {
        let (sd, effect) = (number(&row["sd_d"]), number(&row["effect"]));
        close(power_constant(0.05) * (sd / effect).powi(2), &row["n_normal"]);
    }
    for row in rows(&power["mde_one_sided05_power80"]) {
        let standard_error = number(&row["sd_d"]) / number(&row["n"]).sqrt();
        close(detectable_shift(standard_error, 0.05), &row["mde_normal"]);
    }
    let miller = power_constant(0.025) * (1.0 / 9.0) / 0.03_f64.powi(2);
    close(miller, &power["miller2024_n(omega2=1/9,sigma2=0,delta=.03,two-sided .05,80%)"]);
}

pub(super) fn holm_adjusted(expected: &Value) {
    for row in rows(expected) {
        let adjusted = holm(&numbers(&row["p"]));
        assert_eq!(adjusted.len(), rows(&row["adj"]).len());
        adjusted.iter().zip(rows(&row["adj"])).for_each(|(found, expected)| close(*found, expected));
    }
}
