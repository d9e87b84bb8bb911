//! Says what a rollout will take and catch before it begins.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::observe::{Sources, read};
use crate::app::release::open::{Opened, Target};
use crate::app::release::wire::percent;
use crate::app::release::write;
use crate::app::{Environment, Failure};
use promptgate_core::model::Diagnostic;
use promptgate_release::ports::Window;
use promptgate_release::rollout::{
    Better, ExpectedTraffic, Forecast, RolloutKind, RolloutPolicy, Sample, Step, forecast,
};
use promptgate_release::{Label, Name, State};
use promptgate_report::release::rollout_plan as wire;

/// The chance to reach all units below which a start is refused.
pub(super) const REQUIRED_CHANCE: f64 = 0.5;
/// Seconds between two calls of `advance` that a forecast counts on: the workflow's schedule.
pub(super) const CADENCE_SECONDS: u64 = 6 * 3_600;
/// How far back traffic is read.
const WINDOW: Duration = Duration::from_secs(7 * 86_400);
/// Shares where no source knows them.
const ASSUMED_SUCCESSES: f64 = 0.9;
const ASSUMED_ERRORS: f64 = 0.02;

/// The request.
#[derive(Debug, Clone)]
pub(crate) struct PlanOptions {
    /// The prompt.
    pub(crate) target: Target,
    /// The kind of the rollout.
    pub(crate) kind: RolloutKind,
    /// Scored requests a day; read from the sources if not given.
    pub(crate) per_day: Option<f64>,
    /// The share of a guardrail in production; read from the sources if not given.
    pub(crate) rates: Vec<(String, f64)>,
}

/// The known traffic of a prompt.
pub(super) struct KnownTraffic {
    pub(super) traffic: ExpectedTraffic,
    pub(super) rates: Vec<wire::PlannedRate>,
    pub(super) notes: Vec<String>,
}

/// Plans a rollout under the policy of the configuration.
///
/// # Errors
/// A configuration without guardrails and sources, traffic that is neither given nor read, and a ledger that fails.
pub(crate) async fn plan(
    options: &PlanOptions,
    environment: &Environment,
) -> Result<wire::RolloutPlan, Failure> {
    let opened = Opened::open(&options.target)?;
    let policy = opened.settings.policy.rollouts.as_ref().ok_or_else(|| no_rollouts(opened.name()))?;
    let state = write::current(opened.ledger.as_ref(), opened.name()).await?.state;
    let sources = super::all_sources(&opened, environment)?;
    let now = environment.now()?;
    let known = known(&sources, opened.name(), &state, policy, &options.rates, options.per_day, now).await?;
    let steps = policy.steps(options.kind);
    let forecast = forecast(steps, policy, &known.traffic);
    Ok(report(opened.name(), options.kind, &known, &forecast))
}

/// The traffic as it is given, else as the sources saw production in the last seven days.
///
/// # Errors
/// Traffic that is neither given nor read; [`Failure::Incomplete`] where a source failed.
pub(super) async fn known(
    sources: &Sources,
    name: &Name,
    state: &State,
    policy: &RolloutPolicy,
    given: &[(String, f64)],
    per_day: Option<f64>,
    now: Timestamp,
) -> Result<KnownTraffic, Failure> {
    for (guardrail, _) in given {
        if !policy.guardrails.iter().any(|known| known.name == *guardrail) {
            let names: Vec<&str> = policy.guardrails.iter().map(|known| known.name.as_str()).collect();
            return Err(Diagnostic::new(format!("{name} has no guardrail `{guardrail}`"))
                .help(format!("expected one of {}", names.join(", ")))
                .into());
        }
    }
    let Past { samples, days, notes, failures } = past(sources, name, state, policy, now).await;
    let most = samples.values().map(Sample::n).max().unwrap_or(0);
    let per_day = match per_day {
        Some(per_day) => per_day,
        None if most > 0 => most as f64 / days,
        None => return Err(unknown_traffic(name, &notes, &failures)),
    };
    let rates: Vec<wire::PlannedRate> = policy
        .guardrails
        .iter()
        .map(|guardrail| {
            let written = given.iter().find(|(name, _)| *name == guardrail.name).map(|(_, rate)| *rate);
            let seen = samples.get(&guardrail.name).and_then(share);
            let assumed = match guardrail.better {
                Better::Higher => ASSUMED_SUCCESSES,
                Better::Lower => ASSUMED_ERRORS,
            };
            let (rate, origin) = match (written, seen) {
                (Some(rate), _) => (rate, "given"),
                (None, Some(rate)) => (rate, "source"),
                (None, None) => (assumed, "assumed"),
            };
            let (guardrail, margin) = (guardrail.name.clone(), guardrail.margin);
            wire::PlannedRate { guardrail, rate, origin: origin.to_owned(), margin }
        })
        .collect();
    let by_name: BTreeMap<String, f64> =
        rates.iter().map(|rate| (rate.guardrail.clone(), rate.rate)).collect();
    let traffic = ExpectedTraffic { per_day, cadence_seconds: CADENCE_SECONDS, rates: by_name };
    Ok(KnownTraffic { traffic, rates, notes })
}

