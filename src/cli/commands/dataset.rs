//! `promptgate dataset`: reviews the golden set of a suite.

use std::path::PathBuf;

use crate::app::suites::{self, Selected};
use crate::app::{Environment, Failure, dataset_check, pretty_json};
use crate::cli::args::{DatasetArguments, DatasetCheckArguments, DatasetCheckFormat, DatasetCommand};
use crate::cli::exit::ExitStatus;
use crate::cli::output;
use promptgate_core::model::{Diagnostic, Place};
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

/// Reviews the suite, or each suite of a list.
async fn check(arguments: &DatasetCheckArguments, environment: &Environment) -> Result<ExitStatus, Failure> {
    let configurations = match suites::select(&arguments.choice())? {
        Selected::One(config) => return check_one(config, arguments, environment).await,
        Selected::Several { configurations, .. } => configurations,
    };
    if arguments.format == DatasetCheckFormat::Json {
        let listed: Vec<String> = configurations.iter().map(|path| path.display().to_string()).collect();
        return Err(Diagnostic::new("the review of several suites is not printed as JSON")
            .at(Place::file("--format"))
            .help(format!("name one of its suites: {}", listed.join(", ")))
            .into());
    }
    let mut statuses = Vec::new();
    for config in configurations {
        if !statuses.is_empty() {
            output::print("\n")?;
        }
        statuses.push(check_one(Some(config), arguments, environment).await?);
    }
    Ok(ExitStatus::gravest(statuses))
}

async fn check_one(
    config: Option<PathBuf>,
    arguments: &DatasetCheckArguments,
    environment: &Environment,
) -> Result<ExitStatus, Failure> {
    let mut reviewed = dataset_check::review(&arguments.options(config), environment).await?;
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
