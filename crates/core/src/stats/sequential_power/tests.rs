//! Predictions against simulated rollouts.

use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::*;
use crate::stats::tests::draws::Binomial;
use crate::stats::{Share, Stratum, share_test};

/// Simulated rollouts of each prediction: a standard error of at most 0.008.
const RUNS: u32 = 4_000;
/// The error of the normal approximation of counts, with 50 treated units at the first look.
const APPROXIMATION: f64 = 0.01;

fn arrivals(control: f64, treatment: f64, looks: usize) -> Vec<Arrivals> {
    vec![Arrivals { control, treatment }; looks]
}

/// Four looks at 5 % and four at 25 %.
fn canary() -> Vec<Arrivals> {
    [arrivals(950.0, 50.0, 4), arrivals(450.0, 150.0, 4)].concat()
}

fn plan(arrivals: &[Arrivals]) -> SharePlan<'_> {
    let planned = arrivals.iter().map(|arrivals| arrivals.information()).sum();
    SharePlan { arrivals, base: 0.9, planned, alpha: 0.05, reserve: 0.0 }
}

/// The share of simulated rollouts whose statistic, `sign` z at `margin`, reaches one of the bounds.
fn simulate(plan: &SharePlan<'_>, bounds: &[f64], margin: f64, sign: f64, drop: f64) -> f64 {
    let mut random = ChaCha8Rng::seed_from_u64(17);
    let sides: Vec<_> = plan
        .arrivals
        .iter()
        .map(|arrivals| {
            (
                Binomial::new(arrivals.control as u64, plan.base),
                Binomial::new(arrivals.treatment as u64, plan.base - drop),
            )
        })
        .collect();
    let add = |side: &mut Share, successes: u64, n: f64| {
        side.successes += successes;
        side.n += n as u64;
    };
    let none = Share { successes: 0, n: 0 };
    let mut shown = 0;
    for _ in 0..RUNS {
        let mut strata: Vec<Stratum<Share>> = Vec::new();
        let mut split = 0.0;
        for (at, ((control, treatment), arrivals)) in sides.iter().zip(plan.arrivals).enumerate() {
            if arrivals.ratio() != split {
                strata.push(Stratum { control: none, treatment: none });
                split = arrivals.ratio();
            }
            let stratum = strata.last_mut().expect("a stratum");
            add(&mut stratum.control, control.draw(&mut random), arrivals.control);
            add(&mut stratum.treatment, treatment.draw(&mut random), arrivals.treatment);
            let z = share_test(&strata, margin).expect("units on both sides").z;
            if sign * z >= bounds[at] {
                shown += 1;
                break;
            }
        }
    }
    f64::from(shown) / f64::from(RUNS)
}

/// Asserts that a prediction is within four standard errors of the simulated share, and the error of the approximation.
#[track_caller]
fn assert_predicted(predicted: f64, simulated: f64) {
    let error = (predicted * (1.0 - predicted) / f64::from(RUNS)).sqrt();
    assert!(
        (predicted - simulated).abs() < 4.0 * error + APPROXIMATION,
        "predicted {predicted}, simulated {simulated} +- {error}"
    );
}

#[test]
fn power_against_harm_matches_simulation() {
    let arrivals = canary();
    let plan = plan(&arrivals);
    let bounds = plan.bounds(Spending::Pocock).expect("a plan");
    for drop in [0.0, 0.03, 0.05, 0.2] {
        let predicted = plan.chances_of_harm(drop).expect("a plan").iter().sum();
        let simulated = simulate(&plan, &bounds, 0.0, -1.0, drop);
        assert_predicted(predicted, simulated);
    }
    let drop = plan.detectable_drop().expect("detectable");
    let simulated = simulate(&plan, &bounds, 0.0, -1.0, drop);
    assert_predicted(0.8, simulated);
}

#[test]
fn chance_of_not_worse_matches_simulation() {
    let arrivals = canary();
    let plan = plan(&arrivals);
    let bounds = plan.bounds(Spending::OBrienFleming).expect("a plan");
    for drop in [0.0, 0.01, 0.05] {
        let predicted = plan.chances_not_worse(0.05, drop).expect("a plan").iter().sum();
        let simulated = simulate(&plan, &bounds, 0.05, 1.0, drop);
        assert_predicted(predicted, simulated);
    }
}

#[test]
fn no_drop_is_a_false_alarm_with_the_chance_of_alpha() {
    let arrivals = canary();
    let plan = plan(&arrivals);
    let found: f64 = plan.chances_of_harm(0.0).expect("a plan").iter().sum();
    assert!((found - 0.05).abs() < 1e-9, "{found}");
    // The variance under H0 depends a little on the split, the planned fractions do not.
    let found: f64 = plan.chances_not_worse(0.05, 0.05).expect("a plan").iter().sum();
    assert!((found - 0.05).abs() < 1e-3, "{found}");
}

