//! `promptgate rollout`: a version gets a growing share of the units, by evidence.

use super::ledger::print;
use crate::app::release::{
    CarryOptions, abort, advance, advance_all, pause, plan_rollout, resume, rollout_status, simulate_rollout,
    start_rollout,
};
use crate::app::{Environment, Failure};
use crate::cli::args::{LedgerFormat, RolloutArguments, RolloutCommand};
use crate::cli::exit::ExitStatus;
use crate::cli::output;
use promptgate_report::release::rollout::{MonitorResult, Rollout, RolloutResult};

/// Runs a sub-command.
pub(super) async fn rollout(
    arguments: &RolloutArguments,
    environment: &Environment,
) -> Result<ExitStatus, Failure> {
    let (rollout, format) = match &arguments.command {
        RolloutCommand::Plan(arguments) => {
            let plan = plan_rollout(&arguments.options(), environment).await?;
            print(&plan, arguments.traffic.format, promptgate_report::write_rollout_plan)?;
            return Ok(ExitStatus::Pass);
        }
        RolloutCommand::Simulate(arguments) => {
            let simulation = simulate_rollout(&arguments.options(), environment).await?;
            print(&simulation, arguments.traffic.format, promptgate_report::write_rollout_simulation)?;
            return Ok(ExitStatus::Pass);
        }
        RolloutCommand::Start(arguments) => {
            (start_rollout(&arguments.options(), environment).await?, arguments.write.format)
        }
        RolloutCommand::Advance(arguments) if arguments.all => {
            return everything(arguments.options(), arguments.write.format, environment).await;
        }
        RolloutCommand::Advance(arguments) => {
            let options = arguments.options();
            (advance(&arguments.target(), options, environment).await?, arguments.write.format)
        }
        RolloutCommand::Pause(arguments) => {
            let (target, reason, dry_run) = (arguments.target(), &arguments.reason, arguments.write.dry_run);
            (pause(&target, reason, dry_run, environment).await?, arguments.write.format)
        }
        RolloutCommand::Resume(arguments) => {
            let (target, reason, dry_run) = (arguments.target(), &arguments.reason, arguments.write.dry_run);
            (resume(&target, reason, dry_run, environment).await?, arguments.write.format)
        }
        RolloutCommand::Abort(arguments) => {
            let (target, reason, dry_run) = (arguments.target(), &arguments.reason, arguments.write.dry_run);
            (abort(&target, reason, dry_run, environment).await?, arguments.write.format)
        }
        RolloutCommand::Status(arguments) => {
            (rollout_status(&arguments.target(), environment).await?, arguments.format)
        }
    };
    finish(&rollout, format)
}

/// Advances all rollouts: prints each, and ends with the gravest status of them.
async fn everything(
    options: CarryOptions,
    format: LedgerFormat,
    environment: &Environment,
) -> Result<ExitStatus, Failure> {
    let advanced = advance_all(options, environment).await?;
    if advanced.is_empty() {
        output::info("no configuration of this repository has a release");
    }
    let mut statuses = Vec::new();
    let mut rollouts = Vec::new();
    for (config, result) in advanced {
        match result {
            Ok(rollout) => {
                if format == LedgerFormat::Terminal {
                    print(&rollout, format, promptgate_report::write_rollout)?;
                }
                statuses.extend(statuses_of(&rollout));
                rollouts.push(rollout);
            }
            Err(failure) => {
                output::report(&failure);
                output::info(&format!("{config} was not advanced"));
                statuses.push(ExitStatus::Incomplete);
            }
        }
    }
    if format == LedgerFormat::Json {
        output::stream(|out| promptgate_report::write_json(&rollouts, out))?;
    }
    Ok(gravest(&statuses))
}

fn finish(rollout: &Rollout, format: LedgerFormat) -> Result<ExitStatus, Failure> {
    print(rollout, format, promptgate_report::write_rollout)?;
    Ok(gravest(&statuses_of(rollout)))
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
