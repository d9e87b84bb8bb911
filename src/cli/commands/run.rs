//! `promptgate run`: the gate.

use super::watched::watched;
use crate::app::evaluate::{self, Outcome};
use crate::app::shard::ShardResult;
use crate::app::{Environment, Failure, report_files};
use crate::cli::args::RunArguments;
use crate::cli::exit::ExitStatus;
use crate::cli::output;
use promptgate_report::Format;

/// Evaluates a suite and reports.
pub(super) async fn run(arguments: &RunArguments, environment: Environment) -> Result<ExitStatus, Failure> {
    let (options, rules) = (arguments.options(), arguments.output.exit_rules());
    let (suite, shard) = evaluate::load(&options, &environment).await?;
    let outcome = watched(arguments.quiet, environment, async |context| {
        evaluate::evaluate(suite, shard, &options, context).await
    });
    match outcome.await? {
        None | Some(Outcome::Interrupted) => Ok(ExitStatus::Interrupted),
        Some(Outcome::Shard(shard)) => {
            print_shard(&shard, arguments.output.format)?;
            shard.unwritten.iter().for_each(output::report);
            Ok(ExitStatus::of_shard(shard.ended, rules).unless_unwritten(shard.unwritten.as_slice(), rules))
        }
        Some(Outcome::Decided(decided)) => {
            let status = ExitStatus::of_decided(&decided, rules);
            let reported = report_files::report(*decided, status.code(), Some(&options.out));
            Ok(output::print_reported(reported, &arguments.output, status))
        }
    }
}

/// Prints the file of a shard as JSON, else its summary.
pub(super) fn print_shard(shard: &ShardResult, format: Format) -> Result<(), Failure> {
    output::print(match format {
        Format::Json => &shard.json,
        Format::Terminal | Format::Markdown | Format::Html | Format::Junit => &shard.summary,
    })
}
