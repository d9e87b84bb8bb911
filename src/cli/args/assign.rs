//! `promptgate assign`.

use clap::Args;

use super::ledger::{LedgerFlags, name};
use promptgate_release::Name;

/// `promptgate assign`.
#[derive(Debug, Args)]
pub(crate) struct AssignArguments {
    /// The prompt.
    #[arg(value_parser = name)]
    pub(crate) name: Name,
    /// The user, session or conversation.
    #[arg(long)]
    pub(crate) unit: String,
    /// Ledger and format.
    #[command(flatten)]
    pub(crate) ledger: LedgerFlags,
}
