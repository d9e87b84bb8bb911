//! `promptgate compare`.

use std::path::PathBuf;

use clap::Args;

use super::OutputFlags;

/// `promptgate compare`.
#[derive(Debug, Args)]
pub(crate) struct CompareArguments {
    /// report.json of the baseline: its candidate becomes the baseline.
    pub(crate) old: PathBuf,
    /// report.json of the candidate, whose policy decides.
    pub(crate) new: PathBuf,
    /// Output.
    #[command(flatten)]
    pub(crate) output: OutputFlags,
}
