//! `report.json`: the report as it is, indented, one newline at the end.

use std::io::{self, Write};

use super::Report;

/// Writes the report as JSON.
pub(super) fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report)?;
    out.write_all(b"\n")
}
