//! `promptgate history`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::app::history::HistoryOptions;

/// `promptgate history`.
#[derive(Debug, Args)]
pub(crate) struct HistoryArguments {
    /// Reports, and folders that are searched for them [default: promptgate-report].
    reports: Vec<PathBuf>,
    /// Only reports of this suite [default: the one with most reports].
    #[arg(long, value_name = "NAME")]
    suite: Option<String>,
    /// Format of the output.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: HistoryFormat,
    /// File for the output, in place of standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// Formats of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum HistoryFormat {
    /// A table for people, and what drifted.
    #[default]
    Terminal,
    /// JSON, as `promptgate schema history` describes.
    Json,
    /// A self-contained page with a plot for each metric.
    Html,
}

impl HistoryArguments {
    pub(crate) fn options(&self) -> HistoryOptions {
        HistoryOptions { paths: self.reports.clone(), suite: self.suite.clone() }
    }
}
