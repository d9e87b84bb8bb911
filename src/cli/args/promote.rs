//! `promptgate promote`.

use clap::{Args, ValueEnum};

use super::ledger::{ControlFlags, WriteFlags, name};
use crate::app::release::PromoteOptions;
use promptgate_release::{Label, Name, Version};

/// `promptgate promote`.
#[derive(Debug, Args)]
pub(crate) struct PromoteArguments {
    /// The prompt.
    #[arg(value_parser = name)]
    name: Name,
    /// The version [default: for production the one on staging, for staging the newest one].
    #[arg(id = "prompt_version", value_name = "VERSION")] // `version` is the flag of the program
    #[arg(id = "published", value_name = "VERSION")]
    version: Option<Version>,
    /// The label to move.
    #[arg(long, value_enum)]
    to: Stage,
    /// Skip staging and its hold; then every level requires the full gate and one approval. Requires --reason.
    #[arg(long, requires = "reason")]
    skip_holds: bool,
    #[command(flatten)]
    control: ControlFlags,
    #[command(flatten)]
    pub(crate) write: WriteFlags,
}

/// Labels that promotions move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Stage {
    /// Where a version is held before production.
    Staging,
    /// The label that applications read.
    Production,
}

impl PromoteArguments {
    pub(crate) fn options(&self) -> PromoteOptions {
        PromoteOptions {
            target: self.write.target(&self.name),
            version: self.version,
            to: match self.to {
                Stage::Staging => Label::Staging,
                Stage::Production => Label::Production,
            },
            skip_holds: self.skip_holds,
            again: self.control.again,
            reason: self.control.reason.clone(),
            allow_simulated: self.control.allow_simulated,
            dry_run: self.write.dry_run,
        }
    }
}
