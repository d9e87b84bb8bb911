//! Forecasts of a rollout, before it begins: how long its steps take, what they catch, and how likely it ends well.

use std::collections::BTreeMap;

use promptgate_core::stats::{Arrivals, SharePlan, normal_cdf};

use super::evidence::{RESERVE, harmonic};
use super::plan::{Better, Guardrail, RolloutPolicy, Step};

/// Samples of a step where nothing is known about its traffic: an A/B test without a forecast.
const UNKNOWN_SAMPLES: u64 = 1_000;
const SECONDS_A_DAY: f64 = 86_400.0;
/// How long an A/B test is expected to last, in seconds.
const FIXED_SECONDS: u64 = 14 * 86_400;
/// The most looks of a step that a forecast computes; more of them change little.
const MAX_LOOKS: usize = 24;
/// The most days on the last step that a forecast looks at.
const MAX_DAYS: usize = 30;

/// The traffic that a forecast counts on.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpectedTraffic {
    /// Scored requests a day, of all units.
    pub per_day: f64,
    /// Seconds between two calls of `advance`.
    pub cadence_seconds: u64,
    /// The share of each guardrail in production: of successes, or of errors where less is better.
    pub rates: BTreeMap<String, f64>,
}

/// The forecast of a rollout.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// The monitored steps.
    pub steps: Vec<StepForecast>,
    /// The chance that an equal version is shown to be not worse on every guardrail before `max_hold` of the last step;
    /// `None` where the rate of a guardrail is not known.
    pub chance_not_worse: Option<f64>,
    /// The chance that an equal version reaches all units.
    pub chance_to_finish: Option<f64>,
    /// The expected time to all units, in seconds.
    pub seconds: f64,
}

/// The forecast of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct StepForecast {
    /// Treated units, in basis points.
    pub basis_points: u32,
    /// Treated samples at its end.
    pub treated: f64,
    /// Its expected time, in seconds.
    pub seconds: f64,
    /// The chance that its samples come before `max_hold`.
    pub chance: f64,
    /// The smallest drop of each guardrail, in the order of the policy, that is caught until its end with probability 0.8: a lower share, or a higher
    /// one of errors. `None` where no drop is, or where the rate is not known.
    pub detectable: Vec<(String, Option<f64>)>,
}

/// The information that the steps are expected to give, for the spending of the error rate: the sum over steps of
/// control · treated / (control + treated) samples. `per_day` are the scored requests a day of all units; unknown traffic
/// counts as the least that the steps require.
pub fn planned_information(steps: &[Step], per_day: Option<f64>) -> f64 {
    let information = |step: &Step| {
        let share = share_of(step);
        let is_fixed = step.hold_seconds == 0 && step.min_samples == 0;
        let seconds = if is_fixed { FIXED_SECONDS } else { step.hold_seconds };
        let expected = per_day.map_or(0.0, |per_day| per_day * share * seconds as f64 / SECONDS_A_DAY);
        let least = if is_fixed && per_day.is_none() { UNKNOWN_SAMPLES } else { step.min_samples };
        let treated = expected.max(least as f64);
        harmonic((treated * (1.0 - share) / share).round() as u64, treated.round() as u64)
    };
    steps.iter().filter(|step| step.basis_points > 0).map(information).sum()
}

/// Forecasts a rollout of an equal version. Samples of different units count as independent.
pub fn forecast(steps: &[Step], policy: &RolloutPolicy, traffic: &ExpectedTraffic) -> Forecast {
    let planned = planned_information(steps, Some(traffic.per_day));
    let durations: Vec<f64> = steps.iter().map(|step| duration(step, policy, traffic)).collect();
    let mut seen: Vec<Arrivals> = Vec::new();
    let mut forecasts = Vec::new();
    for (step, seconds) in steps.iter().zip(&durations) {
        seen.extend(looks(step, *seconds, traffic));
        let detectable = policy.guardrails.iter().map(|guardrail| {
            let alpha = policy.alpha / policy.guardrails.len() as f64;
            let found =
                plan(guardrail, traffic, &seen, planned, alpha).and_then(|plan| plan.detectable_drop());
            (guardrail.name.clone(), found)
        });
        forecasts.push(StepForecast {
            basis_points: step.basis_points,
            treated: arrivals(step, *seconds, traffic).treatment,
            seconds: *seconds,
            chance: chance_of_samples(step, policy, traffic),
            detectable: detectable.collect(),
        });
    }
    let chance_not_worse = not_worse(steps, &durations, policy, traffic, planned);
    let samples: f64 = forecasts.iter().map(|step| step.chance).product();
    Forecast {
        steps: forecasts,
        chance_not_worse,
        chance_to_finish: chance_not_worse.map(|chance| chance * samples * (1.0 - policy.alpha)),
        seconds: durations.iter().sum(),
    }
}

