//! A rollback that follows the end of a rollout.

use jiff::{SignedDuration, Timestamp};

use super::RollbackOptions;
use crate::app::release::wire::time;
use promptgate_core::model::Diagnostic;
use promptgate_release::rollback::target;
use promptgate_release::{Label, MoveCause, Name, State};

/// How long after the end of a rollout a rollback without a version may be meant for that rollout.
const REPEATED_WITHIN: SignedDuration = SignedDuration::from_hours(1);

/// Refuses to move a label where the request may be the repetition of one that ended a rollout, or comes after a call of
/// `advance` that ended it for harm: all that was asked for is done then. A version that is named is meant.
///
/// # Errors
/// Such a request.
pub(super) fn refuse(
    options: &RollbackOptions,
    name: &Name,
    state: &State,
    now: Timestamp,
) -> Result<(), Diagnostic> {
    let label = &options.label;
    let is_of_rollouts = matches!(label, Label::Production | Label::Canary);
    let Some(ended) = state.ended_exposure().filter(|_| is_of_rollouts && options.to.is_none()) else {
        return Ok(());
    };
    // Who gave a rollout up and then rolls back means production.
    let was_rolled_back = state
        .moves
        .iter()
        .rfind(|moved| moved.label == Label::Canary)
        .is_some_and(|moved| moved.cause == MoveCause::Rollback);
    // A promotion that came later may be what is to be undone.
    let is_promoted_since = state.moves.iter().rfind(|moved| moved.label == *label).is_some_and(|moved| {
        let is_of_end = matches!(moved.cause, MoveCause::Rollback | MoveCause::Rollout);
        moved.at > ended.at || (moved.at == ended.at && !is_of_end)
    });
    if !was_rolled_back || is_promoted_since || now.duration_since(ended.at) > REPEATED_WITHIN {
        return Ok(());
    }
    let diagnostic = Diagnostic::new(format!(
        "rollout {} of {} ended at {}, and no unit gets it any more: {label} was not rolled back now",
        ended.rollout,
        ended.version,
        time(ended.at)
    ));
    Err(match target(state, label, None) {
        Ok(to) => {
            let label = if *label == Label::Production { String::new() } else { format!(" --label {label}") };
            diagnostic.help(format!(
                "`promptgate rollback {name}{label} --to {to} --reason TEXT` rolls it back; an hour after the rollout's end \
                 `--to` is not needed"
            ))
        }
        Err(_) => diagnostic.help(format!("`promptgate log {name}` shows which versions held {label}")),
    })
}
