//! `promptgate ci`: the gate of a pull request.

use super::run::print_shard;
use super::watched::watched;
use crate::app::ci::{self, CiContext, CiOptions, Gate, Outcome};
use crate::app::evaluate::{self, Decided};
use crate::app::telemetry::Telemetry;
use crate::app::{Environment, Failure, report_files};
use crate::cli::args::CiArguments;
use crate::cli::exit::ExitStatus;
use crate::cli::{output, telemetry};
use promptgate_core::model::{Diagnostic, Place};
use promptgate_report::Format;

/// Runs the gate, and writes what the CI system shows.
pub(super) async fn ci(arguments: &CiArguments, environment: Environment) -> Result<ExitStatus, Failure> {
    let (mut options, rules) = (arguments.options(), arguments.exit_rules());
    ci::outputs::prepare(&options.run.out, &environment)?;
    let mut context = CiContext::default();
    let mut receiver = None;
    let outcome = match gate(arguments, &mut options, &environment, &mut context, &mut receiver).await {
        Ok(outcome) => outcome,
        Err(failure) => {
            output::report(&failure);
            Outcome::Failed(failure)
        }
    };
    let status = ExitStatus::of_ci(&outcome, rules);
    let width = output::width();
    let mut log = ci::outputs::write_all(&outcome, &context, &options, &environment, status.code(), width);
    output::warn(&log.warnings);
    log.unwritten.extend(output::print(&log.text).err());
    outcome.unwritten().iter().chain(&log.unwritten).for_each(output::report);
    // Who interrupts a run does not wait for more.
    if let (Some(receiver), Outcome::Reported(reported)) = (receiver, &outcome)
        && status != ExitStatus::Interrupted
    {
        telemetry::send_run(&receiver, reported, arguments.run.quiet).await;
    }
    Ok(status.unless_unwritten(&log.unwritten, rules))
}

async fn gate(
    arguments: &CiArguments,
    options: &mut CiOptions,
    environment: &Environment,
    context: &mut CiContext,
    receiver: &mut Option<Telemetry>,
) -> Result<Outcome, Failure> {
    refuse_format(arguments.run.output.format)?;
    if let Some(telemetry) = arguments.telemetry.options() {
        match ci::receiver(&telemetry, options, environment)? {
            Ok(ready) => *receiver = Some(ready),
            Err(warning) => output::warn(&[warning]),
        }
    }
    let options = &*options;
    let report = async |mut decided: Decided, context: &mut CiContext| {
        context.set_override_by(&decided.override_by);
        let mut status = ExitStatus::of_decided(&decided, arguments.exit_rules());
        if ci::overrides::may_be_overridden(decided.evaluation.decision.verdict)
            && !matches!(status, ExitStatus::Pass | ExitStatus::Interrupted)
        {
            let (overridden, warning) = ci::overrides::find(&decided, context, environment).await;
            output::warn(&Vec::from_iter(warning));
            status = if overridden.is_some() { ExitStatus::Pass } else { status };
            decided.overridden = overridden;
        }
        let mut reported = report_files::report(decided, status.code(), Some(&options.run.out));
        let status = status.unless_unwritten(&reported.unwritten, arguments.exit_rules());
        reported.report.exit_code = status.code();
        Outcome::Reported(Box::new(reported))
    };
    let (suite, shard, run) = match ci::gate(options, environment, context).await? {
        Gate::Ended(outcome) => return Ok(outcome),
        Gate::Merged(decided) => return Ok(report(*decided, context).await),
        Gate::Evaluate { suite, shard, options } => (suite, shard, options),
    };
    let outcome = watched(arguments.run.quiet, environment.clone(), async |watched| {
        evaluate::evaluate(*suite, shard, &run, watched).await
    });
    match outcome.await? {
        None | Some(evaluate::Outcome::Interrupted) => Ok(Outcome::Interrupted),
        Some(evaluate::Outcome::Decided(decided)) => Ok(report(*decided, context).await),
        Some(evaluate::Outcome::Shard(shard)) => {
            print_shard(&shard, Format::Terminal)?;
            Ok(Outcome::Shard(shard))
        }
    }
}

/// Only the table is safe in a log: other formats hold texts of a model.
fn refuse_format(format: Format) -> Result<(), Diagnostic> {
    if format == Format::Terminal {
        return Ok(());
    }
    Err(Diagnostic::new("`ci` prints into a log, where texts of a model are not allowed")
        .at(Place::file("--format"))
        .help("leave it out: the other formats are in the folder of `--out`"))
}
