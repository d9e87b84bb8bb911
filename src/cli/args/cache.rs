//! `promptgate cache`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::values::duration;

/// `promptgate cache`.
#[derive(Debug, Args)]
pub(crate) struct CacheArguments {
    /// The sub-command.
    #[command(subcommand)]
    pub(crate) command: CacheCommand,
}

/// The sub-commands.
#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// Show answers and judgements by model, with their age and size.
    Stats(CacheSelection),
    /// Remove entries older than an age, and shrink the file.
    Prune {
        /// Which cache.
        #[command(flatten)]
        cache: CacheSelection,
        /// Age: 12h, 30d [default: `cache.max_age` of the configuration].
        #[arg(long, value_name = "AGE", value_parser = duration)]
        older_than: Option<Duration>,
    },
    /// Remove all entries.
    Clear(CacheSelection),
}

/// Which cache.
#[derive(Debug, Args)]
pub(crate) struct CacheSelection {
    /// Configuration that names the cache, or its folder [default: the nearest promptgate.yaml in this folder or above].
    pub(crate) config: Option<PathBuf>,
}
