//! The terminal rendering, also for logs: verdict and reasons first, then the numbers.
//!
//! It prints ids, names and numbers; model output only for a developer at a terminal, in one line and neutralized, and
//! reasons of a rejected judge. Every line passes
//! [`neutral::guarded`](promptgate_core::text::neutral::guarded) after layout. Color only repeats what a word says.

mod calibration;
mod case;
mod changes;
mod dataset_check;
mod doctor;
mod headline;
mod history;
mod line_writer;
mod notes;
mod plan;
mod plans;
mod release;
mod results;
mod suites;
mod tables;
mod worst_answers;
mod wrapped;

use std::io::{self, Write};

use super::Style;
use crate::v1::Report;
use crate::view;
pub use calibration::write_calibration;
pub use case::write_case;
use changes::write_changes;
pub use dataset_check::write_dataset_check;
pub use doctor::write_doctor;
use headline::write_headline;
pub use history::write_history;
use line_writer::LineWriter;
use line_writer::table;
use notes::{write_facts, write_notes, write_self_test};
pub use plan::write_plan;
pub use plans::write_plans;
pub use release::{
    write_diff, write_log, write_rollout, write_rollout_plan, write_rollout_simulation, write_show,
    write_status, write_verification,
};
use results::{write_cases, write_criteria, write_metrics};
pub use suites::write_suites;
use worst_answers::write_worst_answers;

/// The minimum layout width in columns.
const MIN_WIDTH: usize = 60;

pub(super) fn write(report: &Report, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let width = u16::try_from(style.width.max(MIN_WIDTH)).unwrap_or(u16::MAX);
    let mut writer = LineWriter { out, width, color: style.color, redactor: &style.redactor };
    write_headline(report, &mut writer)?;
    if view::is_infrastructure_failure(report) {
        // Statistics of a run that never got to its work say nothing about the change.
        return write_facts(report, style, &mut writer);
    }
    if !view::nothing_measured(report) {
        if style.answers {
            write_changes(report, &mut writer)?;
            write_worst_answers(report, &mut writer)?;
        }
        write_criteria(report, &mut writer)?;
        write_metrics(report, &mut writer)?;
        write_cases(report, &mut writer)?;
    }
    write_self_test(report, &mut writer)?;
    write_notes(report, style, &mut writer)
}
