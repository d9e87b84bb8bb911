//! `promptgate report`: renders a saved report.

use crate::app::{Failure, report_files};
use crate::cli::args::ReportArguments;
use crate::cli::exit::ExitStatus;
use crate::cli::output::{self, Detail};
use promptgate_core::text::Redactor;

/// Renders; exits 0 whatever the verdict is.
pub(super) fn report(arguments: &ReportArguments) -> Result<ExitStatus, Failure> {
    let path = report_files::locate(arguments.report.as_deref(), "promptgate report REPORT")?;
    let report = report_files::read(&path)?;
    let detail = Detail { answers: arguments.answers, quiet: false };
    output::print_report(&report, arguments.format, &Redactor::default(), &[], detail)?;
    Ok(ExitStatus::Pass)
}