#[test]
fn single_look_is_the_formula_of_farrington_and_manning() {
    // Farrington and Manning (1990), formula 4, solved for the power at 200 + 100 units.
    let arrivals = [Arrivals { control: 200.0, treatment: 100.0 }];
    let plan = plan(&arrivals);
    let (margin, drop, ratio) = (0.1, 0.02, 1.0 / 3.0);
    let (pc, pt) = (0.9, 0.88);
    let (rc, rt) = restricted(pc, pt, ratio, margin);
    let null = rc * (1.0 - rc) / 200.0 + rt * (1.0 - rt) / 100.0;
    let actual = pc * (1.0 - pc) / 200.0 + pt * (1.0 - pt) / 100.0;
    let expected =
        crate::stats::normal_cdf(((margin - drop) - 1.644_853_626_951_472_2 * null.sqrt()) / actual.sqrt());
    let found = plan.chances_not_worse(margin, drop).expect("a plan");
    assert!((found[0] - expected).abs() < 1e-9, "{found:?} {expected}");
}

#[test]
fn detectable_drop_shrinks_with_units_and_needs_enough() {
    let few = arrivals(190.0, 10.0, 4);
    let many = arrivals(1_900.0, 100.0, 4);
    let drops = [&few, &many].map(|arrivals| plan(arrivals).detectable_drop().expect("detectable"));
    assert!(drops[1] < drops[0] / 2.0, "{drops:?}");
    // The first look alone catches only larger drops, with the alpha planned for all of them.
    let all = plan(&many);
    let first = SharePlan { arrivals: &many[..1], ..all };
    assert!(first.detectable_drop().expect("detectable") > drops[1]);
    let tiny = arrivals(2.0, 1.0, 1);
    assert_eq!(plan(&tiny).detectable_drop(), None);
}

#[test]
fn impossible_plans_have_no_power() {
    let looks = canary();
    let valid = plan(&looks);
    assert!(valid.chances_of_harm(0.1).is_some());
    for invalid in [
        SharePlan { base: 0.0, ..valid },
        SharePlan { base: 1.0, ..valid },
        SharePlan { base: f64::NAN, ..valid },
        SharePlan { alpha: 0.0, ..valid },
        SharePlan { alpha: f64::NAN, ..valid },
        SharePlan { reserve: 1.0, ..valid },
        SharePlan { planned: 0.0, ..valid },
        SharePlan { planned: f64::INFINITY, ..valid },
        SharePlan { arrivals: &[], ..valid },
        SharePlan { arrivals: &arrivals(10.0, 0.0, 2), ..valid },
        SharePlan { arrivals: &arrivals(0.0, 0.0, 2), ..valid },
        SharePlan { arrivals: &arrivals(-1.0, 5.0, 2), ..valid },
        SharePlan { arrivals: &arrivals(f64::NAN, 5.0, 2), ..valid },
    ] {
        assert_eq!(invalid.chances_of_harm(0.01), None, "{invalid:?}");
        assert_eq!(invalid.detectable_drop(), None, "{invalid:?}");
        assert_eq!(invalid.chances_not_worse(0.05, 0.0), None, "{invalid:?}");
    }
    for (margin, drop) in
        [(0.0, 0.0), (1.0, 0.0), (f64::NAN, 0.0), (0.05, -0.1), (0.05, 0.95), (0.05, f64::NAN)]
    {
        assert_eq!(valid.chances_not_worse(margin, drop), None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_plan_gives_shares_or_none(
        looks in prop::collection::vec((prop_oneof![any::<f64>(), 0.0..1e4_f64], 0.0..1e3_f64), 0..4),
        base in prop_oneof![any::<f64>(), 0.0..1.0_f64],
        planned in prop_oneof![any::<f64>(), 1.0..1e3_f64],
        alpha in prop_oneof![any::<f64>(), 0.0..0.5_f64],
        margin in prop_oneof![any::<f64>(), 0.0..0.2_f64],
        drop in prop_oneof![any::<f64>(), 0.0..0.2_f64],
    ) {
        let arrivals: Vec<Arrivals> =
            looks.iter().map(|(control, treatment)| Arrivals { control: *control, treatment: *treatment }).collect();
        let plan = SharePlan { arrivals: &arrivals, base, planned, alpha, reserve: 0.0 };
        let chances = [plan.chances_of_harm(drop), plan.chances_not_worse(margin, drop)];
        for chance in chances.into_iter().flatten().flatten() {
            prop_assert!((0.0..=1.0).contains(&chance), "{chance}");
        }
        if let Some(drop) = plan.detectable_drop() {
            prop_assert!((0.0..=base).contains(&drop), "{drop}");
        }
    }
}
