//! Reports: a view of a run and its decision in types of their own, and the ways to show it.
//!
//! [`v1`] is the frozen format that scripts read (`report.json`); [`write()`] shows a report on a terminal, as JSON,
//! as Markdown, as a page or as test results. Everything here is pure but for the writer handed in: opening, renaming and sending files is
//! left to the callers, redaction of secrets to the text room, and every decision to the gate.

pub mod calibration;
#[cfg(test)]
mod fixtures;
mod large;
pub mod plan;
mod render;
pub mod shard;
pub mod spool;
#[cfg(test)]
mod tests;
pub mod v1;
mod view;

use std::io::{self, Write};

pub use large::{KEPT, LARGE, TRIALS_FILE};
pub use render::comment::{self, Disclose};
use render::json::WithoutCommands;
pub use render::{Format, Style, UnknownFormat, write};
pub use v1::{Digesting, Report, TrialsFile, is_line, read, schema};
pub use view::concern::{Concern, concerns};

/// Returns the way to settle an inconclusive run: what is needed, its cost and the flag; `None` for any other run.
pub fn settling_advice(report: &Report) -> Option<String> {
    view::looks::settle(report)
}

/// Writes all trials of a report, one to a line, as they stand in the file that [`TrialsFile`] speaks of; returns how
/// many lines they are.
///
/// # Errors
/// Those of the writer, and of the file that the trials are read from.
pub fn write_trials(report: &Report, out: &mut impl Write) -> io::Result<usize> {
    v1::write_lines(report, &mut WithoutCommands::new(out))
}
