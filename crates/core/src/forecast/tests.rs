//! Forecasts against numbers computed by hand.

use super::*;
use crate::gate::Schedule;
use crate::model::Usage;

const SIZE: ComparisonSize = ComparisonSize { cases: 50, shared: 0, compared: true };

fn assert_close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-9, "found {found}, expected {expected}");
}

#[test]
fn cost_estimate_is_rates_times_calls() {
    let load = Load { answers: 120, judgements: 240 };
    let answer = CallCost { prompt_tokens: 400.0, completion_tokens: 50.5, usd: Some(0.001) };
    let judgement = CallCost { prompt_tokens: 900.0, completion_tokens: 100.0, usd: Some(0.01) };
    let estimate = estimate_cost(load, 3, answer, judgement);
    assert_eq!((estimate.answers, estimate.judgements), (360, 720));
    assert_eq!(estimate.tokens, Usage::new(792_000, 90_180));
    assert_close(estimate.usd.expect("prices"), 0.36 + 7.2);
    assert_eq!(estimate_cost(load, 3, answer, CallCost { usd: None, ..judgement }).usd, None);
    // Without judgements, a judge without a price costs nothing.
    let answers_only = Load { judgements: 0, ..load };
    assert_close(estimate_cost(answers_only, 1, answer, CallCost::default()).usd.expect("a price"), 0.12);
}

#[test]
fn detectable_drop_follows_the_formula() {
    // k = 2 c s^2 / (n delta^2) with c = 6.182557 at 0.05.
    let delta = detectable_suite_drop(SIZE, 0.2, 3, 0.05);
    assert_close(2.0 * 6.182_557_232_019_766 * 0.04 / (50.0 * delta * delta), 3.0);
    // c = 7.848880 at the last of the default looks.
    let delta = detectable_suite_drop(SIZE, 0.2, 24, 0.025);
    assert_close(2.0 * 7.848_879_734_349_088 * 0.04 / (50.0 * delta * delta), 24.0);
    assert_close(
        detectable_suite_drop(ComparisonSize { compared: false, ..SIZE }, 0.2, 3, 0.05) * 2.0_f64.sqrt(),
        detectable_suite_drop(SIZE, 0.2, 3, 0.05),
    );
    assert_close(detectable_suite_drop(ComparisonSize { shared: 50, ..SIZE }, 0.2, 3, 0.05), 0.0);
    // From the table of the oracle: 30 cases, sd 0.2.
    assert_close(detectable_population_drop(30, 0.2, 0.05), 0.090_793_224_651_914_54);
}

#[test]
fn likely_repeats_grow_with_noise() {
    let likely = |noise| likely_repeats(Schedule::new(3, 24), 0.05, SIZE, noise, 0.05);
    assert_eq!((likely(0.0), likely(0.05), likely(0.2), likely(0.9)), (3, 3, 12, 24));
    assert_eq!(likely_repeats(Schedule::once(5), 0.05, SIZE, 0.9, 0.05), 5);
}
