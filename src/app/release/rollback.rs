//! Moves a label back to a version that held it before: at once, the registry first.

mod repeated;

use std::sync::Arc;

use super::identity;
use super::labels::Places;
use super::open::{Opened, Target};
use super::pending;
use super::releases;
use super::rollout;
use super::write::{self, Current, Stamp};
use crate::app::{Environment, Failure};
use promptgate_core::model::Diagnostic;
use promptgate_release::ports::{Addition, LedgerStore, Registry, Staleness};
use promptgate_release::rollback::{RollbackRefusal, target};
use promptgate_release::rollout::RolloutOutcome;
use promptgate_release::{ActorSource, Event, EventKind, Label, MoveCause, Name, PortError, State, Version};

/// The request.
#[derive(Debug, Clone)]
pub(crate) struct RollbackOptions {
    /// The prompt.
    pub(crate) target: Target,
    /// The version that the label has to be on, or nothing is moved; `None` for any.
    pub(crate) from: Option<Version>,
    /// The version; by default the last one that held the label and was not rolled back itself.
    pub(crate) to: Option<Version>,
    /// The label.
    pub(crate) label: Label,
    /// Why.
    pub(crate) reason: String,
    /// Whether nothing is written.
    pub(crate) dry_run: bool,
}

/// The result.
#[derive(Debug, Clone)]
pub(crate) struct RolledBack {
    /// The prompt.
    pub(crate) name: Name,
    /// The label.
    pub(crate) label: Label,
    /// The version that the label pointed at.
    pub(crate) from: Version,
    /// The version that it points at now.
    pub(crate) to: Version,
    /// Other effects, and steps that are left.
    pub(crate) notes: Vec<String>,
    /// Where the registry is.
    pub(crate) registry: String,
    /// How long applications may read the old version.
    pub(crate) staleness: Staleness,
    /// The event that the ledger did not take, as a line of JSON.
    pub(crate) pending: Option<String>,
    /// Whether nothing was written.
    pub(crate) dry_run: bool,
    /// Whether the label left `from` by a rollback, or would; false where another command moved it on meanwhile.
    pub(crate) has_moved: bool,
}

/// Moves the label back.
///
/// # Errors
/// No target, and a registry that does not confirm the move. A ledger that fails leaves a pending event.
pub(crate) async fn rollback(
    options: &RollbackOptions,
    environment: &Environment,
) -> Result<RolledBack, Failure> {
    // A rollback is not refused for it.
    let reason = environment.redactor().redact(&options.reason).into_owned();
    let options = &RollbackOptions { reason, ..options.clone() };
    let opened = Opened::open_any(&options.target)?;
    let stamp =
        Stamp { at: environment.now()?, actor: identity::identity(environment, &opened.folder)?.actor };
    let registry = opened.registry(environment, &stamp.actor)?;
    let (folder, name) = (&opened.folder, opened.name());
    let mut notes = Vec::new();
    if !options.dry_run {
        // Neither a ledger that is still out of reach nor a damaged file is a reason to wait.
        notes.extend(pending::append(folder, name, opened.ledger.as_ref()).await.unwrap_or_default());
    }
    let kept = pending::read(folder, name).unwrap_or_default();
    let rolled_back = rollback_in(options, name, &kept, &opened.ledger, &registry, &stamp).await;
    if let Err(Failure::Diagnostics(_)) = &rolled_back
        && !options.dry_run
        && stamp.actor.source != ActorSource::OtherBranch
    {
        // The call that ended the rollout may have been killed before it published that.
        let _ = releases::note(&opened, environment, &stamp).await;
    }
    let mut rolled_back = rolled_back?;
    rolled_back.notes.splice(0..0, notes);
    if let Some(line) = &rolled_back.pending {
        let file = pending::keep(&opened.folder, opened.name(), line)?;
        rolled_back
            .notes
            .push(format!("the event is kept in {file}; the next command that writes appends it"));
    } else if !options.dry_run {
        rolled_back.notes.extend(releases::note(&opened, environment, &stamp).await);
    }
    Ok(rolled_back)
}

