//! Moves a label to a version that passed its controls.

use std::sync::Arc;

use super::identity;
use super::labels::Places;
use super::open::{Opened, Target};
use super::pending;
use super::releases;
use super::resolve;
use super::secrets;
use super::write::{self, Current, Stamp};
use crate::app::{Environment, Failure};
use promptgate_core::model::Diagnostic;
use promptgate_release::ports::{Addition, LedgerStore, Registry, Staleness};
use promptgate_release::promotion::{self, Decision, Obstacle, Promotion};
use promptgate_release::{EventKind, Label, Level, MoveCause, Name, State, Version};

/// The request.
#[derive(Debug, Clone)]
pub(crate) struct PromoteOptions {
    /// The prompt.
    pub(crate) target: Target,
    /// The version; by default what staging has for production, and the newest one for staging.
    pub(crate) version: Option<Version>,
    /// The label: staging or production.
    pub(crate) to: Label,
    /// Whether the holds are skipped.
    pub(crate) skip_holds: bool,
    /// Whether a version that was rolled back may be promoted.
    pub(crate) again: bool,
    /// The reason.
    pub(crate) reason: Option<String>,
    /// Whether an evaluation by the simulated model counts.
    pub(crate) allow_simulated: bool,
    /// Whether nothing is written.
    pub(crate) dry_run: bool,
}

/// The result.
#[derive(Debug, Clone)]
pub(crate) struct Promoted {
    /// The prompt.
    pub(crate) name: Name,
    /// The version.
    pub(crate) version: Version,
    /// The label.
    pub(crate) label: Label,
    /// The version that the label pointed at.
    pub(crate) from: Option<Version>,
    /// The decision.
    pub(crate) outcome: PromoteOutcome,
    /// Other effects: moves that were finished or adopted.
    pub(crate) notes: Vec<String>,
    /// Where the registry is.
    pub(crate) registry: String,
    /// How long applications may read the old version.
    pub(crate) staleness: Staleness,
    /// Whether nothing was written.
    pub(crate) dry_run: bool,
}

/// The decision about a promotion.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PromoteOutcome {
    /// The label was moved and read back.
    Done {
        /// The level whose controls were passed.
        level: Level,
    },
    /// The label was there already.
    Unchanged,
    /// Refused.
    Refused(Vec<Obstacle>),
    /// Evidence, approvals or time are missing.
    Waiting(Vec<Obstacle>),
    /// The label was moved back by a rollback that came between.
    RolledBack {
        /// The version that the label points at.
        to: Version,
    },
}

/// Moves the label if the controls allow it.
///
/// # Errors
/// An unknown prompt or version, and ledger or registry failing.
pub(crate) async fn promote(
    options: &PromoteOptions,
    environment: &Environment,
) -> Result<Promoted, Failure> {
    let reason = options.reason.as_deref().unwrap_or_default();
    secrets::refuse_in_reason(reason, environment)?;
    let opened = Opened::open(&options.target)?;
    let stamp =
        Stamp { at: environment.now()?, actor: identity::identity(environment, &opened.folder)?.actor };
    let registry = opened.registry(environment, &stamp.actor)?;
    let name = opened.name();
    let kept = match options.dry_run {
        true => None,
        false => pending::append(&opened.folder, name, opened.ledger.as_ref()).await?,
    };
    let mut promoted = promote_in(options, name, &opened.ledger, &registry, &stamp).await?;
    promoted.notes.splice(0..0, kept);
    if !options.dry_run {
        promoted.notes.extend(releases::note(&opened, environment, &stamp).await);
    }
    Ok(promoted)
}

