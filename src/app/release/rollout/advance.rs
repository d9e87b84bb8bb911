//! Takes a rollout one step further where its evidence allows it.

use super::carry::{CarryOptions, carry};
use super::end::{self, end};
use super::monitor;
use super::observe::{Reviewed, Sources, review};
use super::open::OpenRollout;
use super::orphans::orphans;
use super::report;
use crate::app::release::committed::refuse_committed_ledger;
use crate::app::release::names;
use crate::app::release::open::{Opened, Target};
use crate::app::release::resolve;
use crate::app::release::wire::{percent, time};
use crate::app::release::write::{self, Current};
use crate::app::sources::{Released, configurations, configured_release, current_folder, repository_root};
use crate::app::{Environment, Failure};
use promptgate_core::model::Diagnostic;
use promptgate_release::ports::Addition;
use promptgate_release::rollout::{Action, Decision, Rollout, RolloutOutcome, RolloutPolicy};
use promptgate_release::{ActorSource, EventKind, Label, MoveCause, State};
use promptgate_report::release::rollout as wire;
use promptgate_report::release::rollout::RolloutResult;

/// The findings and the effect of a call.
struct Advanced {
    /// The rollout before the call; `None` if none is running.
    rollout: Option<Rollout>,
    /// The review of its step; `None` where there is nothing to decide.
    reviewed: Option<Reviewed>,
    /// The result.
    result: RolloutResult,
}

/// Observes the current step, decides, and does what follows.
///
/// # Errors
/// An unknown prompt, a name that two configurations release, a ledger that was committed, and ledger or registry failing.
pub(crate) async fn advance(
    target: &Target,
    options: CarryOptions,
    environment: &Environment,
) -> Result<wire::Rollout, Failure> {
    let opened = Opened::open(target)?;
    // Outside a repository, the configurations that `--all` would find.
    let here = current_folder()?;
    let base = if opened.folder.starts_with(&here) { &here } else { &opened.folder };
    let releases = names::releases(repository_root(&opened.folder).unwrap_or(base));
    advance_one(opened, &releases, options, environment).await
}

/// Advances a prompt; `releases` are all of the repository.
async fn advance_one(
    opened: Opened,
    releases: &[Released],
    options: CarryOptions,
    environment: &Environment,
) -> Result<wire::Rollout, Failure> {
    names::refuse_shared(&opened, releases)?;
    refuse_committed_ledger(&opened, environment)?;
    let open = OpenRollout::of(opened, environment, environment.now()?, options.dry_run).await?;
    if open.stamp.actor.source == ActorSource::OtherBranch && !options.dry_run {
        return Err(Diagnostic::new("jobs of pull requests and other branches cannot advance a rollout")
            .help("run it on the default branch: examples/lifecycle/advance.yml")
            .into());
    }
    let sources = super::sources(&open.opened, environment);
    let mut report = advance_in(&open, &sources, options).await?;
    open.publish_releases(environment, &mut report).await;
    Ok(report)
}

/// Advances every rollout of the repository: that of each configuration with a release. One that fails does not keep the
/// others; each comes with the path of its configuration. A rollout that is running and that no configuration releases is
/// a failure under the name of its prompt.
///
/// # Errors
/// There is no current folder.
pub(crate) async fn advance_all(
    options: CarryOptions,
    environment: &Environment,
) -> Result<Vec<(String, Result<wire::Rollout, Failure>)>, Failure> {
    let here = current_folder()?;
    let root = repository_root(&here).unwrap_or(&here);
    let mut releases = Vec::new();
    let mut found = Vec::new();
    for config in configurations(root) {
        let shown = config.strip_prefix(&here).unwrap_or(&config).display().to_string();
        match configured_release(Some(&config)) {
            Ok(None) => {}
            Ok(Some(release)) => {
                found.push((shown, Ok(release.clone())));
                releases.push(release);
            }
            Err(failure) => found.push((shown, Err(failure))),
        }
    }
    let mut advanced = Vec::new();
    for (shown, release) in found {
        let result = match release {
            Ok((own, folder, settings)) => {
                let opened = Opened::of(settings, own, folder);
                advance_one(opened, &releases, options, environment).await
            }
            Err(failure) => Err(failure),
        };
        advanced.push((shown, result));
    }
    let has_failed = advanced.iter().any(|(_, result)| result.is_err());
    let orphans = orphans(&releases, has_failed, environment).await;
    advanced.extend(orphans.into_iter().map(|(name, failure)| (name, Err(failure))));
    Ok(advanced)
}

