//! `promptgate init`.

use std::path::PathBuf;

use clap::Args;

/// `promptgate init`.
#[derive(Debug, Args)]
pub(crate) struct InitArguments {
    /// Folder to write to; created if absent. No file is ever overwritten.
    #[arg(default_value = ".")]
    pub(crate) folder: PathBuf,
    /// Import a promptfoo configuration, a GitHub .prompt.yml, a .prompty, a .prompt of Dotprompt or the export of a Langfuse
    /// prompt, or the one in a folder. What cannot be carried is printed with its line.
    #[arg(long, value_name = "FILE", conflicts_with = "release")]
    pub(crate) from: Option<PathBuf>,
    /// With --from: write nothing and exit with 2 if anything cannot be carried.
    #[arg(long, requires = "from")]
    pub(crate) strict: bool,
    /// Also write `release:` and GitHub workflows that publish, promote and roll back; for an existing suite, print the
    /// lines to add.
    #[arg(long)]
    pub(crate) release: bool,
}
