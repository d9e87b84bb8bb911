//! Forecasts and simulations of single rollouts; their frequencies are those of an example, which needs an optimized build.

use super::tests::{policy, rollout_start};
use super::*;

fn traffic(per_day: f64) -> ExpectedTraffic {
    ExpectedTraffic {
        per_day,
        cadence_seconds: 6 * 3_600,
        rates: [("faithfulness".to_owned(), 0.9), ("error_rate".to_owned(), 0.02)].into(),
    }
}

fn simulated(per_day: f64, faithfulness: f64) -> SimulatedRollout {
    let policy = policy();
    let planned = planned_information(&policy.canary, Some(per_day));
    let start = RolloutStart { planned_information: planned, ..rollout_start() };
    let pair = |control: f64, treatment: f64| Variants { control, treatment };
    let rates =
        [("faithfulness".to_owned(), pair(0.9, faithfulness)), ("error_rate".to_owned(), pair(0.02, 0.02))];
    let scenario = Scenario { per_day, cadence_seconds: 12 * 3_600, rates: rates.into(), seed: 7 };
    simulate(&start, &policy, &scenario).unwrap()
}

#[test]
fn more_traffic_catches_less_and_finishes_more_often() {
    let few = forecast(&policy().canary, &policy(), &traffic(500.0));
    let many = forecast(&policy().canary, &policy(), &traffic(10_000.0));
    let caught = |step: &StepForecast| {
        let found = step.detectable.iter().find(|(guardrail, _)| guardrail == "faithfulness");
        found.and_then(|(_, drop)| *drop).unwrap()
    };
    let last = |forecast: &Forecast| caught(&forecast.steps[2]);
    assert!(last(&few) > 2.0 * last(&many), "{few:?} {many:?}");
    assert!(few.chance_to_finish.unwrap() < 0.5 && many.chance_to_finish.unwrap() > 0.9, "{few:?} {many:?}");
    // Each step adds to what is known.
    let drops: Vec<f64> = many.steps.iter().map(caught).collect();
    assert!(drops.is_sorted_by(|before, after| before > after), "{drops:?}");
    // 48 hours, 24 and 24 give 1,000, 2,500 and 5,000 treated samples.
    let treated: Vec<f64> = many.steps.iter().map(|step| step.treated.round()).collect();
    assert_eq!((treated, many.seconds), (vec![1_000.0, 2_500.0, 5_000.0], 96.0 * 3_600.0));
}

#[test]
fn step_without_its_samples_until_max_hold_has_no_chance() {
    // 5 % of 500 a day are 175 in a week, and 400 are required.
    let forecast = forecast(&policy().canary, &policy(), &traffic(500.0));
    assert!(forecast.steps[0].chance < 1e-6, "{forecast:?}");
    assert_eq!(forecast.steps[0].seconds, 168.0 * 3_600.0);
}

#[test]
fn forecast_without_a_rate_is_unknown() {
    let mut traffic = traffic(2_000.0);
    traffic.rates.remove("error_rate");
    let forecast = forecast(&policy().canary, &policy(), &traffic);
    assert_eq!((forecast.chance_not_worse, forecast.chance_to_finish), (None, None));
    let unknown = ("error_rate".to_owned(), None);
    assert_eq!(forecast.steps[0].detectable.last(), Some(&unknown));
}

#[test]
fn information_is_planned_from_traffic_or_from_the_least_samples() {
    let steps = default_canary();
    let least = planned_information(&steps, None);
    assert!((least - (400.0 * 0.95 + 1_000.0 * 0.75 + 1_000.0 * 0.5)).abs() < 1.0, "{least}");
    assert!(planned_information(&steps, Some(10_000.0)) > 2.0 * least);
}

#[test]
fn simulated_rollouts_end_as_their_truth_says() {
    let good = simulated(8_000.0, 0.9);
    assert_eq!(good.outcome, SimulatedOutcome::Completed, "{:?}", good.calls.last());
    let steps: Vec<usize> = good.calls.iter().map(|call| call.step).collect();
    assert_eq!(steps, [0, 1, 2]);
    let bad = simulated(8_000.0, 0.6);
    assert_eq!((bad.outcome, bad.calls.len()), (SimulatedOutcome::RolledBack, 1));
    assert!(bad.ended_seconds <= 24 * 3_600, "{}", bad.ended_seconds);
    let starved = simulated(500.0, 0.9);
    assert_eq!((starved.outcome, starved.calls[0].step), (SimulatedOutcome::Stuck, 0));
    assert_eq!(good, simulated(8_000.0, 0.9));
}

#[test]
fn step_may_end_before_the_next_call() {
    let mut policy = policy();
    policy.max_hold_seconds = 3_600;
    let forecast = forecast(&policy.canary, &policy, &traffic(2_000.0));
    assert_eq!(forecast.steps[0].seconds, 3_600.0);
}
