//! `promptgate approve`.

use clap::Args;

use super::ledger::{WriteFlags, name};
use crate::app::release::ApproveOptions;
use promptgate_release::{Name, Version};

/// `promptgate approve`.
#[derive(Debug, Args)]
pub(crate) struct ApproveArguments {
    /// The prompt.
    #[arg(value_name = "NAME", value_parser = name)]
    name: Name,
    /// The version.
    #[arg(id = "published", value_name = "VERSION")]
    version: Version,
    /// The digest of the content that was reviewed, or its first 12 digits; other content is not approved.
    #[arg(long, value_name = "DIGEST")]
    digest: Option<String>,
    #[command(flatten)]
    pub(crate) write: WriteFlags,
}

impl ApproveArguments {
    pub(crate) fn options(&self) -> ApproveOptions {
        ApproveOptions {
            config: self.write.config.clone(),
            name: self.name.clone(),
            version: self.version,
            digest: self.digest.clone(),
            dry_run: self.write.dry_run,
        }
    }
}
