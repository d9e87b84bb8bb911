//! `promptgate rollout`: a version gets a growing share of the units, by evidence.

mod outlets;

use super::ledger::print;
use crate::app::release::{
    CarryOptions, abort, advance, advance_all, pause, plan_rollout, resume, rollout_status, simulate_rollout,
    start_rollout,
};
use crate::app::{Environment, Failure};
use crate::cli::args::{LedgerFormat, RolloutArguments, RolloutCommand};
use crate::cli::exit::ExitStatus;
use crate::cli::output;
use outlets::{Call, Outlets};
use promptgate_report::release::rollout::{MonitorResult, Rollout, RolloutResult};

/// Runs a sub-command.
pub(super) async fn rollout(
    arguments: &RolloutArguments,
    environment: &Environment,
) -> Result<ExitStatus, Failure> {
    match &arguments.command {
        RolloutCommand::Plan(arguments) => {
            let plan = plan_rollout(&arguments.options(), environment).await?;
            print(&plan, arguments.traffic.format, promptgate_report::write_rollout_plan)?;
            Ok(ExitStatus::Pass)
        }
        RolloutCommand::Simulate(arguments) => {
            let simulation = simulate_rollout(&arguments.options(), environment).await?;
            print(&simulation, arguments.traffic.format, promptgate_report::write_rollout_simulation)?;
            Ok(ExitStatus::Pass)
        }
        RolloutCommand::Start(arguments) => {
            let call = Call::new("start", Some(&arguments.name), &arguments.write, &arguments.telemetry);
            one(&call, environment, start_rollout(&arguments.options(), environment)).await
        }
        RolloutCommand::Advance(arguments) => {
            let call = Call::new("advance", arguments.name.as_ref(), &arguments.write, &arguments.telemetry);
            let options = arguments.options();
            if arguments.all {
                return everything(&call, options, environment).await;
            }
            one(&call, environment, advance(&arguments.target(), options, environment)).await
        }
        RolloutCommand::Pause(arguments) => {
            let call = Call::new("pause", Some(&arguments.name), &arguments.write, &arguments.telemetry);
            let (target, reason, dry_run) = (arguments.target(), &arguments.reason, arguments.write.dry_run);
            one(&call, environment, pause(&target, reason, dry_run, environment)).await
        }
        RolloutCommand::Resume(arguments) => {
            let call = Call::new("resume", Some(&arguments.name), &arguments.write, &arguments.telemetry);
            let (target, reason, dry_run) = (arguments.target(), &arguments.reason, arguments.write.dry_run);
            one(&call, environment, resume(&target, reason, dry_run, environment)).await
        }
        RolloutCommand::Abort(arguments) => {
            let call = Call::new("abort", Some(&arguments.name), &arguments.write, &arguments.telemetry);
            let (target, reason, dry_run) = (arguments.target(), &arguments.reason, arguments.write.dry_run);
            one(&call, environment, abort(&target, reason, dry_run, environment)).await
        }
        RolloutCommand::Status(arguments) => {
            let rollout = rollout_status(&arguments.target(), environment).await?;
            print(&rollout, arguments.format, promptgate_report::write_rollout)?;
            Ok(gravest(&statuses_of(&rollout)))
        }
    }
}

/// Runs a command about one prompt.
async fn one(
    call: &Call<'_>,
    environment: &Environment,
    command: impl Future<Output = Result<Rollout, Failure>>,
) -> Result<ExitStatus, Failure> {
    let outlets = Outlets::open(call, environment)?;
    let results = [(call.subject(), command.await)];
    let printed = match &results {
        [(_, Ok(rollout))] => print(rollout, call.format(), promptgate_report::write_rollout),
        _ => Ok(()),
    };
    outlets.publish(&results).await;
    let [(_, result)] = results;
    printed?;
    Ok(gravest(&statuses_of(&result?)))
}

/// Advances all rollouts: prints each, and ends with the gravest status of them.
async fn everything(
    call: &Call<'_>,
    options: CarryOptions,
    environment: &Environment,
) -> Result<ExitStatus, Failure> {
    let outlets = Outlets::open(call, environment)?;
    let results = advance_all(options, environment).await?;
    let printed = print_all(&results, call.format());
    outlets.publish(&results).await;
    printed?;
    let statuses = results.iter().flat_map(|(_, result)| match result {
        Ok(rollout) => statuses_of(rollout),
        Err(Failure::Unsettled(_)) => vec![ExitStatus::Inconclusive],
        Err(_) => vec![ExitStatus::Incomplete],
    });
    Ok(gravest(&statuses.collect::<Vec<_>>()))
}

fn print_all(results: &[(String, Result<Rollout, Failure>)], format: LedgerFormat) -> Result<(), Failure> {
    if results.is_empty() {
        output::info("no configuration of this repository has a release");
    }
    for (config, result) in results {
        match result {
            Ok(rollout) if format == LedgerFormat::Terminal => {
                print(rollout, format, promptgate_report::write_rollout)?;
            }
            Ok(_) => {}
            Err(failure) => {
                output::report(failure);
                output::info(&format!("{config} was not advanced"));
            }
        }
    }
    if format == LedgerFormat::Json {
        let rollouts: Vec<&Rollout> = results.iter().filter_map(|(_, result)| result.as_ref().ok()).collect();
        output::stream(|out| promptgate_report::write_json(&rollouts, out))?;
    }
    Ok(())
}

fn gravest(statuses: &[ExitStatus]) -> ExitStatus {
    let gravest = [ExitStatus::Fail, ExitStatus::Incomplete, ExitStatus::Inconclusive];
    gravest.into_iter().find(|status| statuses.contains(status)).unwrap_or(ExitStatus::Pass)
}

/// The exit statuses of a rollout, and of what is monitored beside it.
fn statuses_of(rollout: &Rollout) -> Vec<ExitStatus> {
    let monitor = rollout.monitor.as_ref().map(|monitored| match monitored.result {
        MonitorResult::Quiet => ExitStatus::Pass,
        MonitorResult::Alert => ExitStatus::Inconclusive,
        MonitorResult::RolledBack => ExitStatus::Fail,
        MonitorResult::SourceFailed => ExitStatus::Incomplete,
    });
    Vec::from_iter(monitor.into_iter().chain([status(rollout.result)]))
}

/// The exit status of a result.
fn status(result: RolloutResult) -> ExitStatus {
    match result {
        RolloutResult::NotRunning
        | RolloutResult::Started
        | RolloutResult::Waiting
        | RolloutResult::Resumed
        | RolloutResult::Advanced
        | RolloutResult::Completed
        | RolloutResult::Aborted
        | RolloutResult::EndedElsewhere
        | RolloutResult::Running
        | RolloutResult::Staged
        | RolloutResult::Promoted
        | RolloutResult::NeedsGate => ExitStatus::Pass,
        RolloutResult::Refused | RolloutResult::RolledBack | RolloutResult::PutBack => ExitStatus::Fail,
        RolloutResult::NotReady | RolloutResult::Stuck | RolloutResult::Paused => ExitStatus::Inconclusive,
        RolloutResult::SourceFailed => ExitStatus::Incomplete,
    }
}
