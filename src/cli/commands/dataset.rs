//! `promptgate dataset`: reviews the golden set of a suite.

use crate::app::{Environment, Failure, dataset_check, pretty_json};
use crate::cli::args::{DatasetArguments, DatasetCheckArguments, DatasetCheckFormat, DatasetCommand};
use crate::cli::exit::ExitStatus;
use crate::cli::output;
use promptgate_report::write_dataset_check;

/// Runs the sub-command.
pub(super) async fn dataset(
    arguments: &DatasetArguments,
    environment: &Environment,
) -> Result<ExitStatus, Failure> {
    match &arguments.command {
        DatasetCommand::Check(arguments) => check(arguments, environment).await,
    }
}

async fn check(arguments: &DatasetCheckArguments, environment: &Environment) -> Result<ExitStatus, Failure> {
    let mut reviewed = dataset_check::review(&arguments.options(), environment).await?;
    let status = ExitStatus::of_dataset(reviewed.check.warnings, arguments.strict);
    reviewed.check.exit_code = status.code();
    output::warn(&reviewed.warnings);
    match arguments.format {
        DatasetCheckFormat::Json => output::print(&pretty_json(&reviewed.check, "the review")?)?,
        DatasetCheckFormat::Terminal => {
            output::stream(|out| write_dataset_check(&reviewed.check, out, &output::terminal_style()))?;
        }
    }
    Ok(status)
}