/// Advances in an open ledger and registry: the rollout that is running, else what production serves and the version on
/// its way there.
pub(super) async fn advance_in(
    open: &OpenRollout,
    sources: &Sources,
    options: CarryOptions,
) -> Result<wire::Rollout, Failure> {
    let mut report = step_in(open, sources, options.dry_run).await?;
    if report.result == RolloutResult::NotRunning {
        report = idle(open, sources, options, report).await?;
    }
    report.notes.splice(0..0, open.notes.iter().cloned());
    report.dry_run = options.dry_run;
    Ok(report)
}

/// Looks at what production serves, and carries the version on its way there; `report` is that of no rollout.
async fn idle(
    open: &OpenRollout,
    sources: &Sources,
    options: CarryOptions,
    report: wire::Rollout,
) -> Result<wire::Rollout, Failure> {
    let ledger = open.opened.ledger.as_ref();
    let state = write::current(ledger, open.name()).await?.state;
    let review = monitor::review(sources, open.name(), ledger, &state, open.stamp.at).await?;
    let monitored = match review {
        Some(review) => Some(review.act(open, options.dry_run).await?),
        None => None,
    };
    let is_rolled_back =
        monitored.as_ref().is_some_and(|monitored| monitored.result == wire::MonitorResult::RolledBack);
    // One label moves in a call.
    let carried = if is_rolled_back { None } else { carry(open, sources, &state, options).await? };
    Ok(wire::Rollout { monitor: monitored, ..carried.unwrap_or(report) })
}

/// Takes a step of the rollout that is running.
async fn step_in(open: &OpenRollout, sources: &Sources, dry_run: bool) -> Result<wire::Rollout, Failure> {
    let places = open.places();
    let mut advanced = write::append(places.ledger, places.name, async |current: &Current| {
        step(open, sources, &current.state, dry_run).await
    })
    .await?;
    match advanced.result {
        RolloutResult::RolledBack if !dry_run && !open.in_ledger() => roll_back(open, &mut advanced).await?,
        RolloutResult::Completed if !dry_run => complete(open, &mut advanced).await?,
        _ => {}
    }
    let mut report = report::rollout(open.name(), advanced.result, advanced.rollout.as_ref());
    if let Some(Reviewed { observations, decision, notes }) = advanced.reviewed {
        report::add_decision(&mut report, &decision, &observations);
        report.notes.extend(notes);
        if let (Some(position), Action::Advance { step, basis_points, .. }) =
            (&mut report.rollout, decision.action)
        {
            (position.step, position.percent) = (step + 1, percent(basis_points));
            position.step_started_at = time(open.stamp.at);
        }
    }
    Ok(report)
}

/// The next action after the current step, with the events that record it before anything else is done.
async fn step(
    open: &OpenRollout,
    sources: &Sources,
    state: &State,
    dry_run: bool,
) -> Result<(Addition, Advanced), Failure> {
    let places = open.places();
    let mut advanced = Advanced {
        rollout: state.rollout.as_deref().cloned(),
        reviewed: None,
        result: RolloutResult::NotRunning,
    };
    let Some(rollout) = state.rollout.as_deref() else { return Ok((Addition::default(), advanced)) };
    if state.labels.get(&Label::Production) == Some(&rollout.start.treatment) {
        // An earlier call moved production, and ended before its last event.
        advanced.result = RolloutResult::Completed;
        return Ok((Addition::default(), advanced));
    }
    let record = resolve::record_in(places.ledger, places.name, state, rollout.start.treatment).await?;
    let Some(policy) = &record.policy.rollouts else {
        return Err(Diagnostic::new("the policy of this rollout's version has no guardrails").into());
    };
    let now = open.stamp.at;
    let reviewed = review(sources, places.name, state, rollout, policy, now).await;
    let (result, mut events) = follow(open, rollout, policy, &reviewed.decision);
    (advanced.result, advanced.reviewed) = (result, Some(reviewed));
    if result == RolloutResult::RolledBack && open.in_ledger() {
        let (number, to) = (rollout.start.number, end::remaining(state, rollout));
        events.extend(end::events(state, number, to, RolloutOutcome::RolledBack, &advanced.harm()));
    }
    // A clock that went back records nothing: its events would come before those that are there.
    let events =
        if dry_run || now < rollout.last_at { Addition::default() } else { open.stamp.events(events) };
    Ok((events, advanced))
}