/// Moves the label back in an open ledger and registry. `kept` are earlier rollbacks that the ledger did not take.
pub(super) async fn rollback_in(
    options: &RollbackOptions,
    name: &Name,
    kept: &[Event],
    ledger: &Arc<dyn LedgerStore>,
    registry: &Arc<dyn Registry>,
    stamp: &Stamp,
) -> Result<RolledBack, Failure> {
    let places = Places { name, ledger: ledger.as_ref(), registry: registry.as_ref(), stamp };
    let in_ledger = registry.capabilities().in_ledger;
    let mut notes = Vec::new();
    // Nothing may stand in the way of a rollback: without the remote, the state that was last fetched has to do.
    let current = match write::current(ledger.as_ref(), name).await {
        Ok(current) => current,
        Err(error @ PortError::Unavailable(_)) if !in_ledger => {
            notes.push(format!("the ledger cannot be reached, so its last known state is used: {error}"));
            write::known(ledger.as_ref(), name).await?
        }
        Err(error) => return Err(error.into()),
    };
    let mut state = pending::following(&current.state, kept).0;
    if let Some(from) = options.from
        && state.labels.get(&options.label) != Some(&from)
    {
        return Err(Diagnostic::new(format!("{} of {name} has moved on from {from}", options.label)).into());
    }
    // A rollout that has reached production, and whose last event is missing, is past: production itself is rolled back.
    if let Some(rollout) = state.rollout.as_deref()
        && matches!(options.label, Label::Production | Label::Canary)
        && state.labels.get(&Label::Production) != Some(&rollout.start.treatment)
    {
        let treatment = rollout.start.treatment;
        let (rolled_back, has_ended) = end_rollout(options, &places, &state, notes.clone()).await?;
        if has_ended {
            return Ok(rolled_back);
        }
        // Another command ended it first. Where production got the version, that is what has to be undone.
        state = write::current(ledger.as_ref(), name).await?.state;
        if state.labels.get(&Label::Production) != Some(&treatment) {
            return Ok(rolled_back);
        }
        notes = rolled_back.notes;
    }
    repeated::refuse(options, name, &state, stamp.at)?;
    let (from, to) = chosen(options, name, &state)?;
    let mut rolled_back = RolledBack {
        name: name.clone(),
        label: options.label.clone(),
        from,
        to,
        notes,
        registry: registry.location(),
        staleness: registry.staleness(),
        pending: None,
        dry_run: options.dry_run,
        has_moved: true,
    };
    if options.dry_run {
        return Ok(rolled_back);
    }
    let takes_canary = options.label == Label::Production
        && (state.rollout.is_some() || state.labels.get(&Label::Canary) == Some(&from));
    if !in_ledger {
        places.set(&options.label, to, &current.state).await?;
        if takes_canary {
            places.set(&Label::Canary, to, &current.state).await?;
        }
    }
    match record(options, &places, from, to).await {
        Ok(has_moved) => {
            rolled_back.has_moved = has_moved;
            if takes_canary {
                places.settle(&Label::Canary).await?;
            }
            let settled = places.settle(&options.label).await?;
            if settled != to {
                rolled_back
                    .notes
                    .push(format!("{} was moved on to {settled} by another command", options.label));
                rolled_back.to = settled;
            }
        }
        Err(error @ (PortError::Unavailable(_) | PortError::Refused(_))) if !in_ledger => {
            // Without the event, other writers do not know better: the registry alone has to confirm.
            places.confirm(&options.label, to, &current.state).await?;
            rolled_back.notes.push(format!("the ledger did not take the event: {error}"));
            let labels = [Some(&options.label), takes_canary.then_some(&Label::Canary)];
            let events = labels.into_iter().flatten().map(|label| moved(options, label, Some(from), to));
            let lines: Result<Vec<String>, Failure> =
                events.map(|kind| pending::line(&stamp.event(kind))).collect();
            rolled_back.pending = Some(lines?.join("\n"));
        }
        Err(error) => return Err(error.into()),
    }
    Ok(rolled_back)
}

