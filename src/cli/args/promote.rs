//! `promptgate promote`.

use clap::{Args, ValueEnum};

use super::ledger::WriteFlags;
use crate::app::release::PromoteOptions;
use promptgate_release::{Label, Name, Version};

/// `promptgate promote`.
#[derive(Debug, Args)]
pub(crate) struct PromoteArguments {
    /// The prompt.
    name: Name,
    /// The version: what staging has for production, the newest one for staging by default.
    #[arg(id = "prompt_version", value_name = "VERSION")] // `version` is the flag of the program
    #[arg(id = "published", value_name = "VERSION")]
    version: Option<Version>,
    /// The label to move.
    #[arg(long, value_enum)]
    to: Stage,
    /// Skip staging and its hold: the full gate and one approval are required at any level. Needs --reason.
    #[arg(long, requires = "reason")]
    skip_holds: bool,
    /// Promote a version that was rolled back. Needs --reason.
    #[arg(long, requires = "reason")]
    again: bool,
    /// Why, for the ledger.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Let an evaluation by the simulated model count, to try it.
    #[arg(long)]
    allow_simulated: bool,
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
            again: self.again,
            reason: self.reason.clone(),
            allow_simulated: self.allow_simulated,
            dry_run: self.write.dry_run,
        }
    }
}
