//! Reading a saved report: strict about the fields it knows, tolerant of later additions.

use std::fs::File;
use std::io;

use super::super::document::Document;
use super::super::trials;
use super::contradictions::{MAX_LISTED, contradictions};
use super::{Report, SCHEMA};
use promptgate_core::model::Diagnostics;

/// Reads a report from the text of `file`; `open` opens a file in the same folder.
///
/// Trials in another file are read when they are needed.
///
/// # Errors
/// [`Diagnostics`] where the text is cut off, is not a report of this version, or contradicts itself, and where its
/// trials are in a file that is missing, cut off, or another one than the report was written with.
pub fn read(
    file: &str,
    text: &str,
    open: impl FnOnce(&str) -> io::Result<File>,
) -> Result<Report, Diagnostics> {
    let help = "name a report.json that `promptgate run` wrote, or run again";
    let document = Document { noun: "report", schema: SCHEMA, file, help };
    let mut report: Report = document.parse(text)?;
    let found = contradictions(&report);
    if !found.is_empty() {
        let all = found.into_iter().take(MAX_LISTED).map(|message| document.refuse(message));
        return Err(Diagnostics(all.collect()));
    }
    let unknown = report.resolve_requests();
    if !unknown.is_empty() {
        let all = unknown.into_iter().take(MAX_LISTED).map(|message| document.refuse(message));
        return Err(Diagnostics(all.collect()));
    }
    report.add_changes();
    trials::attach(&mut report, file, open)?;
    Ok(report)
}
