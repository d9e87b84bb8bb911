//! `promptgate doctor`: checks a suite and everything that a run of it depends on.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::app::doctor::{self, Severity};
use crate::app::{Context, Environment, Failure, pretty_json};
use crate::cli::args::{DoctorArguments, DoctorFormat};
use crate::cli::exit::ExitStatus;
use crate::cli::output;
use promptgate_core::port::NullSink;
use promptgate_report::doctor::Diagnosis;
use promptgate_report::write_doctor;

/// Checks and prints.
pub(super) async fn doctor(
    arguments: &DoctorArguments,
    environment: Environment,
) -> Result<ExitStatus, Failure> {
    let (mut diagnosis, severity) = doctor::doctor(&arguments.options(), &context(environment)).await;
    let status = status(severity);
    diagnosis.exit_code = status.code();
    match arguments.format() {
        DoctorFormat::Json => output::print(&pretty_json(&diagnosis, "the diagnosis")?)?,
        DoctorFormat::Terminal => print(&diagnosis)?,
    }
    Ok(status)
}

/// A context of calls that are not shown. Ctrl-C ends the process.
pub(super) fn context(environment: Environment) -> Context {
    Context { environment, events: Arc::new(NullSink), interrupted: CancellationToken::new() }
}

/// Prints a diagnosis for people.
pub(super) fn print(diagnosis: &Diagnosis) -> Result<(), Failure> {
    output::stream(|out| write_doctor(diagnosis, out, &output::terminal_style()))
}

/// The code that a run would end with.
pub(super) fn status(severity: Option<Severity>) -> ExitStatus {
    match severity {
        None => ExitStatus::Pass,
        Some(Severity::Usage) => ExitStatus::Usage,
        Some(Severity::Nothing) => ExitStatus::NothingToEvaluate,
        Some(Severity::Incomplete) => ExitStatus::Incomplete,
    }
}
