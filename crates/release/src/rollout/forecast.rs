//! Forecasts of a rollout, before it begins: what each step will have seen, and what that can show.

use super::evidence::harmonic;
use super::plan::Step;

/// Information of a step, in samples, where nothing is known about its traffic: an A/B test without a forecast.
const UNKNOWN_SAMPLES: u64 = 1_000;
const SECONDS_A_DAY: f64 = 86_400.0;
/// How long an A/B test is expected to last, in seconds.
const FIXED_SECONDS: u64 = 14 * 86_400;

/// The information that the steps are expected to give, for the spending of the error rate: the sum over steps of
/// control · treated / (control + treated) samples. `per_day` are the scored requests a day of all units; unknown traffic
/// counts as the least that the steps require.
pub fn planned_information(steps: &[Step], per_day: Option<f64>) -> f64 {
    steps.iter().map(|step| harmonic_of(step, per_day)).sum()
}

fn harmonic_of(step: &Step, per_day: Option<f64>) -> f64 {
    let share = f64::from(step.basis_points) / 10_000.0;
    let is_fixed = step.hold_seconds == 0 && step.min_samples == 0;
    let seconds = if is_fixed { FIXED_SECONDS } else { step.hold_seconds };
    let expected = per_day.map_or(0.0, |per_day| per_day * share * seconds as f64 / SECONDS_A_DAY);
    let least = if is_fixed && per_day.is_none() { UNKNOWN_SAMPLES } else { step.min_samples };
    let treated = expected.max(least as f64);
    let control = treated * (1.0 - share) / share.max(f64::MIN_POSITIVE);
    harmonic(control.round() as u64, treated.round() as u64)
}
