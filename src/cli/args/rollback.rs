//! `promptgate rollback`.

use std::time::Duration;

use clap::Args;

use super::ledger::{WriteFlags, name};
use super::telemetry::RolloutTelemetryFlags;
use super::values::duration;
use crate::app::release::{RollbackOptions, Wait};
use promptgate_release::{Label, Name, Version};

/// `promptgate rollback`.
#[derive(Debug, Args)]
pub(crate) struct RollbackArguments {
    /// The prompt.
    #[arg(value_parser = name)]
    name: Name,
    /// The version to return to, which must have held the label [default: the last one that was not itself rolled back].
    #[arg(long, value_name = "VERSION")]
    to: Option<Version>,
    /// The reason, recorded in the ledger.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// The label to move back.
    #[arg(long, default_value = "production")]
    label: Label,
    /// Poll this URL until its response names the version; exit 12 if it does not in time.
    #[arg(long, value_name = "URL")]
    wait: Option<String>,
    /// How long --wait polls [default: the time within which applications follow, plus 30 s].
    #[arg(long, value_name = "TIME", value_parser = duration, requires = "wait")]
    wait_for: Option<Duration>,
    #[command(flatten)]
    pub(crate) write: WriteFlags,
    /// Telemetry.
    #[command(flatten)]
    pub(crate) telemetry: RolloutTelemetryFlags,
}

impl RollbackArguments {
    pub(crate) fn options(&self) -> RollbackOptions {
        RollbackOptions {
            from: None,
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
