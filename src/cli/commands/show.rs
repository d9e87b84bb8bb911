//! `promptgate show`: everything that is known of a version.

use super::ledger::print;
use crate::app::Failure;
use crate::app::release::{open_ledger_for_reading, show as read};
use crate::cli::args::ShowArguments;
use crate::cli::exit::ExitStatus;

/// Prints the version.
pub(super) async fn show(arguments: &ShowArguments) -> Result<ExitStatus, Failure> {
    let reference = &arguments.reference;
    let ledger = open_ledger_for_reading(&arguments.ledger.options(Some(&reference.name))).await?;
    let show = read(&*ledger, reference).await?;
    print(&show, arguments.ledger.format, promptgate_report::write_show)?;
    Ok(ExitStatus::Pass)
}
