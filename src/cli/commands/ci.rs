//! `promptgate ci`: the gate of a pull request.

use std::path::PathBuf;

use super::ci_suites::ci_suites;
use super::run::print_shard;
use super::suites::refuse_flag_of_one_suite;
use super::watched::watched;
use crate::app::ci::{self, CiContext, CiOptions, Gate, Outcome};
use crate::app::evaluate::{self, Decided};
use crate::app::suites::{self, NamedSuite, Selected};
use crate::app::telemetry::Telemetry;
use crate::app::{Environment, Failure, report_files};
use crate::cli::args::CiArguments;
use crate::cli::exit::ExitStatus;
use crate::cli::{output, telemetry};
use promptgate_core::model::{Diagnostic, Place};
use promptgate_report::Format;

/// Runs the gate of a suite, or of several, and writes what the CI system shows.
pub(super) async fn ci(arguments: &CiArguments, environment: Environment) -> Result<ExitStatus, Failure> {
    let choice = arguments.run.suites.choice();
    let options = arguments.options(choice.named.first().cloned());
    ci::outputs::prepare(&options.run.out, &environment)?;
    // Shards need no configuration to be joined.
    let selected = match &options.merge {
        None => suites::select(&choice),
        Some(_) => Ok(Selected::One(choice.named.first().cloned())),
    };
    let gated = match selected {
        Ok(Selected::Several { configurations, folder }) => match named(configurations, arguments) {
            Ok(named) => return Ok(ci_suites(&named, &folder, &choice, arguments, &environment).await),
            Err(failure) => Gated::failed(failure),
        },
        Ok(Selected::One(_)) => gated(options.clone(), arguments, &environment).await,
        Err(failure) => Gated::failed(failure),
    };
    if let Outcome::Failed(failure) = &gated.outcome {
        output::report(failure);
    }
    let rules = arguments.exit_rules();
    let status = ExitStatus::of_ci(&gated.outcome, rules);
    let width = output::width();
    let part =
        ci::outputs::Part { outcome: &gated.outcome, context: &gated.context, exit_code: status.code() };
    let mut log = ci::outputs::write_all(part, &options, &environment, width);
    output::warn(&log.warnings);
    log.unwritten.extend(output::print(&log.text).err());
    gated.outcome.unwritten().iter().chain(&log.unwritten).for_each(output::report);
    gated.send(status, arguments).await;
    Ok(status.unless_unwritten(&log.unwritten, rules))
}

/// Names several suites.
///
/// # Errors
/// Two of one name, flags that are about one suite, and formats for people alone.
fn named(configurations: Vec<PathBuf>, arguments: &CiArguments) -> Result<Vec<NamedSuite>, Failure> {
    refuse_flag_of_one_suite(arguments.run.flag_of_one_suite())?;
    refuse_format(arguments.run.output.format)?;
    suites::named(configurations)
}

/// The gate of a suite that ended.
pub(super) struct Gated {
    /// How it ended.
    pub(super) outcome: Outcome,
    /// What comment and log say beside it.
    pub(super) context: CiContext,
    receiver: Option<Telemetry>,
}

impl Gated {
    fn failed(failure: Failure) -> Self {
        Self { outcome: Outcome::Failed(failure), context: CiContext::default(), receiver: None }
    }

    /// Sends the trace of the run. Who interrupts a run does not wait for more.
    pub(super) async fn send(&self, status: ExitStatus, arguments: &CiArguments) {
        if let (Some(receiver), Outcome::Reported(reported)) = (&self.receiver, &self.outcome)
            && status != ExitStatus::Interrupted
        {
            telemetry::send_run(receiver, reported, arguments.run.quiet).await;
        }
    }
}

/// Runs the gate of one suite.
pub(super) async fn gated(
    mut options: CiOptions,
    arguments: &CiArguments,
    environment: &Environment,
) -> Gated {
    let mut context = CiContext::default();
    let mut receiver = None;
    let outcome = gate(arguments, &mut options, environment, &mut context, &mut receiver).await;
    Gated { outcome: outcome.unwrap_or_else(Outcome::Failed), context, receiver }
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
