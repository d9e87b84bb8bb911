//! `promptgate approve`.

use std::path::PathBuf;

use clap::Args;

use super::ledger::ReadFormat;
use crate::app::release::ApproveOptions;
use promptgate_release::{Name, Version};

/// `promptgate approve`.
#[derive(Debug, Args)]
pub(crate) struct ApproveArguments {
    /// The prompt.
    #[arg(value_name = "NAME")]
    name: Name,
    /// The version.
    #[arg(id = "published", value_name = "VERSION")]
    version: Version,
    /// The digest of the content that was read, or its first twelve digits: another content is not approved.
    #[arg(long, value_name = "DIGEST")]
    digest: Option<String>,
    /// A promptgate.yaml, or its folder; else the one that releases NAME.
    #[arg(long, value_name = "PATH")]
    config: Option<PathBuf>,
    /// Decide and print, but write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Format of standard output.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: ReadFormat,
}

impl ApproveArguments {
    pub(crate) fn options(&self) -> ApproveOptions {
        ApproveOptions {
            config: self.config.clone(),
            name: self.name.clone(),
            version: self.version,
            digest: self.digest.clone(),
            dry_run: self.dry_run,
        }
    }
}
