//! Simulates rollouts with a given true deterioration, so that a team sees what its thresholds do before it trusts them.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::observe::Sources;
use super::plan::{CADENCE_SECONDS, PlanOptions, known, no_rollouts};
use crate::app::release::open::Opened;
use crate::app::release::wire::percent;
use crate::app::release::write;
use crate::app::{Environment, Failure};
use promptgate_core::model::Diagnostic;
use promptgate_release::Version;
use promptgate_release::rollout::{
    Action, Better, FindingKind, RolloutPolicy, RolloutStart, Scenario, SimulatedCall, SimulatedOutcome,
    SimulatedRollout, Status, Variants, planned_information, simulate as run,
};
use promptgate_report::release::rollout_plan as wire;

/// The request.
#[derive(Debug, Clone)]
pub(crate) struct SimulateOptions {
    /// The traffic and the kind of the rollout.
    pub(crate) plan: PlanOptions,
    /// The guardrail that deteriorates; the first by default.
    pub(crate) guardrail: Option<String>,
    /// Its true deterioration; 0 for an equal version.
    pub(crate) drop: f64,
    /// The number of runs.
    pub(crate) runs: u64,
    /// The seed of the first run.
    pub(crate) seed: u64,
}

/// Simulates rollouts under the policy of the configuration.
///
/// # Errors
/// As for a plan, and a deterioration beyond what the share allows.
pub(crate) async fn simulate(
    options: &SimulateOptions,
    environment: &Environment,
) -> Result<wire::RolloutSimulation, Failure> {
    let opened = Opened::open(&options.plan.target)?;
    let name = opened.name();
    let policy = opened.settings.policy.rollouts.as_ref().ok_or_else(|| no_rollouts(name))?;
    let state = write::current(opened.ledger.as_ref(), name).await?.state;
    let sources: Sources = super::all_sources(&opened, environment)?;
    let (rates, per_day) = (&options.plan.rates, options.plan.per_day);
    let known = known(&sources, name, &state, policy, rates, per_day, environment.now()?).await?;
    let steps = policy.steps(options.plan.kind).to_vec();
    let start = RolloutStart {
        number: 1,
        treatment: Version { major: 1, minor: 1, patch: 0 },
        control: Version::FIRST,
        kind: options.plan.kind,
        planned_information: planned_information(&steps, Some(known.traffic.per_day)),
        steps,
        salt: name.to_string(),
        sources: sources.digest.clone(),
        reason: None,
    };
    let worse = worse(options, policy)?;
    let rates = true_rates(options.drop, worse, policy, &known.traffic.rates)?;
    let scenario = |run: u64| Scenario {
        per_day: known.traffic.per_day,
        cadence_seconds: CADENCE_SECONDS,
        rates: rates.clone(),
        seed: options.seed.wrapping_add(run),
    };
    let runs: Vec<SimulatedRollout> =
        (0..options.runs).filter_map(|index| run(&start, policy, &scenario(index))).collect();
    let Some(first) = runs.first() else {
        return Err(Diagnostic::new("nothing to simulate").help("expected `--runs` of 1 or more").into());
    };
    let mut days: Vec<f64> = runs.iter().map(|run| run.ended_seconds as f64 / 86_400.0).collect();
    days.sort_by(f64::total_cmp);
    let outcomes = [SimulatedOutcome::Completed, SimulatedOutcome::RolledBack, SimulatedOutcome::Stuck];
    Ok(wire::RolloutSimulation {
        schema: wire::SIMULATION_SCHEMA.to_owned(),
        name: name.to_string(),
        kind: options.plan.kind.as_str().to_owned(),
        per_day: known.traffic.per_day,
        guardrail: worse.to_owned(),
        drop: options.drop,
        seed: options.seed,
        timeline: first.calls.iter().map(step).collect(),
        outcomes: outcomes
            .into_iter()
            .map(|outcome| wire::SimulatedShare {
                result: outcome_word(outcome).to_owned(),
                runs: runs.iter().filter(|run| run.outcome == outcome).count() as u64,
            })
            .collect(),
        runs: runs.len() as u64,
        days: days.get(days.len() / 2).copied().unwrap_or_default(),
    })
}

/// The guardrail that deteriorates.
fn worse<'p>(options: &SimulateOptions, policy: &'p RolloutPolicy) -> Result<&'p str, Diagnostic> {
    let names: Vec<&str> = policy.guardrails.iter().map(|guardrail| guardrail.name.as_str()).collect();
    let found = match &options.guardrail {
        Some(named) => names.iter().find(|name| *name == named),
        None => names.first(),
    };
    found.copied().ok_or_else(|| {
        let named = options.guardrail.as_deref().unwrap_or_default();
        Diagnostic::new(format!("there is no guardrail `{named}`"))
            .help(format!("expected one of {}", names.join(", ")))
    })
}

/// The share of each guardrail in both variants, where `worse` deteriorates by `drop`.
fn true_rates(
    drop: f64,
    worse: &str,
    policy: &RolloutPolicy,
    rates: &BTreeMap<String, f64>,
) -> Result<BTreeMap<String, Variants<f64>>, Failure> {
    let mut all = BTreeMap::new();
    for guardrail in &policy.guardrails {
        let control = rates.get(&guardrail.name).copied().unwrap_or_default();
        let drop = if worse == guardrail.name { drop } else { 0.0 };
        let treatment = match guardrail.better {
            Better::Higher => control - drop,
            Better::Lower => control + drop,
        };
        if !(0.0..=1.0).contains(&treatment) {
            return Err(Diagnostic::new(format!(
                "a deterioration of {drop} takes {} from {control:.3} to {treatment:.3}, beyond a share of 0 to 1",
                guardrail.name
            ))
            .help("give a smaller `--drop`, or another `--rate`")
            .into());
        }
        all.insert(guardrail.name.clone(), Variants { control, treatment });
    }
    Ok(all)
}

fn step(call: &SimulatedCall) -> wire::SimulatedStep {
    let result = match &call.action {
        Action::Advance { .. } => "advanced",
        Action::Complete => "completed",
        Action::RollBack => "rolled_back",
        Action::Stuck => "stuck",
        Action::Wait | Action::Pause => "waiting",
    };
    let worst = call.findings.iter().map(|finding| finding.kind.status()).max().unwrap_or(Status::Pass);
    let reasons = call.findings.iter().filter(|finding| finding.kind.status() == worst);
    wire::SimulatedStep {
        day: call.seconds as f64 / 86_400.0,
        percent: percent(call.basis_points),
        treated: call.treated,
        result: result.to_owned(),
        reasons: reasons
            .map(|finding| match &finding.metric {
                Some(metric) => format!("{metric}: {}", sentence(&finding.kind)),
                None => sentence(&finding.kind),
            })
            .collect(),
    }
}

/// A finding as a sentence, with times as days since the begin.
fn sentence(kind: &FindingKind) -> String {
    let day = |time: &Timestamp| time.duration_since(Timestamp::UNIX_EPOCH).as_secs_f64() / 86_400.0;
    match kind {
        FindingKind::HoldUntil(until) => format!("held until day {:.1}", day(until)),
        FindingKind::MaxHold(end) => {
            format!("on this step for longer than `max_hold`, overdue since day {:.1}", day(end))
        }
        kind => kind.to_string(),
    }
}

fn outcome_word(outcome: SimulatedOutcome) -> &'static str {
    match outcome {
        SimulatedOutcome::Completed => "completed",
        SimulatedOutcome::RolledBack => "rolled_back",
        SimulatedOutcome::Stuck => "stuck",
    }
}
