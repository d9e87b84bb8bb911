//! `promptgate report`: a saved report in another form.

use crate::cli::args::ReportArguments;
use crate::cli::error::Failure;
use crate::cli::exit::ExitStatus;
use crate::cli::saved;
use promptgate_core::text::Redactor;

/// Renders; exits 0 whatever the verdict was.
pub(crate) fn report(arguments: &ReportArguments) -> Result<ExitStatus, Failure> {
    let report = saved::read(&arguments.report)?;
    saved::print(&report, arguments.format, &Redactor::new(&[]), &[])?;
    Ok(ExitStatus::Pass)
}
