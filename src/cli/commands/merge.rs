//! `promptgate merge`: joins all shards of a run.

use crate::app::{Failure, merge as merging, report_files};
use crate::cli::args::MergeArguments;
use crate::cli::exit::ExitStatus;
use crate::cli::output::{self, Detail};

/// Joins, decides, and reports.
pub(super) fn merge(arguments: &MergeArguments) -> Result<ExitStatus, Failure> {
    let (folder, rules) = (arguments.output.folder_or_default(), arguments.output.exit_rules());
    let decided = match merging::merge(&arguments.folders, &folder) {
        Ok(decided) => decided,
        Err(failure @ Failure::Incomplete(_)) => {
            output::report(&failure);
            return Ok(ExitStatus::of_failure(&failure, rules));
        }
        Err(failure) => return Err(failure),
    };
    report_files::prepare(&folder)?;
    let status = ExitStatus::of_decided(&decided, rules);
    let mut reported = report_files::report(decided, status.code(), Some(&folder));
    Ok(output::print_reported(&mut reported, &arguments.output, status, Detail::default()))
}
