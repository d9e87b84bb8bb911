//! Designs of rpact and of Jennison and Turnbull, and properties of any design.

use proptest::prelude::*;
use serde_json::Value;

use super::density::Density;
use super::*;
use crate::stats::power_constant;

/// A design that rpact computed.
struct Design {
    kind: String,
    alpha: f64,
    sided: f64,
    fractions: Vec<f64>,
    bounds: Vec<f64>,
    spent: Vec<f64>,
}

fn designs() -> Vec<Design> {
    let fixture = include_str!("../../../../../tests/fixtures/oracles/sequential.json");
    let fixture: Value = serde_json::from_str(fixture).expect("the fixture is JSON");
    let number = |value: &Value| value.as_f64().unwrap_or(f64::INFINITY);
    let numbers = |value: &Value| value.as_array().expect("a list").iter().map(number).collect();
    let rows = fixture["rpact"].as_array().expect("a list").iter();
    let designs: Vec<Design> = rows
        .map(|row| Design {
            kind: row["type"].as_str().expect("a name").to_owned(),
            alpha: number(&row["alpha"]),
            sided: number(&row["sided"]),
            fractions: numbers(&row["information_rates"]),
            bounds: numbers(&row["critical_values"]),
            spent: numbers(&row["alpha_spent"]),
        })
        .collect();
    assert_eq!(designs.len(), 11);
    designs
}

#[track_caller]
fn assert_near(found: f64, expected: f64, error: f64) {
    assert!(found == expected || (found - expected).abs() <= error, "found {found}, expected {expected}");
}

#[test]
fn spending_bounds_and_crossing_match_rpact() {
    let mut infinite = 0;
    for Design { kind, alpha, sided, fractions, bounds, spent } in designs() {
        if sided == 2.0 {
            continue;
        }
        let spending = match kind.as_str() {
            "asP" => Some(Spending::Pocock),
            "asOF" => Some(Spending::OBrienFleming),
            _ => None,
        };
        let ours = spending.map_or_else(
            || spent.clone(),
            |spending| fractions.iter().map(|fraction| spending.spent(*fraction, alpha)).collect(),
        );
        ours.iter().zip(&spent).for_each(|(ours, theirs)| assert_near(*ours, *theirs, 1e-7));
        let found = boundaries(&fractions, &ours).expect("a design");
        found.iter().zip(&bounds).for_each(|(ours, theirs)| assert_near(*ours, *theirs, 1e-6));
        infinite += found.iter().filter(|bound| bound.is_infinite()).count();
        let mut total = 0.0;
        for (chance, spent) in crossing(&fractions, &bounds, 0.0).expect("a design").iter().zip(&spent) {
            total += chance;
            assert_near(total, *spent, 1e-7);
        }
    }
    assert_eq!(infinite, 1, "one look of rpact's designs cannot stop");
}

#[test]
fn two_sided_designs_match_rpact() {
    let two_sided: Vec<Design> = designs().into_iter().filter(|design| design.sided == 2.0).collect();
    assert_eq!(two_sided.len(), 2);
    for design in two_sided {
        let mut density = Density::new(0.0);
        for ((time, bound), spent) in design.fractions.iter().zip(&design.bounds).zip(&design.spent) {
            let edge = bound * time.sqrt();
            density.cut(*time, -edge, edge);
            assert_near(1.0 - density.mass(), *spent, 1e-7);
        }
    }
}

#[test]
fn infinite_looks_leave_their_alpha_to_later_ones() {
    // The second look has no new alpha.
    let bounds = boundaries(&[0.5, 0.7, 1.0], &[0.01, 0.01, 0.05]).expect("a design");
    let without = boundaries(&[0.5, 1.0], &[0.01, 0.05]).expect("a design");
    assert_eq!(bounds[1], f64::INFINITY);
    assert_near(bounds[2], without[1], 1e-9);
    // The second look has almost no new information.
    let bounds = boundaries(&[0.5, 0.5 + 1e-12, 0.7, 1.0], &[0.01, 0.02, 0.02, 0.05]).expect("a design");
    let without = boundaries(&[0.5, 0.7, 1.0], &[0.01, 0.02, 0.05]).expect("a design");
    assert_eq!(bounds[1], f64::INFINITY);
    assert_near(bounds[2], without[1], 1e-9);
    assert_near(bounds[3], without[2], 1e-9);
    assert_eq!(boundaries(&[0.3], &[0.0]), Some(vec![f64::INFINITY]));
}

