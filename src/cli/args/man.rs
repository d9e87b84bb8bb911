//! `promptgate man`.

use std::path::PathBuf;

use clap::Args;

/// `promptgate man`.
#[derive(Debug, Args)]
pub(crate) struct ManArguments {
    /// Write the pages of promptgate and all its commands to this folder instead of printing the first one.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
}
