//! `promptgate pull`.

use clap::Args;

use super::ledger::{WriteFlags, name};
use crate::app::release::PullOptions;
use promptgate_release::Name;

/// `promptgate pull`.
#[derive(Debug, Args)]
pub(crate) struct PullArguments {
    /// The prompt.
    #[arg(value_parser = name)]
    name: Name,
    /// Commit to this new branch instead of writing the prompt's file.
    #[arg(long, value_name = "BRANCH")]
    branch: Option<String>,
    #[command(flatten)]
    pub(crate) write: WriteFlags,
}

impl PullArguments {
    pub(crate) fn options(&self) -> PullOptions {
        PullOptions {
            target: self.write.target(&self.name),
            branch: self.branch.clone(),
            dry_run: self.write.dry_run,
        }
    }
}