#[test]
fn only_ratios_of_fractions_matter() {
    let spent = [0.01, 0.02, 0.05];
    let one = boundaries(&[0.2, 0.5, 1.0], &spent).expect("a design");
    let other = boundaries(&[60.0, 150.0, 300.0], &spent).expect("a design");
    one.iter().zip(other).for_each(|(one, other)| assert_near(*one, other, 1e-12));
    let one = crossing(&[0.2, 0.5, 1.0], &one, 3.0).expect("a design");
    let other = crossing(
        &[60.0, 150.0, 300.0],
        &boundaries(&[0.2, 0.5, 1.0], &spent).expect("a design"),
        3.0 / 300_f64.sqrt(),
    );
    one.iter().zip(other.expect("a design")).for_each(|(one, other)| assert_near(*one, other, 1e-12));
}

#[test]
fn power_matches_published_inflation_factors() {
    // Jennison and Turnbull (2000), tables 2.2 and 2.4: the factor R by which the maximum sample size exceeds a fixed one,
    // two-sided alpha 0.05. To three decimals, so that power is exact to 0.0005 sqrt(c) phi(0.84) / 2 < 0.0003.
    let constants = [
        (false, 0.8, 2, 2.178, 1.110),
        (false, 0.8, 5, 2.413, 1.229),
        (true, 0.8, 2, 1.977, 1.008),
        (true, 0.8, 5, 2.040, 1.028),
        (false, 0.9, 2, 2.178, 1.100),
        (false, 0.9, 5, 2.413, 1.207),
        (true, 0.9, 2, 1.977, 1.007),
        (true, 0.9, 5, 2.040, 1.026),
    ];
    for (falling, power, looks, constant, inflation) in constants {
        let fractions: Vec<f64> = (1..=looks).map(|look| f64::from(look) / f64::from(looks)).collect();
        let bound = |t: &f64| if falling { constant / t.sqrt() } else { constant };
        let bounds: Vec<f64> = fractions.iter().map(bound).collect();
        let fixed = normal_quantile(0.975) + normal_quantile(power);
        let drift = fixed * f64::sqrt(inflation);
        let chance: f64 = crossing(&fractions, &bounds, drift).expect("a design").iter().sum();
        assert_near(chance, power, 5e-4);
    }
}

#[test]
fn single_look_is_the_normal_test() {
    assert_near(boundaries(&[0.4], &[0.05]).expect("a design")[0], normal_quantile(0.95), 1e-9);
    let drift = power_constant(0.05).sqrt();
    assert_near(crossing(&[1.0], &[normal_quantile(0.95)], drift).expect("a design")[0], 0.8, 1e-9);
    // At a quarter of the information the mean of Z is half as large.
    assert_near(crossing(&[0.25], &[1.5], 3.0).expect("a design")[0], 0.5, 1e-12);
}

#[test]
fn two_looks_match_the_bivariate_normal_distribution() {
    // P(Z1 < a, Z2 < b) of correlated normal variables by Plackett's (1954) identity: the derivative with respect to the
    // correlation is the bivariate density, integrated by Simpson's rule from independence.
    let joint = |a: f64, b: f64, correlation: f64| {
        let density = |r: f64| {
            let rest = 1.0 - r * r;
            (-(a * a - 2.0 * r * a * b + b * b) / (2.0 * rest)).exp()
                / (2.0 * std::f64::consts::PI * rest.sqrt())
        };
        let (steps, mut sum) = (2_000, 0.0);
        for at in 0..=steps {
            let weight = if at == 0 || at == steps {
                1.0
            } else if at % 2 == 1 {
                4.0
            } else {
                2.0
            };
            sum += weight * density(correlation * f64::from(at) / f64::from(steps));
        }
        normal_cdf(a) * normal_cdf(b) + sum * correlation / f64::from(steps) / 3.0
    };
    for (t, first, second, drift) in [
        (0.5, 2.0, 1.7, 0.0),
        (0.5, 2.0, 1.7, 2.5),
        (0.9, 1.0, 2.5, 1.0),
        (0.05, 3.0, 1.65, -1.0),
        (0.3, 0.2, 0.1, 4.0),
    ] {
        let chances = crossing(&[t, 1.0], &[first, second], drift).expect("a design");
        let (a, b) = (first - drift * t.sqrt(), second - drift);
        assert_near(chances[0], 1.0 - normal_cdf(a), 1e-12);
        assert_near(chances[1], normal_cdf(a) - joint(a, b, t.sqrt()), 1e-10);
    }
}