fn unknown_traffic(name: &Name, notes: &[String], failures: &[String]) -> Failure {
    let give = format!(
        "`promptgate rollout start {name} --per-day N` starts it with N scored requests a day; `plan` and `simulate` take \
         `--per-day` too"
    );
    if failures.is_empty() {
        let why = notes.first().map_or_else(String::new, |note| format!(": {note}"));
        let diagnostic = Diagnostic::new(format!("the traffic of {name} is not known{why}"));
        return diagnostic.help(give).into();
    }
    let message = format!("the traffic of {name} is not known: {}", failures.join("; "));
    let help = format!("repeat once the source answers; {give}");
    Failure::Incomplete(Diagnostic::new(message).help(help).into())
}

/// What the sources saw of production.
#[derive(Default)]
struct Past {
    /// The sample of each guardrail.
    samples: BTreeMap<String, Sample>,
    /// The days that they are of.
    days: f64,
    /// Remarks, failures among them.
    notes: Vec<String>,
    /// Sources that failed, and why.
    failures: Vec<String>,
}

/// The samples of production in the last seven days, or since it serves its version.
async fn past(sources: &Sources, name: &Name, state: &State, policy: &RolloutPolicy, now: Timestamp) -> Past {
    let production = state.labels.get(&Label::Production).copied();
    let since = production.and_then(|version| state.holds_since(version, &Label::Production));
    let (Some(version), Some(since)) = (production, since) else {
        let notes = vec!["production serves no version".to_owned()];
        return Past { days: 1.0, notes, ..Past::default() };
    };
    let from = now.checked_sub(WINDOW).unwrap_or(Timestamp::MIN).max(since);
    // Production may have been moved just now.
    let days = now.duration_since(from).as_secs_f64().max(1.0) / 86_400.0;
    let mut past = Past { days, ..Past::default() };
    let metrics: Vec<(String, String)> = policy
        .guardrails
        .iter()
        .map(|guardrail| (guardrail.name.clone(), guardrail.source.clone()))
        .collect();
    for (source, metrics, found) in
        read(sources, name, state, &[version], &metrics, Window { from, to: now }).await
    {
        match found {
            Ok(mut readings) => {
                for metric in &metrics {
                    match readings.samples.remove(metric).and_then(|mut samples| samples.pop()) {
                        Some(Ok(sample)) => {
                            past.samples.insert(metric.clone(), sample);
                        }
                        Some(Err(why)) => past.notes.push(format!("{metric}: {why}")),
                        None => past.notes.push(format!("{source} has no {metric}")),
                    }
                }
            }
            Err(error) => {
                let failure = format!("{source}: {error}");
                past.notes.push(failure.clone());
                past.failures.push(failure);
            }
        }
    }
    past
}

/// The share of a sample; a mean of scores from 0 to 1 counts as one.
fn share(sample: &Sample) -> Option<f64> {
    sample.value().filter(|value| *value > 0.0 && *value < 1.0)
}

/// A plan as it is printed.
pub(super) fn report(
    name: &Name,
    kind: RolloutKind,
    known: &KnownTraffic,
    forecast: &Forecast,
) -> wire::RolloutPlan {
    let days = |seconds: f64| seconds / 86_400.0;
    wire::RolloutPlan {
        schema: wire::SCHEMA.to_owned(),
        name: name.to_string(),
        kind: kind.as_str().to_owned(),
        per_day: known.traffic.per_day,
        rates: known.rates.clone(),
        steps: forecast
            .steps
            .iter()
            .map(|step| wire::PlannedStep {
                percent: percent(step.basis_points),
                treated: step.treated,
                days: days(step.seconds),
                chance: step.chance,
                detectable: step
                    .detectable
                    .iter()
                    .map(|(guardrail, drop)| wire::Detectable { guardrail: guardrail.clone(), drop: *drop })
                    .collect(),
            })
            .collect(),
        days: days(forecast.seconds),
        chance_not_worse: forecast.chance_not_worse,
        chance_to_finish: forecast.chance_to_finish,
        required_chance: REQUIRED_CHANCE,
        notes: known.notes.clone(),
    }
}

/// Refuses a rollout that will hardly end. `given` is the traffic of the command line.
///
/// # Errors
/// A chance below [`REQUIRED_CHANCE`].
pub(super) fn refuse_hopeless(
    name: &Name,
    kind: RolloutKind,
    steps: &[Step],
    policy: &RolloutPolicy,
    known: &KnownTraffic,
    given: Option<f64>,
) -> Result<(), Diagnostic> {
    let chance = forecast(steps, policy, &known.traffic).chance_to_finish.unwrap_or(0.0);
    if chance >= REQUIRED_CHANCE {
        return Ok(());
    }
    let per_day = known.traffic.per_day;
    let given = given.map_or_else(String::new, |given| format!(" --per-day {given}"));
    Err(Diagnostic::new(format!(
        "at {per_day:.0} scored requests a day, an equal version has a chance of {:.0} % to reach all units, below the \
         required {:.0} %",
        chance * 100.0,
        REQUIRED_CHANCE * 100.0
    ))
    .help(format!(
        "raise `max_hold` or lower `min_samples` if samples come too late, allow larger margins if the last chance is \
         low, or `promptgate rollout start {name} --anyway`; `promptgate rollout plan {name} --kind {}{given}` shows \
         where it stops",
        kind.as_str()
    )))
}

/// The error for a configuration without rollouts.
pub(super) fn no_rollouts(name: &Name) -> Diagnostic {
    Diagnostic::new(format!("the configuration of {name} has no rollouts"))
        .help("write `sources:` and `guardrails:` under `release:`; docs/rollout.md has an example")
}