/// Moves the label in an open ledger and registry.
pub(super) async fn promote_in(
    options: &PromoteOptions,
    name: &Name,
    ledger: &Arc<dyn LedgerStore>,
    registry: &Arc<dyn Registry>,
    stamp: &Stamp,
) -> Result<Promoted, Failure> {
    let places = Places { name, ledger: ledger.as_ref(), registry: registry.as_ref(), stamp };
    let label = &options.to;
    let mut notes = Vec::new();
    let decided = loop {
        if !options.dry_run {
            notes.extend(places.catch_up(label).await?);
        }
        let decided = write::append(ledger.as_ref(), name, async |current: &Current| {
            // The move that another writer began counts: it is finished first, and this one decided again.
            if current.state.intents.contains_key(label) && !options.dry_run {
                return Ok((Addition::default(), None));
            }
            decide(options, &places, current).await.map(|(addition, decided)| (addition, Some(decided)))
        })
        .await?;
        if let Some(decided) = decided {
            break decided;
        }
    };
    let promoted = |outcome| Promoted {
        name: name.clone(),
        version: decided.version,
        label: label.clone(),
        from: decided.from,
        outcome,
        notes: notes.clone(),
        registry: registry.location(),
        staleness: registry.staleness(),
        dry_run: options.dry_run,
    };
    let level = match decided.decision {
        Decision::Refuse(obstacles) => return Ok(promoted(PromoteOutcome::Refused(obstacles))),
        Decision::Wait(obstacles) => return Ok(promoted(PromoteOutcome::Waiting(obstacles))),
        Decision::Unchanged => {
            let state = write::known(ledger.as_ref(), name).await?.state;
            places.verify(decided.version, &state, options.dry_run).await?;
            return Ok(promoted(PromoteOutcome::Unchanged));
        }
        Decision::Promote { level } => level,
    };
    if options.dry_run {
        return Ok(promoted(PromoteOutcome::Done { level }));
    }
    let settled = places.settle(label).await?;
    Ok(promoted(if settled == decided.version {
        PromoteOutcome::Done { level }
    } else {
        PromoteOutcome::RolledBack { to: settled }
    }))
}

/// A decision about a version.
struct Decided {
    version: Version,
    from: Option<Version>,
    decision: Decision,
}

async fn decide(
    options: &PromoteOptions,
    places: &Places<'_>,
    current: &Current,
) -> Result<(Addition, Decided), Failure> {
    let (state, label) = (&current.state, &options.to);
    let version = chosen(options.version, label, places.name, state)?;
    let record = resolve::record_in(places.ledger, places.name, state, version).await?;
    let production = resolve::production(places.ledger, places.name, state).await?;
    let decision = promotion::decide(&Promotion {
        state,
        record: &record,
        production: production.as_ref(),
        to: label.clone(),
        actor: places.stamp.actor.source,
        skip_holds: options.skip_holds,
        again: options.again,
        by_rollout: false,
        reason: options.reason.as_deref(),
        allow_simulated: options.allow_simulated,
        unverified_counts: places.ledger.is_local(),
        now: places.stamp.at,
    });
    let from = state.labels.get(label).copied();
    let addition = match decision {
        Decision::Promote { .. } if !options.dry_run => {
            // The content in the registry is verified before anything says that the label will point at it.
            if !places.registry.capabilities().in_ledger {
                places.registered(version, state).await?;
            }
            places.stamp.events([event(options, places, version, from)])
        }
        _ => Addition::default(),
    };
    Ok((addition, Decided { version, from, decision }))
}

/// The event that moves the label where the ledger is the registry, else the one that announces the move.
fn event(
    options: &PromoteOptions,
    places: &Places<'_>,
    version: Version,
    from: Option<Version>,
) -> EventKind {
    let (label, cause, reason) = (options.to.clone(), MoveCause::Promotion, options.reason.clone());
    if places.registry.capabilities().in_ledger {
        EventKind::Moved { label, from, version, cause, reason }
    } else {
        EventKind::Intended { label, version, cause, reason }
    }
}

/// The version to promote: the wanted one, else what staging has for production, else the newest.
///
/// # Errors
/// An unknown version, or none at all.
pub(super) fn chosen(
    wanted: Option<Version>,
    to: &Label,
    name: &Name,
    state: &State,
) -> Result<Version, Diagnostic> {
    let staged = state.labels.get(&Label::Staging).copied().filter(|_| *to == Label::Production);
    let version = wanted.or(staged).or_else(|| state.latest());
    let version = version.ok_or_else(|| {
        Diagnostic::new(format!("{name} has no published version"))
            .help("`promptgate publish` publishes one after the gate has passed")
    })?;
    if state.versions.contains_key(&version) {
        Ok(version)
    } else {
        Err(Diagnostic::new(format!("{name} has no version {version}"))
            .help(format!("`promptgate log {name}` lists the published ones")))
    }
}