/// Takes the version of the running rollout from all units: canary moves back to what production serves, and the
/// percentage to 0. Production itself has not moved. Also returns whether the rollout had not ended before.
async fn end_rollout(
    options: &RollbackOptions,
    places: &Places<'_>,
    state: &State,
    notes: Vec<String>,
) -> Result<(RolledBack, bool), Failure> {
    let rollout = state.rollout.as_deref().ok_or(PortError::Conflict("rollout"))?;
    let (number, from, to) =
        (rollout.start.number, rollout.start.treatment, rollout::remaining(state, rollout));
    if let Some(wanted) = options.to.filter(|wanted| *wanted != to) {
        return Err(Diagnostic::new(format!(
            "rollout {number} of {from} is running: a rollback ends it, and all units get {to}, not {wanted}"
        ))
        .help("repeat without `--to`; then `--to` returns production to an earlier version")
        .into());
    }
    let mut rolled_back = RolledBack {
        name: places.name.clone(),
        label: Label::Canary,
        from,
        to,
        notes,
        registry: places.registry.location(),
        staleness: places.registry.staleness(),
        pending: None,
        dry_run: options.dry_run,
        has_moved: true,
    };
    if options.dry_run {
        rolled_back.notes.push(format!("rollout {number} ends; production stays at {to}"));
        return Ok((rolled_back, true));
    }
    let (outcome, reason) = (RolloutOutcome::RolledBack, options.reason.as_str());
    match rollout::end(places, state, outcome, reason).await {
        Ok(Some(_)) => {}
        Ok(None) => {
            rolled_back.notes.push("another command ended the rollout first".to_owned());
            return Ok((rolled_back, false));
        }
        Err(error @ (PortError::Unavailable(_) | PortError::Refused(_)))
            if !places.registry.capabilities().in_ledger =>
        {
            places.confirm(&Label::Canary, to, state).await?;
            rolled_back.notes.push(format!(
                "the ledger did not take the events, so applications that assign units by it still treat them: {error}"
            ));
            let events = rollout::events(state, number, to, outcome, reason);
            let lines: Result<Vec<String>, Failure> =
                events.into_iter().map(|kind| pending::line(&places.stamp.event(kind))).collect();
            rolled_back.pending = Some(lines?.join("\n"));
        }
        Err(error) => return Err(error.into()),
    }
    rolled_back.notes.push(format!("rollout {number} ends; production stays at {to}"));
    Ok((rolled_back, true))
}

/// Appends the event, that of canary where it is on the same version, and those that end a rollout over a version that
/// production no longer has, whatever other writers append meanwhile. Returns false where the label has moved on to another
/// version.
async fn record(
    options: &RollbackOptions,
    places: &Places<'_>,
    from: Version,
    to: Version,
) -> Result<bool, PortError> {
    write::append(places.ledger, places.name, async |current: &Current| {
        let now = current.state.labels.get(&options.label).copied();
        // Findings about one version do not move the label away from a newer one.
        let has_moved_on = now != Some(from) && now != Some(to);
        if options.from.is_some() && has_moved_on {
            return Ok((Addition::default(), false));
        }
        // Another rollback to the same version came first; an open move of the label is still to be ended.
        let done = now == Some(to) && !current.state.intents.contains_key(&options.label);
        let event = moved(options, &options.label, now.or(Some(from)), to);
        let mut events = Vec::from_iter((!done).then_some(event));
        if let Some(rollout) = current.state.rollout.as_deref().filter(|_| options.label == Label::Production)
        {
            let (number, outcome) = (rollout.start.number, RolloutOutcome::RolledBack);
            events.extend(rollout::events(&current.state, number, to, outcome, &options.reason));
        } else if options.label == Label::Production
            && current.state.labels.get(&Label::Canary) == Some(&from)
            && !done
        {
            // Left there by an earlier rollout of the version.
            events.push(moved(options, &Label::Canary, Some(from), to));
        }
        Ok::<_, PortError>((places.stamp.events(events), true))
    })
    .await
}

fn moved(options: &RollbackOptions, label: &Label, from: Option<Version>, version: Version) -> EventKind {
    let (label, cause) = (label.clone(), MoveCause::Rollback);
    let reason = Some(options.reason.trim().to_owned()).filter(|reason| !reason.is_empty());
    EventKind::Moved { label, from, version, cause, reason }
}

/// The versions that the label points at before and after.
fn chosen(options: &RollbackOptions, name: &Name, state: &State) -> Result<(Version, Version), Failure> {
    let label = &options.label;
    let to = target(state, label, options.to).map_err(|refusal| {
        let diagnostic = Diagnostic::new(format!("{label} of {name} cannot be rolled back: {refusal}"));
        match refusal {
            RollbackRefusal::Automatic => diagnostic.help("roll back production or staging"),
            RollbackRefusal::NotSet | RollbackRefusal::NoTarget => diagnostic.help(format!(
                "`promptgate log {name}` shows which versions held it; to repair it, publish a new version"
            )),
            RollbackRefusal::RolledBack(version) => diagnostic.help(format!(
                "`promptgate promote {name} {version} --to {label} --again --reason TEXT` promotes it again"
            )),
            RollbackRefusal::NeverServed(_) | RollbackRefusal::Current(_) => {
                diagnostic.help(format!("`promptgate log {name}` shows which versions held {label}"))
            }
        }
    })?;
    let from = state.labels.get(label).copied().unwrap_or(to);
    Ok((from, to))
}
