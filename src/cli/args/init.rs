//! `promptgate init`.

use std::path::PathBuf;

use clap::Args;

/// `promptgate init`.
#[derive(Debug, Args)]
pub(crate) struct InitArguments {
    /// Folder to write to; created if absent. No file is ever overwritten.
    #[arg(default_value = ".")]
    pub(crate) folder: PathBuf,
    /// Also write `release:` and GitHub workflows that publish, promote and roll back; for an existing suite, print the
    /// lines to add.
    #[arg(long)]
    pub(crate) release: bool,
}
