//! `promptgate show`.

use clap::Args;

use super::ledger::{LedgerFlags, reference};
use promptgate_release::PromptReference;

/// `promptgate show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArguments {
    /// NAME@VERSION or NAME@LABEL; NAME alone is the newest version.
    #[arg(value_name = "NAME@REF", value_parser = reference)]
    pub(crate) reference: PromptReference,
    /// Ledger and format.
    #[command(flatten)]
    pub(crate) ledger: LedgerFlags,
}
