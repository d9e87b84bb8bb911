//! `promptgate rollback`.

use std::time::Duration;

use clap::Args;

use super::ledger::WriteFlags;
use super::values::duration;
use crate::app::release::{RollbackOptions, Wait};
use promptgate_release::{Label, Name, Version};

/// `promptgate rollback`.
#[derive(Debug, Args)]
pub(crate) struct RollbackArguments {
    /// The prompt.
    name: Name,
    /// The version, which must have held the label; by default the last one that was not rolled back itself.
    #[arg(long, value_name = "VERSION")]
    to: Option<Version>,
    /// Why, for the ledger.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// The label.
    #[arg(long, default_value = "production")]
    label: Label,
    /// Poll this address until its response names the version, or until applications must have followed.
    #[arg(long, value_name = "URL")]
    wait: Option<String>,
    /// How long --wait polls; the registry's bound and half a minute by default.
    #[arg(long, value_name = "TIME", value_parser = duration, requires = "wait")]
    wait_for: Option<Duration>,
    #[command(flatten)]
    pub(crate) write: WriteFlags,
}

impl RollbackArguments {
    pub(crate) fn options(&self) -> RollbackOptions {
        RollbackOptions {
            target: self.write.target(&self.name),
            to: self.to,
            label: self.label.clone(),
            reason: self.reason.clone(),
            dry_run: self.write.dry_run,
        }
    }

    pub(crate) fn wait(&self) -> Option<Wait> {
        self.wait.clone().map(|url| Wait { url, time: self.wait_for })
    }
}