#[test]
fn tiny_increments_leave_bounds_unchanged() {
    // Looks a billionth apart see almost the same data, so a design with them spends like one without.
    let spent = |fraction: &f64| Spending::Pocock.spent(*fraction, 0.05);
    for step in [1e-3, 1e-5, 1e-7, 1e-9] {
        let fractions = [0.25, 0.25 + step, 0.5, 0.5 + step, 0.5 + 2.0 * step, 1.0];
        let levels: Vec<f64> = fractions.iter().map(spent).collect();
        let bounds = boundaries(&fractions, &levels).expect("a design");
        let total: f64 = crossing(&fractions, &bounds, 0.0).expect("a design").iter().sum();
        assert_near(total, 0.05, 1e-9);
        let plain = boundaries(&[0.25, 0.5, 1.0], &[levels[0], levels[2], levels[5]]).expect("a design");
        assert_near(bounds[5], plain[2], 2.0 * step.sqrt());
    }
}

#[test]
fn two_hundred_looks_keep_alpha() {
    let fractions: Vec<f64> = (1..=200).map(|look| f64::from(look) / 200.0).collect();
    let spent: Vec<f64> = fractions.iter().map(|fraction| Spending::Pocock.spent(*fraction, 0.05)).collect();
    let bounds = boundaries(&fractions, &spent).expect("a design");
    let mut total = 0.0;
    for (chance, spent) in crossing(&fractions, &bounds, 0.0).expect("a design").iter().zip(&spent) {
        total += chance;
        assert_near(total, *spent, 1e-9);
    }
}

#[test]
fn invalid_designs_are_rejected() {
    for (fractions, spent) in [
        (&[][..], &[][..]),
        (&[0.5, 0.5], &[0.01, 0.02]),
        (&[0.5, 0.4], &[0.01, 0.02]),
        (&[0.0, 0.4], &[0.01, 0.02]),
        (&[-1.0], &[0.01]),
        (&[f64::NAN], &[0.01]),
        (&[f64::INFINITY], &[0.01]),
        (&[0.5, 1.0], &[0.02, 0.01]),
        (&[0.5, 1.0], &[0.02]),
        (&[1.0], &[1.0]),
        (&[1.0], &[-0.1]),
        (&[1.0], &[f64::NAN]),
    ] {
        assert_eq!(boundaries(fractions, spent), None, "{fractions:?} {spent:?}");
    }
    assert_eq!(crossing(&[0.5], &[], 0.0), None);
    assert_eq!(crossing(&[0.5], &[f64::NAN], 0.0), None);
    assert_eq!(crossing(&[0.5], &[1.0], f64::NAN), None);
    assert_eq!(crossing(&[0.5], &[1.0], f64::INFINITY), None);
    assert_eq!(crossing(&[], &[], 0.0), None);
}

#[test]
fn extreme_bounds_and_drifts_give_shares() {
    assert_eq!(crossing(&[0.5, 1.0], &[f64::NEG_INFINITY, 0.0], 0.0), Some(vec![1.0, 0.0]));
    assert_eq!(crossing(&[0.5, 1.0], &[f64::INFINITY; 2], 5.0), Some(vec![0.0, 0.0]));
    assert_eq!(crossing(&[0.5, 1.0], &[2.0, 2.0], -1e6), Some(vec![0.0, 0.0]));
    assert_eq!(crossing(&[0.5, 1.0], &[2.0, 2.0], 1e6), Some(vec![1.0, 0.0]));
}

