//! `promptgate export`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::ledger::{LedgerFlags, name};
use crate::app::release::{BundleOptions, DEFAULT_BUNDLE_FOLDER};
use promptgate_release::Name;

/// `promptgate export`.
#[derive(Debug, Args)]
pub(crate) struct ExportArguments {
    /// The sub-command.
    #[command(subcommand)]
    pub(crate) command: ExportCommand,
}

/// The sub-commands.
#[derive(Debug, Subcommand)]
pub(crate) enum ExportCommand {
    /// Write what production serves as JSON files, to ship in a container image.
    Bundle(BundleArguments),
}

/// `promptgate export bundle`.
#[derive(Debug, Args)]
pub(crate) struct BundleArguments {
    /// The prompts [default: all of the ledger that production serves].
    #[arg(value_parser = name)]
    pub(crate) names: Vec<Name>,
    /// Folder for a file for each prompt, releases.json and bundle.json.
    #[arg(long, value_name = "DIR", env = "PROMPTGATE_BUNDLE_OUT", hide_env = true,
          default_value = DEFAULT_BUNDLE_FOLDER)]
    out: PathBuf,
    /// Ledger and format.
    #[command(flatten)]
    pub(crate) ledger: LedgerFlags,
}

impl BundleArguments {
    pub(crate) fn options(&self) -> BundleOptions {
        BundleOptions { out: self.out.clone(), names: self.names.clone() }
    }
}
