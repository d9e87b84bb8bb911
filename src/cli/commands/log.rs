//! `promptgate log`: the events of a ledger, or its verification.

use super::ledger::print;
use crate::app::Failure;
use crate::app::release::{log as read, open_ledger_for_reading, verify};
use crate::cli::args::LogArguments;
use crate::cli::exit::ExitStatus;
use crate::cli::output;

/// Prints the events, or the result of the verification.
pub(super) async fn log(arguments: &LogArguments) -> Result<ExitStatus, Failure> {
    let ledger = open_ledger_for_reading(&arguments.ledger.options(arguments.name.as_ref())).await?;
    let format = arguments.ledger.format;
    if arguments.verify {
        let verification = verify(&*ledger, arguments.name.as_slice()).await?;
        print(&verification, format, promptgate_report::write_verification)?;
        return Ok(if verification.is_intact() { ExitStatus::Pass } else { ExitStatus::Fail });
    }
    let log = read(&*ledger, arguments.name.as_slice()).await?;
    print(&log, format, promptgate_report::write_log)?;
    if log.events.is_empty() && !ledger.is_local() && !arguments.ledger.refresh {
        output::info("this is the ledger as last fetched: `promptgate log --refresh` fetches it first");
    }
    Ok(ExitStatus::Pass)
}
