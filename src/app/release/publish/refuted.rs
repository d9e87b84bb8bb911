//! An evaluation that did not pass, of content that is published.

use crate::app::Failure;
use crate::app::release::open::Opened;
use crate::app::release::pending;
use crate::app::release::write::{self, Current, Stamp};
use promptgate_release::ports::Addition;
use promptgate_release::promotion::Obstacle;
use promptgate_release::{ActorSource, EventKind, Evidence};

/// Whether an evaluation counts against the version that has its content: nothing but its verdict rules it out as
/// evidence, and it ran where evidence is made. One that did not end says nothing about the version.
pub(super) fn counts(evidence: &Evidence, refused: &[Obstacle], is_local: bool) -> bool {
    let is_trusted = evidence.source.is_trusted() || (is_local && evidence.source == ActorSource::Local);
    let is_verdict =
        |obstacle: &Obstacle| matches!(obstacle, Obstacle::GateFailed | Obstacle::GateInconclusive);
    is_trusted && refused.iter().all(is_verdict)
}

/// Records the evaluation as the newest one of the version that has its content, so that an earlier one that passed counts
/// no longer. Returns one line for each effect; none where the content was not published.
///
/// # Errors
/// The ledger fails.
pub(super) async fn record(
    opened: &Opened,
    evidence: &Evidence,
    stamp: &Stamp,
    dry_run: bool,
) -> Result<Vec<String>, Failure> {
    let (ledger, name) = (opened.ledger.as_ref(), opened.name());
    if write::known(ledger, name).await?.state.with_digest(&evidence.candidate).is_none() {
        return Ok(Vec::new());
    }
    let mut notes = Vec::new();
    if !dry_run {
        notes.extend(pending::append(&opened.folder, name, ledger).await?);
    }
    let note = write::append(ledger, name, async |current: &Current| {
        let state = &current.state;
        let Some(version) = state.with_digest(&evidence.candidate) else {
            return Ok::<_, Failure>((Addition::default(), None));
        };
        let last = state.versions.get(&version).and_then(|known| known.evidence.as_ref());
        if last.is_some_and(|last| evidence.is_older_than(last)) {
            let note = format!("{version} has a newer evaluation; this report is older and was not recorded");
            return Ok((Addition::default(), Some(note)));
        }
        if last.is_some_and(|last| last.report == evidence.report) {
            let note = format!("{version} already has this evaluation");
            return Ok((Addition::default(), Some(note)));
        }
        let recorded = if dry_run { "would be recorded" } else { "recorded" };
        let note = format!(
            "{recorded} as the newest evaluation of {version}: it is not promoted and its rollout does not go on before \
             one passes"
        );
        let evidence = Box::new(evidence.clone());
        let event = (!dry_run).then_some(EventKind::Evaluated { version, evidence });
        Ok((stamp.events(event), Some(note)))
    })
    .await?;
    notes.extend(note);
    Ok(notes)
}
