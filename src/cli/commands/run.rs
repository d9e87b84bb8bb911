//! `promptgate run`: the gate.

use std::path::PathBuf;

use super::suites as several;
use super::watched::watched;
use crate::app::evaluate::{self, Outcome, RunOptions};
use crate::app::report_files::Reported;
use crate::app::shard::ShardResult;
use crate::app::suite::Suite;
use crate::app::suites::{self, Changes, Selected};
use crate::app::telemetry::{Telemetry, no_trace_of_shard};
use crate::app::{Environment, Failure, partial, report_files};
use crate::cli::args::RunCommandArguments;
use crate::cli::exit::ExitStatus;
use crate::cli::output::Detail;
use crate::cli::{output, telemetry};
use promptgate_core::model::{Diagnostic, Place};
use promptgate_report::Format;
use promptgate_report::shard::Shard;

/// Evaluates a suite, or several, and reports.
pub(super) async fn run(
    arguments: &RunCommandArguments,
    environment: Environment,
) -> Result<ExitStatus, Failure> {
    let choice = arguments.run.suites.choice();
    let Some(reference) = arguments.changed() else {
        return match suites::select(&choice)? {
            Selected::One(config) => run_one(config, arguments, &environment).await,
            Selected::Several { configurations, folder } => {
                let named = suites::named(configurations)?;
                let scope = several::Scope { choice: &choice, folder: &folder, base: None };
                several::run(&named, &[], scope, arguments, &environment).await
            }
        };
    };
    Changes::refuse(arguments.run.flag_of_one_suite())?;
    let trusted = arguments.run.options(None).suite.policy_from.is_some();
    let changes = Changes::since(reference, &environment, trusted)?;
    let selected = Changes::select(&choice)?;
    let named = suites::named(Changes::configurations(&selected)?)?;
    let mut unchanged = Vec::new();
    for suite in &named {
        let options = arguments.run.options(Some(suite.config.clone()));
        if !changes.include(&options, &environment).await {
            unchanged.push(suite.clone());
        }
    }
    if unchanged.len() == named.len() {
        return Err(changes.nothing(&named));
    }
    if !unchanged.is_empty() && !arguments.run.quiet {
        let names: Vec<&str> = unchanged.iter().map(|suite| suite.name.as_str()).collect();
        output::info(&format!("skipped, unchanged since {}: {}", changes.describe(), names.join(", ")));
    }
    match selected {
        Selected::One(config) => run_one(config, arguments, &environment).await,
        Selected::Several { folder, .. } => {
            let scope =
                several::Scope { choice: &Changes::choice(&choice), folder: &folder, base: changes.commit() };
            several::run(&named, &unchanged, scope, arguments, &environment).await
        }
    }
}

async fn run_one(
    config: Option<PathBuf>,
    arguments: &RunCommandArguments,
    environment: &Environment,
) -> Result<ExitStatus, Failure> {
    let output_flags = &arguments.run.output;
    let loaded = load(arguments.run.options(config), arguments, environment).await?;
    match evaluated(loaded, arguments, environment).await? {
        Ran::Interrupted => Ok(ExitStatus::Interrupted),
        Ran::Shard(shard) => {
            print_shard(&shard, output_flags.format)?;
            shard.unwritten.iter().for_each(output::report);
            let rules = output_flags.exit_rules();
            Ok(ExitStatus::of_shard(shard.ended, rules).unless_unwritten(shard.unwritten.as_slice(), rules))
        }
        Ran::Reported(mut reported, status, receiver) => {
            let detail = Detail { answers: arguments.answers, quiet: arguments.run.quiet };
            let status = output::print_reported(&mut reported, output_flags, status, detail);
            send(receiver, &reported, status, arguments).await;
            Ok(status)
        }
    }
}

/// A suite that is ready to be evaluated.
pub(super) struct Loaded {
    /// How it is run.
    pub(super) options: RunOptions,
    suite: Suite,
    shard: Option<Shard>,
    receiver: Option<Telemetry>,
}

impl Loaded {
    /// The commit that the policy is from; `None` for the suite's own and for one from a file.
    pub(super) fn policy_commit(&self) -> Option<&str> {
        self.suite.policy_source.as_ref()?.commit.as_deref()
    }
}

/// A suite that was evaluated.
pub(super) enum Ran {
    /// There is a report, its exit code before it is printed, and the receiver of its trace.
    Reported(Box<Reported>, ExitStatus, Option<Box<Telemetry>>),
    /// A shard.
    Shard(Box<ShardResult>),
    /// Interrupted before there was a report.
    Interrupted,
}

/// Loads a suite; nothing is called.
pub(super) async fn load(
    mut options: RunOptions,
    arguments: &RunCommandArguments,
    environment: &Environment,
) -> Result<Loaded, Failure> {
    let receiver =
        arguments.telemetry.options().map(|options| Telemetry::new(&options, environment)).transpose()?;
    if options.shard.is_some() {
        refuse_report_format(arguments.run.output.format)?;
        if receiver.is_some() {
            return Err(no_trace_of_shard().into());
        }
    }
    options.suite.secret_variables =
        receiver.iter().flat_map(|receiver| receiver.variables.clone()).collect();
    partial::limit(&mut options, &arguments.case, arguments.only_failed)?;
    let (suite, shard) = evaluate::load(&options, environment).await?;
    evaluate::refuse_new_suite(&suite, &options)?;
    Ok(Loaded { options, suite, shard, receiver })
}

/// Evaluates a suite with progress, and writes its report.
pub(super) async fn evaluated(
    loaded: Loaded,
    arguments: &RunCommandArguments,
    environment: &Environment,
) -> Result<Ran, Failure> {
    let Loaded { options, suite, shard, receiver } = loaded;
    let outcome = watched(arguments.run.quiet, environment.clone(), async |context| {
        evaluate::evaluate(suite, shard, &options, context).await
    });
    Ok(match outcome.await? {
        None | Some(Outcome::Interrupted) => Ran::Interrupted,
        Some(Outcome::Shard(shard)) => Ran::Shard(shard),
        Some(Outcome::Decided(decided)) => {
            let status = ExitStatus::of_decided(&decided, arguments.run.output.exit_rules());
            let reported = report_files::report(*decided, status.code(), Some(&options.out));
            Ran::Reported(Box::new(reported), status, receiver.map(Box::new))
        }
    })
}

/// Sends the trace of a run. Who interrupts a run does not wait for more.
pub(super) async fn send(
    receiver: Option<Box<Telemetry>>,
    reported: &Reported,
    status: ExitStatus,
    arguments: &RunCommandArguments,
) {
    if let Some(receiver) = receiver.filter(|_| status != ExitStatus::Interrupted) {
        telemetry::send_run(&receiver, reported, arguments.run.quiet).await;
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
