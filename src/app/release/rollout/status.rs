//! Shows a rollout: where it is, and what its data show so far. Nothing is written, and no part of the error rate is spent.

use super::monitor;
use super::observe::review;
use super::report;
use super::staging;
use crate::app::release::open::{Opened, Target};
use crate::app::release::{resolve, write};
use crate::app::{Environment, Failure};
use promptgate_release::State;
use promptgate_report::release::rollout as wire;
use promptgate_report::release::rollout::RolloutResult;

/// The status of the rollout of a prompt, with the observations of its step where its sources can be read.
///
/// # Errors
/// An unknown prompt, and a ledger that fails.
pub(crate) async fn status(target: &Target, environment: &Environment) -> Result<wire::Rollout, Failure> {
    let opened = Opened::open(target)?;
    let (name, ledger) = (opened.name(), opened.ledger.as_ref());
    let state = write::current(ledger, name).await?.state;
    let Some(rollout) = state.rollout.as_deref() else { return idle(&opened, &state, environment).await };
    let result = if rollout.paused.is_some() { RolloutResult::Paused } else { RolloutResult::Running };
    let mut report = report::rollout(name, result, Some(rollout));
    let record = resolve::record_in(ledger, name, &state, rollout.start.treatment).await?;
    let Some(policy) = &record.policy.rollouts else { return Ok(report) };
    let sources = super::sources(&opened, environment);
    let reviewed = review(&sources, name, &state, rollout, policy, environment.now()?).await;
    report::add_decision(&mut report, &reviewed.decision, &reviewed.observations);
    report.notes = reviewed.notes;
    Ok(report)
}

/// Where no rollout is running: the version on its way, and what production serves.
async fn idle(opened: &Opened, state: &State, environment: &Environment) -> Result<wire::Rollout, Failure> {
    let (name, ledger) = (opened.name(), opened.ledger.as_ref());
    let mut report = report::rollout(name, RolloutResult::NotRunning, None);
    let (sources, now) = (super::sources(opened, environment), environment.now()?);
    let monitored = monitor::review(&sources, name, ledger, state, now).await?;
    report.monitor = monitored.map(|monitored| monitored.report());
    let Some(version) = state.on_its_way() else { return Ok(report) };
    report.version = Some(version.to_string());
    report.result = RolloutResult::Waiting;
    let record = resolve::record_in(ledger, name, state, version).await?;
    if let Some(review) = staging::review(&sources, name, state, &record, now).await {
        report.findings = report::limit_findings(&review.decision.findings);
        report.notes = review.notes;
    }
    Ok(report)
}
