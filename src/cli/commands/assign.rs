//! `promptgate assign`: which version a unit is assigned, and why.

use std::io::{self, Write};

use super::ledger::print;
use crate::app::Failure;
use crate::app::release::{assign as assignment, open_ledger_for_reading};
use crate::cli::args::AssignArguments;
use crate::cli::exit::ExitStatus;
use promptgate_core::text::neutral;
use promptgate_report::Style;
use promptgate_report::release::assignment::Assignment;

/// Prints the assignment.
pub(super) async fn assign(arguments: &AssignArguments) -> Result<ExitStatus, Failure> {
    let ledger = open_ledger_for_reading(&arguments.ledger.options(Some(&arguments.name))).await?;
    let assignment = assignment(&*ledger, &arguments.name, &arguments.unit).await?;
    print(&assignment, arguments.ledger.format, write)?;
    Ok(ExitStatus::Pass)
}

fn write(assignment: &Assignment, out: &mut dyn Write, _: &Style) -> io::Result<()> {
    let Assignment { name, version, variant, reason, unit, .. } = assignment;
    let unit = if unit.is_empty() { "no unit".to_owned() } else { neutral::terminal(unit) };
    writeln!(out, "{}", neutral::guarded(&format!("{name}@{version}, {variant}, for {unit}: {reason}")))
}
