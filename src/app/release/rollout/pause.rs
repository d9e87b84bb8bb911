//! Pauses and resumes a rollout. Harm still rolls it back while it is paused.

use super::open::{OpenRollout, running};
use super::report;
use crate::app::release::open::Target;
use crate::app::release::secrets;
use crate::app::release::write::{self, Current};
use crate::app::{Environment, Failure};
use promptgate_core::model::Diagnostic;
use promptgate_release::ports::Addition;
use promptgate_release::{ActorSource, EventKind};
use promptgate_report::release::rollout as wire;
use promptgate_report::release::rollout::RolloutResult;

/// Pauses a rollout: its percentage stays, and no step follows.
///
/// # Errors
/// No rollout is running, and a ledger that fails.
pub(crate) async fn pause(
    target: &Target,
    reason: &str,
    dry_run: bool,
    environment: &Environment,
) -> Result<wire::Rollout, Failure> {
    change(target, reason, dry_run, environment, true).await
}

/// Resumes a rollout, also after its sources of metrics were changed.
///
/// # Errors
/// No rollout is running, sources that cannot be opened, and a ledger that fails.
pub(crate) async fn resume(
    target: &Target,
    reason: &str,
    dry_run: bool,
    environment: &Environment,
) -> Result<wire::Rollout, Failure> {
    change(target, reason, dry_run, environment, false).await
}

async fn change(
    target: &Target,
    reason: &str,
    dry_run: bool,
    environment: &Environment,
    is_paused: bool,
) -> Result<wire::Rollout, Failure> {
    secrets::refuse_in_reason(reason, environment)?;
    let open = OpenRollout::open(target, environment, environment.now()?, dry_run).await?;
    if !is_paused && open.stamp.actor.source == ActorSource::OtherBranch {
        return Err(Diagnostic::new("jobs of pull requests and other branches cannot resume a rollout")
            .help("dispatch it on the default branch")
            .into());
    }
    let sources = if is_paused { None } else { Some(super::sources(&open.opened, environment).digest) };
    let result = if is_paused { RolloutResult::Paused } else { RolloutResult::Resumed };
    let mut report = write::append(open.opened.ledger.as_ref(), open.name(), async |current: &Current| {
        let rollout = running(open.name(), &current.state)?;
        let has_sources = sources.as_ref().is_none_or(|digest| *digest == rollout.start.sources);
        let is_unchanged = rollout.paused.is_some() == is_paused && has_sources;
        let mut report = report::rollout(open.name(), result, Some(rollout));
        if is_unchanged || dry_run {
            return Ok::<_, Failure>((Addition::default(), report));
        }
        if let Some(position) = &mut report.rollout {
            position.paused = is_paused.then(|| reason.to_owned());
        }
        let (rollout, reason) = (rollout.start.number, reason.to_owned());
        let event = match &sources {
            None => EventKind::RolloutPaused { rollout, reason },
            Some(sources) => EventKind::RolloutResumed { rollout, reason, sources: sources.clone() },
        };
        Ok((open.stamp.events([event]), report))
    })
    .await?;
    report.notes.clone_from(&open.notes);
    report.dry_run = dry_run;
    Ok(report)
}
