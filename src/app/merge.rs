//! Joins all shards of a run and decides on it as the whole run would have been.

use std::path::PathBuf;

use super::evaluate::Decided;
use super::{Failure, shard};
use promptgate_core::model::Diagnostics;
use promptgate_engine::evaluate;
use promptgate_report::shard::{Joined, join};

/// Joins the shards in these folders, and decides.
///
/// # Errors
/// Everything that is wrong with any of the shards at once.
pub(crate) fn merge(folders: &[PathBuf]) -> Result<Decided, Failure> {
    let Joined { run, policy, inconclusive_passes, override_by } = joined(folders)?;
    let evaluation = evaluate::conclude(run, &policy);
    Ok(Decided { override_by, ..Decided::of_saved(evaluation, policy, inconclusive_passes) })
}

fn joined(folders: &[PathBuf]) -> Result<Joined, Failure> {
    let files = shard::find(folders)?;
    let mut diagnostics = files.damaged;
    if files.shards.is_empty() {
        return Err(Failure::Incomplete(Diagnostics(diagnostics)));
    }
    match join(files.shards, &files.refused) {
        Ok(joined) if diagnostics.is_empty() => return Ok(joined),
        Ok(_) => {}
        Err(more) => diagnostics.extend(more.0),
    }
    Err(Failure::Incomplete(Diagnostics(diagnostics)))
}
