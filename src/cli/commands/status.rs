//! `promptgate status`: what each label points at, and what waits for what.

use jiff::Timestamp;

use super::ledger::print;
use crate::app::Failure;
use crate::app::release::{open_ledger_for_reading, status as read};
use crate::cli::args::StatusArguments;
use crate::cli::exit::ExitStatus;
use promptgate_report::release::status::StateCheck;

/// Prints the status; a stored state that is not the fold of its events is damage.
pub(super) async fn status(arguments: &StatusArguments) -> Result<ExitStatus, Failure> {
    let ledger = open_ledger_for_reading(&arguments.ledger.options(arguments.name.as_ref())).await?;
    let status = read(&*ledger, &arguments.options(!ledger.is_local()), Timestamp::now()).await?;
    print(&status, arguments.ledger.format, promptgate_report::write_status)?;
    let is_damaged = status.prompts.iter().any(|prompt| prompt.state == StateCheck::Differs);
    Ok(if is_damaged { ExitStatus::Incomplete } else { ExitStatus::Pass })
}