fn looks() -> impl Strategy<Value = Vec<f64>> {
    let step = prop_oneof![4 => 0.01..1.0_f64, 1 => -9.0..-2.0_f64]
        .prop_map(|step| if step < 0.0 { 10_f64.powf(step) } else { step });
    prop::collection::vec(step, 1..7).prop_map(|steps| {
        steps
            .iter()
            .scan(0.0, |total, step| {
                *total += step;
                Some(*total)
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn spending_rises_to_alpha(alpha in 1e-6..0.5_f64, one in 0.0..1.2_f64, other in 0.0..1.2_f64) {
        for spending in [Spending::Pocock, Spending::OBrienFleming] {
            prop_assert!(spending.spent(one.min(other), alpha) <= spending.spent(one.max(other), alpha));
            prop_assert!((0.0..=alpha).contains(&spending.spent(one, alpha)));
            prop_assert_eq!(spending.spent(1.0, alpha), alpha);
            prop_assert_eq!(spending.spent(0.0, alpha), 0.0);
            // No jump at the end.
            prop_assert!(alpha - spending.spent(1.0 - 1e-9, alpha) < 1e-7);
        }
    }

    #[test]
    fn bounds_spend_alpha_and_fall_with_more_of_it(fractions in looks(), alpha in 1e-4..0.2_f64) {
        let last = fractions[fractions.len() - 1];
        for spending in [Spending::Pocock, Spending::OBrienFleming] {
            let bounds = |alpha: f64| {
                let spent: Vec<f64> = fractions.iter().map(|t| spending.spent(t / last, alpha)).collect();
                boundaries(&fractions, &spent).expect("a design")
            };
            let (narrow, wide) = (bounds(alpha), bounds(alpha * 1.5));
            prop_assert!(narrow.iter().all(|bound| !bound.is_nan()));
            // A bound after an infinite one may rise, because that look now spends what the later one did.
            if narrow.iter().all(|bound| bound.is_finite()) {
                prop_assert!(wide.iter().zip(&narrow).all(|(wide, narrow)| wide < narrow), "{wide:?} {narrow:?}");
            }
            let total: f64 = crossing(&fractions, &narrow, 0.0).expect("a design").iter().sum();
            prop_assert!((total - alpha).abs() < 1e-8, "{total}");
        }
    }

    #[test]
    fn power_rises_with_drift(fractions in looks(), drift in -3.0..6.0_f64, more in 0.01..2.0_f64) {
        let bounds = vec![2.0; fractions.len()];
        let power = |drift: f64| crossing(&fractions, &bounds, drift).expect("a design").iter().sum::<f64>();
        prop_assert!(power(drift) <= power(drift + more) + 1e-9);
    }

    #[test]
    fn any_numbers_give_shares_or_none(
        fractions in prop::collection::vec(any::<f64>(), 0..4),
        bounds in prop::collection::vec(prop_oneof![any::<f64>(), -5.0..5.0_f64], 0..4),
        drift in prop_oneof![any::<f64>(), -50.0..50.0_f64],
        spent in prop::collection::vec(0.0..1.0_f64, 0..4),
        sort in any::<bool>(),
    ) {
        let (mut fractions, mut spent) = (fractions, spent);
        if sort {
            fractions.iter_mut().for_each(|fraction| *fraction = fraction.abs());
            fractions.sort_by(f64::total_cmp);
            spent.sort_by(f64::total_cmp);
        }
        for chance in crossing(&fractions, &bounds, drift).into_iter().flatten() {
            prop_assert!((0.0..=1.0).contains(&chance), "{chance}");
        }
        prop_assert!(boundaries(&fractions, &spent).into_iter().flatten().all(|bound| !bound.is_nan()));
        for spending in [Spending::Pocock, Spending::OBrienFleming] {
            prop_assert!(!spending.spent(drift, drift).is_nan());
        }
    }
}
