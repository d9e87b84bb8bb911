//! The ledger of commands that read, and how they print.

use std::io;

use serde::Serialize;

use crate::app::Failure;
use crate::cli::args::LedgerFormat;
use crate::cli::output;
use promptgate_report::Style;

/// Prints a value: as JSON, or by its terminal rendering.
///
/// # Errors
/// Standard output that cannot be written.
pub(super) fn print<T: Serialize>(
    value: &T,
    format: LedgerFormat,
    render: fn(&T, &mut dyn io::Write, &Style) -> io::Result<()>,
) -> Result<(), Failure> {
    output::stream(|out| match format {
        LedgerFormat::Json => promptgate_report::write_json(value, out),
        LedgerFormat::Terminal => render(value, out, &output::terminal_style()),
    })
}
