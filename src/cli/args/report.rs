//! `promptgate report`.

use std::path::PathBuf;

use clap::Args;

use super::output::report_format;
use promptgate_report::Format;

/// `promptgate report`.
#[derive(Debug, Args)]
pub(crate) struct ReportArguments {
    /// A report.json, or the folder of one [default: that of the last run, promptgate-report].
    pub(crate) report: Option<PathBuf>,
    /// Format of standard output.
    #[arg(long, default_value = "terminal", value_parser = report_format())]
    pub(crate) format: Format,
    /// In the terminal format, show the answers of the worst cases even if standard output is not a terminal.
    #[arg(long)]
    pub(crate) answers: bool,
}
