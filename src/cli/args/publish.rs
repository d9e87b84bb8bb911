//! `promptgate publish`.

use std::path::PathBuf;

use clap::Args;

use super::ledger::LedgerFormat;
use crate::app::release::PublishOptions;

/// `promptgate publish`.
#[derive(Debug, Args)]
pub(crate) struct PublishArguments {
    /// A promptgate.yaml or its folder [default: the nearest one].
    #[arg(value_name = "CONFIG")]
    config: Option<PathBuf>,
    /// The report.json that the gate wrote for this commit.
    #[arg(long, value_name = "REPORT")]
    report: PathBuf,
    /// Accept a report of the simulated model, to try the commands; the ledger records that.
    #[arg(long)]
    allow_simulated: bool,
    /// Decide and print, but write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Format of standard output.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: LedgerFormat,
}

impl PublishArguments {
    pub(crate) fn options(&self) -> PublishOptions {
        PublishOptions {
            config: self.config.clone(),
            report: self.report.clone(),
            allow_simulated: self.allow_simulated,
            dry_run: self.dry_run,
        }
    }
}