fn share_of(step: &Step) -> f64 {
    f64::from(step.basis_points) / 10_000.0
}

/// The expected time on a step, in seconds: its hold, or until its samples are there, to the next call of `advance`; at
/// most `max_hold`.
fn duration(step: &Step, policy: &RolloutPolicy, traffic: &ExpectedTraffic) -> f64 {
    let treated_a_day = traffic.per_day * share_of(step);
    let samples = step.min_samples as f64 / treated_a_day * SECONDS_A_DAY;
    let cadence = traffic.cadence_seconds.max(1) as f64;
    let needed = (samples.max(step.hold_seconds as f64) / cadence).ceil() * cadence;
    // `max_hold` may be shorter than the time between two calls.
    needed.max(cadence).min(policy.max_hold_seconds.max(1) as f64)
}

/// The chance that the samples of a step come before `max_hold`: Poisson arrivals, by their normal approximation.
fn chance_of_samples(step: &Step, policy: &RolloutPolicy, traffic: &ExpectedTraffic) -> f64 {
    let expected = arrivals(step, policy.max_hold_seconds as f64, traffic).treatment;
    if expected <= 0.0 {
        return 0.0;
    }
    normal_cdf((expected - step.min_samples as f64 + 0.5) / expected.sqrt())
}

/// The samples that arrive on a step in a time, in seconds.
fn arrivals(step: &Step, seconds: f64, traffic: &ExpectedTraffic) -> Arrivals {
    let all = traffic.per_day * seconds / SECONDS_A_DAY;
    let treatment = all * share_of(step);
    Arrivals { control: all - treatment, treatment }
}

/// The samples before each look of a step.
fn looks(step: &Step, seconds: f64, traffic: &ExpectedTraffic) -> Vec<Arrivals> {
    let cadence = traffic.cadence_seconds.max(1) as f64;
    let count = ((seconds / cadence).round() as usize).clamp(1, MAX_LOOKS);
    vec![arrivals(step, seconds / count as f64, traffic); count]
}

fn plan<'a>(
    guardrail: &Guardrail,
    traffic: &ExpectedTraffic,
    arrivals: &'a [Arrivals],
    planned: f64,
    alpha: f64,
) -> Option<SharePlan<'a>> {
    let rate = *traffic.rates.get(&guardrail.name)?;
    let base = match guardrail.better {
        Better::Higher => rate,
        Better::Lower => 1.0 - rate,
    };
    Some(SharePlan { arrivals, base, planned, alpha, reserve: RESERVE })
}

/// The chance that non-inferiority of an equal version is shown for all guardrails on the last step, which is looked at
/// once a day until `max_hold`. Guardrails count as independent.
fn not_worse(
    steps: &[Step],
    durations: &[f64],
    policy: &RolloutPolicy,
    traffic: &ExpectedTraffic,
    planned: f64,
) -> Option<f64> {
    let (last, seconds) = (steps.last()?, *durations.last()?);
    let mut seen: Vec<Arrivals> =
        steps.iter().zip(durations).map(|(step, seconds)| arrivals(step, *seconds, traffic)).collect();
    let more = ((policy.max_hold_seconds as f64 - seconds) / SECONDS_A_DAY).floor().max(0.0) as usize;
    seen.extend(vec![arrivals(last, SECONDS_A_DAY, traffic); more.min(MAX_DAYS)]);
    let mut chance = 1.0;
    for guardrail in &policy.guardrails {
        let plan = plan(guardrail, traffic, &seen, planned, policy.alpha)?;
        chance *= plan.chances_not_worse(guardrail.margin, 0.0)?.iter().sum::<f64>();
    }
    Some(chance.clamp(0.0, 1.0))
}
