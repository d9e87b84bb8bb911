//! Ends a rollout before all units have the version: canary goes back to what production serves, the registry first.

use super::open::{OpenRollout, running};
use super::report;
use crate::app::release::labels::Places;
use crate::app::release::open::Target;
use crate::app::release::secrets;
use crate::app::release::write::{self, Current};
use crate::app::{Environment, Failure};
use promptgate_release::rollout::{Rollout, RolloutOutcome};
use promptgate_release::{EventKind, Label, MoveCause, PortError, State, Version};
use promptgate_report::release::rollout as wire;
use promptgate_report::release::rollout::RolloutResult;

/// Gives a rollout up, without a judgement on its version.
///
/// # Errors
/// No rollout is running, and ledger or registry failing.
pub(crate) async fn abort(
    target: &Target,
    reason: &str,
    dry_run: bool,
    environment: &Environment,
) -> Result<wire::Rollout, Failure> {
    secrets::refuse_in_reason(reason, environment)?;
    let open = OpenRollout::open(target, environment, environment.now()?, dry_run).await?;
    let state = write::current(open.opened.ledger.as_ref(), open.name()).await?.state;
    let rollout = running(open.name(), &state)?;
    let mut report = report::rollout(open.name(), RolloutResult::Aborted, Some(rollout));
    report.notes.clone_from(&open.notes);
    report.dry_run = dry_run;
    if !dry_run && end(&open.places(), &state, RolloutOutcome::Aborted, reason).await?.is_none() {
        report.result = RolloutResult::EndedElsewhere;
    }
    open.publish_releases(environment, &mut report).await;
    Ok(report)
}

/// Ends the rollout of `state`: the registry first, then the ledger, and both are compared until they agree. Returns the
/// version that all units get; `None` if another command ended it meanwhile.
///
/// # Errors
/// Ledger or registry failing.
pub(in crate::app::release) async fn end(
    places: &Places<'_>,
    state: &State,
    outcome: RolloutOutcome,
    reason: &str,
) -> Result<Option<Version>, PortError> {
    let Some(rollout) = state.rollout.as_deref() else { return Ok(None) };
    let (number, to) = (rollout.start.number, remaining(state, rollout));
    withdraw(places, state).await?;
    let has_ended = write::append(places.ledger, places.name, async |current: &Current| {
        let to = current.state.rollout.as_deref().map_or(to, |rollout| remaining(&current.state, rollout));
        let events = events(&current.state, number, to, outcome, reason);
        let has_ended = !events.is_empty();
        Ok::<_, PortError>((places.stamp.events(events), has_ended))
    })
    .await?;
    // Other writers may have moved a label since it was read.
    for label in [Label::Canary, Label::Production] {
        places.settle(&label).await?;
    }
    Ok(has_ended.then_some(to))
}

/// The version that all units get once a rollout has ended before its last step: what production serves, which may have
/// moved since the rollout began.
pub(in crate::app::release) fn remaining(state: &State, rollout: &Rollout) -> Version {
    let served = state.labels.get(&Label::Production).copied();
    served.filter(|version| *version != rollout.start.treatment).unwrap_or(rollout.start.control)
}

/// Moves the labels of a rollout in the registry back to what production serves.
///
/// # Errors
/// The registry fails.
pub(in crate::app::release) async fn withdraw(places: &Places<'_>, state: &State) -> Result<(), PortError> {
    let Some(rollout) = state.rollout.as_deref() else { return Ok(()) };
    if places.registry.capabilities().in_ledger {
        return Ok(());
    }
    let to = remaining(state, rollout);
    places.set(&Label::Canary, to, state).await?;
    if state.intents.contains_key(&Label::Production) {
        places.set(&Label::Production, to, state).await?;
    }
    Ok(())
}

/// The events that end a rollout, after which canary is on version `to`; none if it has ended.
pub(in crate::app::release) fn events(
    state: &State,
    number: u64,
    to: Version,
    outcome: RolloutOutcome,
    reason: &str,
) -> Vec<EventKind> {
    let running = state.rollout.as_deref().filter(|rollout| rollout.start.number == number);
    let Some(rollout) = running else { return Vec::new() };
    let treatment = rollout.start.treatment;
    let reason = Some(reason.to_owned());
    let mut events = Vec::new();
    if let Some(intent) = state.intents.get(&Label::Production).filter(|intent| intent.version == treatment) {
        events.push(EventKind::Abandoned { label: Label::Production, version: intent.version });
    }
    let cause = match outcome {
        RolloutOutcome::RolledBack => MoveCause::Rollback,
        RolloutOutcome::Completed | RolloutOutcome::Aborted => MoveCause::Rollout,
    };
    let (label, from) = (Label::Canary, state.labels.get(&Label::Canary).copied());
    events.push(EventKind::Moved { label, from, version: to, cause, reason: reason.clone() });
    events.push(EventKind::RolloutEnded { rollout: number, outcome, reason });
    events
}
