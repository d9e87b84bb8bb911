//! `promptgate merge`: all shards of a run joined, decided and reported as the run would have been.

use std::sync::Arc;

use super::run::Finished;
use crate::cli::args::{Inconclusive, MergeArguments};
use crate::cli::error::Failure;
use crate::cli::exit::ExitStatus;
use crate::cli::{output, policy, saved, shard};
use promptgate_core::model::Diagnostics;
use promptgate_core::text::Redactor;
use promptgate_engine::evaluate::{self, Evaluation};
use promptgate_report::Report;
use promptgate_report::shard::{Joined, join};

/// Joins, decides, reports.
pub(crate) fn merge(arguments: &MergeArguments) -> Result<ExitStatus, Failure> {
    let Finished { status, report, redactor, files } = match carry_out(arguments) {
        // Advisory is of use only if it never stands in the way.
        Err(failure @ Failure::Incomplete(_)) if arguments.advisory => {
            output::report(&failure);
            return Ok(ExitStatus::Pass);
        }
        finished => finished?,
    };
    if let Some(report) = report {
        saved::print(&report, arguments.format, &redactor, &files)?;
    }
    Ok(status)
}

/// Joins, decides, writes the report.
pub(super) fn carry_out(arguments: &MergeArguments) -> Result<Finished, Failure> {
    let joined = joined(arguments)?;
    saved::prepare(&arguments.out)?;
    let rules = policy::restored(&joined.policy);
    let Evaluation { run, analysis, decision } = evaluate::conclude(joined.run, &rules);
    let inconclusive_passes = match arguments.inconclusive {
        Some(choice) => choice == Inconclusive::Pass,
        None => joined.inconclusive_passes,
    };
    let status = ExitStatus::of(&run, decision.verdict, inconclusive_passes, arguments.advisory);
    let mut report = Report::new(&run, &analysis, &decision, joined.policy, status.code());
    let redactor = Arc::new(Redactor::new(&[]));
    let files = saved::write(&mut report, &arguments.out, &redactor)?;
    Ok(Finished { status, report: Some(report), redactor, files })
}

/// The run out of every shard there is; everything that is wrong with any of them at once.
fn joined(arguments: &MergeArguments) -> Result<Joined, Failure> {
    let found = shard::find(&arguments.folders)?;
    let mut diagnostics = found.damaged;
    if found.shards.is_empty() {
        return Err(Failure::Incomplete(Diagnostics(diagnostics)));
    }
    match join(found.shards, &found.refused) {
        Ok(joined) if diagnostics.is_empty() => Ok(joined),
        Ok(_) => Err(Failure::Incomplete(Diagnostics(diagnostics))),
        Err(more) => {
            diagnostics.extend(more.0);
            Err(Failure::Incomplete(Diagnostics(diagnostics)))
        }
    }
}
