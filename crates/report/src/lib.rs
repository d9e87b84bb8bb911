//! Reports: the files of promptgate, and the ways to show a report.
//!
//! [`v1`] is the frozen format that scripts read (`report.json`); [`write()`] shows a report in a [`Format`]. Everything
//! here is pure except for the writers and spools passed in: callers open, rename and send files.

#[cfg(test)]
mod fixtures;
mod render;
#[cfg(test)]
mod tests;
mod view;
mod wire;

use std::io::{self, Write};

use serde::Serialize;

pub use render::comment::{self, Disclose};
pub use render::html::{write_history_page, write_suites_page};
use render::json::WithoutCommands;
pub use render::junit::write_suites_junit;
pub use render::markdown::suites_markdown;
pub use render::terminal::{
    write_calibration, write_case, write_dataset_check, write_diff, write_doctor, write_history, write_log,
    write_plan, write_plans, write_rollout, write_rollout_plan, write_rollout_simulation, write_show,
    write_status, write_suites, write_verification,
};
pub use render::{Format, Style, UnknownFormat, summary, write};
pub use v1::{Report, read, schema};
pub use view::concern::{Concern, concerns};
pub use view::suites::suite_result;
pub use wire::{
    Digesting, FileSpool, KEPT, LARGE, RequestWriter, TRIALS_FILE, TrialsFile, calibration, case_result,
    case_results, dataset_check, doctor, history, is_line, plan, plans, release, shard, suites, v1,
};

/// The folder of the reports where none is named.
pub const DEFAULT_FOLDER: &str = "promptgate-report";

/// Returns the way to settle an inconclusive run: the evidence, its cost and the flag; `None` for any other run.
pub fn settling_advice(report: &Report) -> Option<String> {
    view::looks::settle(report)
}

/// Writes a value as indented JSON with a final line break, without commands of CI runners.
///
/// # Errors
/// Those of `out`.
pub fn write_json(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(WithoutCommands::new(&mut *out), value)?;
    out.write_all(b"\n")
}

/// Writes all trials of a report as the lines of trials.jsonl; returns the number of lines.
///
/// # Errors
/// The trials cannot be read or written.
pub fn write_trials(report: &Report, out: &mut impl Write) -> io::Result<usize> {
    wire::write_lines(report, &mut WithoutCommands::new(out))
}
