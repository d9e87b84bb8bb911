//! `promptgate pull`.

use std::path::PathBuf;

use clap::Args;

use super::ledger::ReadFormat;
use crate::app::release::{PullOptions, Target};
use promptgate_release::Name;

/// `promptgate pull`.
#[derive(Debug, Args)]
pub(crate) struct PullArguments {
    /// The prompt.
    name: Name,
    /// Commit to this new branch, and leave the work tree alone; else the prompt's file is written.
    #[arg(long, value_name = "BRANCH")]
    branch: Option<String>,
    /// Print, but write nothing.
    #[arg(long)]
    dry_run: bool,
    /// A promptgate.yaml, or its folder; else the one that releases NAME.
    #[arg(long, value_name = "PATH")]
    config: Option<PathBuf>,
    /// Format of standard output.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: ReadFormat,
}

impl PullArguments {
    pub(crate) fn options(&self) -> PullOptions {
        PullOptions {
            target: Target { config: self.config.clone(), name: Some(self.name.clone()) },
            branch: self.branch.clone(),
            dry_run: self.dry_run,
        }
    }
}
