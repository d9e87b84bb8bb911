//! Joins all shards of a run and decides on it as the whole run would have been.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::evaluate::Decided;
use super::{Failure, shard};
use promptgate_core::model::Diagnostics;
use promptgate_engine::evaluate;
use promptgate_report::FileSpool;
use promptgate_report::shard::{Joined, join};

/// Joins the shards in these folders, and decides. Texts leave memory for a temporary file beside the reports, which are
/// to be written to `out`.
///
/// # Errors
/// Everything that is wrong with any of the shards at once.
pub(crate) fn merge(folders: &[PathBuf], out: &Path) -> Result<Decided, Failure> {
    let spool = spool(out);
    let Joined { run, policy, inconclusive_passes, override_by } = joined(folders, spool.as_ref())?;
    let evaluation = evaluate::conclude(run, &policy);
    Ok(Decided { spool, override_by, ..Decided::of_saved(evaluation, policy, inconclusive_passes) })
}

/// A spool in the closest folder above that of the reports that exists, else among the temporary files; `None` where
/// neither can be written, and texts stay in memory.
fn spool(out: &Path) -> Option<Arc<FileSpool>> {
    let closest = out.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("."));
    let spool = FileSpool::new(closest).or_else(|_| FileSpool::new(&std::env::temp_dir()));
    spool.ok().map(Arc::new)
}

fn joined(folders: &[PathBuf], spool: Option<&Arc<FileSpool>>) -> Result<Joined, Failure> {
    let files = shard::find(folders, spool)?;
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
