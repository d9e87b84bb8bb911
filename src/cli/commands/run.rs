//! `promptgate run`: the gate.

use super::watched::watched;
use crate::app::evaluate::{self, Outcome};
use crate::app::shard::ShardResult;
use crate::app::telemetry::{Telemetry, no_trace_of_shard};
use crate::app::{Environment, Failure, partial, report_files};
use crate::cli::args::RunCommandArguments;
use crate::cli::exit::ExitStatus;
use crate::cli::output::Detail;
use crate::cli::{output, telemetry};
use promptgate_core::model::{Diagnostic, Place};
use promptgate_report::Format;

/// Evaluates a suite and reports.
pub(super) async fn run(
    RunCommandArguments { run: arguments, case: cases, only_failed, answers, telemetry: flags }: &RunCommandArguments,
    environment: Environment,
) -> Result<ExitStatus, Failure> {
    let (mut options, rules) = (arguments.options(), arguments.output.exit_rules());
    let receiver = flags.options().map(|options| Telemetry::new(&options, &environment)).transpose()?;
    if options.shard.is_some() {
        refuse_report_format(arguments.output.format)?;
        if receiver.is_some() {
            return Err(no_trace_of_shard().into());
        }
    }
    options.suite.secret_variables =
        receiver.iter().flat_map(|receiver| receiver.variables.clone()).collect();
    partial::limit(&mut options, cases, *only_failed)?;
    let (suite, shard) = evaluate::load(&options, &environment).await?;
    evaluate::refuse_new_suite(&suite, &options)?;
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
            let detail = Detail { answers: *answers, quiet: arguments.quiet };
            let mut reported = report_files::report(*decided, status.code(), Some(&options.out));
            let status = output::print_reported(&mut reported, &arguments.output, status, detail);
            // Who interrupts a run does not wait for more.
            if let Some(receiver) = receiver.filter(|_| status != ExitStatus::Interrupted) {
                telemetry::send_run(&receiver, &reported, arguments.quiet).await;
            }
            Ok(status)
        }
    }
}

/// Prints the file of a shard as JSON, else its summary.
pub(super) fn print_shard(shard: &ShardResult, format: Format) -> Result<(), Failure> {
    output::print(if format == Format::Json { &shard.json } else { &shard.summary })
}

/// A shard has no report: it prints its summary or its file.
fn refuse_report_format(format: Format) -> Result<(), Diagnostic> {
    if matches!(format, Format::Terminal | Format::Json) {
        return Ok(());
    }
    let message = format!("a shard has no report to print as {format}, expected terminal or json");
    Err(Diagnostic::new(message)
        .at(Place::file("--format"))
        .help("leave it out: `promptgate merge` reports what all shards found, and takes the format"))
}
