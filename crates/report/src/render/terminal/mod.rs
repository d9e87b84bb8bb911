//! The report for a person at a terminal or reading a log: verdict and reasons first, then the numbers.
//!
//! No text of a model is printed, only ids, names and numbers, and each line passes the guard of
//! [`neutral::guarded`] after it is laid out. Colours repeat what a word says; they never stand alone.

mod headline;
mod notes;
mod page;
mod results;
pub(crate) mod tables;

use std::io::{self, Write};

use super::Style;
use crate::v1::Report;
use crate::view;
use headline::headline;
use notes::{notes, self_test};
use page::Page;
pub(crate) use page::table;
use results::{cases, criteria, metrics};

/// The narrowest width that is laid out for.
const NARROWEST: usize = 60;

/// Writes the report for a terminal.
pub(super) fn write(report: &Report, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let width = u16::try_from(style.width.max(NARROWEST)).unwrap_or(u16::MAX);
    let mut page = Page { out, width, color: style.color, redactor: &style.redactor };
    headline(report, &mut page)?;
    if !view::nothing_measured(report) {
        criteria(report, &mut page)?;
        metrics(report, &mut page)?;
        cases(report, &mut page)?;
    }
    self_test(report, &mut page)?;
    notes(report, style, &mut page)
}
