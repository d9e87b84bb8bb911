//! `promptgate compare`: decides from two saved reports.

use crate::app::{Failure, compare as comparing, report_files};
use crate::cli::args::CompareArguments;
use crate::cli::exit::ExitStatus;
use crate::cli::output::{self, Detail};

/// Decides, and reports.
pub(super) fn compare(arguments: &CompareArguments) -> Result<ExitStatus, Failure> {
    let decided = comparing::compare(&arguments.old, &arguments.new)?;
    let status = ExitStatus::of_decided(&decided, arguments.output.exit_rules());
    let mut reported = report_files::report(decided, status.code(), arguments.output.folder());
    Ok(output::print_reported(&mut reported, &arguments.output, status, Detail::default()))
}
