//! `promptgate rollout`: a version gets a growing share of the units, by evidence.

use super::ledger::print;
use crate::app::release::{
    abort, advance, pause, plan_rollout, resume, rollout_status, simulate_rollout, start_rollout,
};
use crate::app::{Environment, Failure};
use crate::cli::args::{LedgerFormat, RolloutArguments, RolloutCommand};
use crate::cli::exit::ExitStatus;
use promptgate_report::release::rollout::{Rollout, RolloutResult};

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
        RolloutCommand::Advance(arguments) => {
            let dry_run = arguments.write.dry_run;
            (advance(&arguments.target(), dry_run, environment).await?, arguments.write.format)
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

fn finish(rollout: &Rollout, format: LedgerFormat) -> Result<ExitStatus, Failure> {
    print(rollout, format, promptgate_report::write_rollout)?;
    Ok(match rollout.result {
        RolloutResult::NotRunning
        | RolloutResult::Started
        | RolloutResult::Waiting
        | RolloutResult::Resumed
        | RolloutResult::Advanced
        | RolloutResult::Completed
        | RolloutResult::Aborted
        | RolloutResult::EndedElsewhere
        | RolloutResult::Running => ExitStatus::Pass,
        RolloutResult::Refused | RolloutResult::RolledBack => ExitStatus::Fail,
        RolloutResult::NotReady | RolloutResult::Stuck | RolloutResult::Paused => ExitStatus::Inconclusive,
        RolloutResult::SourceFailed => ExitStatus::Incomplete,
    })
}
