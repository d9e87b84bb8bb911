//! `promptgate merge`.

use std::path::PathBuf;

use clap::Args;

use super::OutputFlags;

/// `promptgate merge`.
#[derive(Debug, Args)]
pub(crate) struct MergeArguments {
    /// Folders with the files of all shards, shard-k-of-n.json, also in folders below.
    #[arg(required = true, value_name = "DIR")]
    pub(crate) folders: Vec<PathBuf>,
    /// Output.
    #[command(flatten)]
    pub(crate) output: OutputFlags,
}
