//! `promptgate case`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `promptgate case`.
#[derive(Debug, Args)]
pub(crate) struct CaseArguments {
    /// The id of the case.
    pub(crate) id: String,
    /// A report.json, or its folder [default: promptgate-report].
    pub(crate) report: Option<PathBuf>,
    /// Format of standard output.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: CaseFormat,
}

/// Formats of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum CaseFormat {
    /// Text for people.
    #[default]
    Terminal,
    /// JSON, as `promptgate schema case-result` describes.
    Json,
}
