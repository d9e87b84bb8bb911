//! Forecasts against numbers worked out by hand.

use super::*;

const SIZE: Size = Size { cases: 50, shared: 0, compared: true };

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-9, "found {found}, expected {expected}");
}

#[test]
fn amounts_are_rates_times_calls() {
    let load = Load { answers: 120, judgements: 240 };
    let answer = Each { prompt_tokens: 400.0, completion_tokens: 50.5, usd: Some(0.001) };
    let judgement = Each { prompt_tokens: 900.0, completion_tokens: 100.0, usd: Some(0.01) };
    let found = amount(load, 3, answer, judgement);
    assert_eq!((found.answers, found.judgements), (360, 720));
    assert_eq!(found.tokens, Usage { prompt_tokens: 792_000, completion_tokens: 90_180 });
    close(found.usd.expect("prices"), 0.36 + 7.2);
    assert_eq!(amount(load, 3, answer, Each { usd: None, ..judgement }).usd, None);
    // A judge that is not asked costs nothing, whatever its price.
    let alone = Load { judgements: 0, ..load };
    close(amount(alone, 1, answer, Each::default()).usd.expect("a price"), 0.12);
}

#[test]
fn the_smallest_drop_is_that_of_the_formula() {
    // k = 2 c s^2 / (n delta^2) with c = 6.182557 at 0.05.
    let delta = suite_drop(SIZE, 0.2, 3, 0.05);
    close(2.0 * 6.182_557_232_019_766 * 0.04 / (50.0 * delta * delta), 3.0);
    // c = 7.848880 at the last of the default looks.
    let delta = suite_drop(SIZE, 0.2, 24, 0.025);
    close(2.0 * 7.848_879_734_349_088 * 0.04 / (50.0 * delta * delta), 24.0);
    close(
        suite_drop(Size { compared: false, ..SIZE }, 0.2, 3, 0.05) * 2.0_f64.sqrt(),
        suite_drop(SIZE, 0.2, 3, 0.05),
    );
    close(suite_drop(Size { shared: 50, ..SIZE }, 0.2, 3, 0.05), 0.0);
    // As in the table of the oracle: 30 cases, sd 0.2.
    close(population_drop(30, 0.2, 0.05), 0.090_793_224_651_914_54);
}

#[test]
fn a_quiet_suite_is_settled_at_once_and_a_noisy_one_later() {
    let likely = |noise| likely_repeats(Schedule::new(3, 24), 0.05, SIZE, noise, 0.05);
    assert_eq!((likely(0.0), likely(0.05), likely(0.2), likely(0.9)), (3, 3, 12, 24));
    assert_eq!(likely_repeats(Schedule::once(5), 0.05, SIZE, 0.9, 0.05), 5);
}