/// The result of a decision, and its events but those of a rollback, which follow the registry.
fn follow(
    open: &OpenRollout,
    rollout: &Rollout,
    policy: &RolloutPolicy,
    decision: &Decision,
) -> (RolloutResult, Vec<EventKind>) {
    let number = rollout.start.number;
    let mut events = Vec::new();
    // Failures in a row are counted from the ledger; the end of a row is worth an event as well.
    let harm = decision.harm();
    let is_new = harm.iter().any(|guardrail| !rollout.harm.contains(guardrail));
    if !decision.looks.is_empty() || decision.failure.is_some() || rollout.failures > 0 || is_new {
        let (looks, failure) = (decision.looks.clone(), decision.failure.clone());
        events.push(EventKind::RolloutLooked { rollout: number, looks, failure, harm });
    }
    let result = match &decision.action {
        Action::Wait if rollout.paused.is_some() => RolloutResult::Paused,
        Action::Wait if decision.failure.is_some() => RolloutResult::SourceFailed,
        Action::Wait => RolloutResult::Waiting,
        Action::Stuck => RolloutResult::Stuck,
        Action::RollBack => RolloutResult::RolledBack,
        Action::Pause => {
            let reason = format!("sources failed {} times in a row", rollout.failures + 1);
            events.push(EventKind::RolloutPaused { rollout: number, reason });
            RolloutResult::Paused
        }
        Action::Advance { step, basis_points, ended } => {
            let (step, basis_points, ended) = (*step, *basis_points, ended.clone());
            events.push(EventKind::RolloutStepped { rollout: number, step, basis_points, ended });
            RolloutResult::Advanced
        }
        Action::Complete => {
            let (label, version, cause) = (Label::Production, rollout.start.treatment, MoveCause::Rollout);
            let reason = Some(format!("{} guardrails are not worse", policy.guardrails.len()));
            if open.in_ledger() {
                let from = Some(rollout.start.control);
                events.push(EventKind::Moved { label, from, version, cause, reason });
                events.push(completed(number));
            } else {
                events.push(EventKind::Intended { label, version, cause, reason });
            }
            RolloutResult::Completed
        }
    };
    (result, events)
}

fn completed(rollout: u64) -> EventKind {
    EventKind::RolloutEnded { rollout, outcome: RolloutOutcome::Completed, reason: None }
}

/// Moves canary back, which the recorded harm requires: a call that ends here is finished by the next one.
async fn roll_back(open: &OpenRollout, advanced: &mut Advanced) -> Result<(), Failure> {
    let places = open.places();
    let state = write::current(places.ledger, places.name).await?.state;
    let reason = advanced.harm();
    if end(&places, &state, RolloutOutcome::RolledBack, &reason).await?.is_none() {
        advanced.result = RolloutResult::EndedElsewhere;
    }
    Ok(())
}

/// Moves production in the registry, and ends the rollout once it is there.
async fn complete(open: &OpenRollout, advanced: &mut Advanced) -> Result<(), Failure> {
    let places = open.places();
    let settled = places.settle(&Label::Production).await?;
    let Some(rollout) = &advanced.rollout else { return Ok(()) };
    if settled != rollout.start.treatment {
        advanced.result = RolloutResult::EndedElsewhere;
        return Ok(());
    }
    let number = rollout.start.number;
    write::append(places.ledger, places.name, async |current: &Current| {
        let is_running = current.state.rollout.as_ref().is_some_and(|now| now.start.number == number);
        Ok::<_, Failure>((open.stamp.events(is_running.then(|| completed(number))), ()))
    })
    .await
}

impl Advanced {
    /// The harm that was shown, as the reason of the rollback.
    fn harm(&self) -> String {
        let harm = self.reviewed.as_ref().map(|reviewed| reviewed.decision.harm()).unwrap_or_default();
        format!("harm shown: {}", harm.join(", "))
    }
}
