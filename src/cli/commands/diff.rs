//! `promptgate diff`: the difference of two versions, and its level.

use super::ledger::print;
use crate::app::Failure;
use crate::app::release::{diff as compare, open_ledger_for_reading};
use crate::cli::args::DiffArguments;
use crate::cli::exit::ExitStatus;

/// Prints the difference.
pub(super) async fn diff(arguments: &DiffArguments) -> Result<ExitStatus, Failure> {
    let ledger = open_ledger_for_reading(&arguments.ledger.options(Some(&arguments.old.name))).await?;
    let diff = compare(&*ledger, &arguments.options()).await?;
    print(&diff, arguments.ledger.format, promptgate_report::write_diff)?;
    Ok(ExitStatus::Pass)
}
