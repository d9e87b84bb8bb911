//! `promptgate log`.

use clap::Args;

use super::ledger::{LedgerFlags, name};
use promptgate_release::Name;

/// `promptgate log`.
#[derive(Debug, Args)]
pub(crate) struct LogArguments {
    /// The prompt [default: all of the ledger].
    #[arg(value_parser = name)]
    pub(crate) name: Option<Name>,
    /// Verify chain, state and records instead of listing events; exit 10 on damage.
    #[arg(long)]
    pub(crate) verify: bool,
    /// Ledger and format.
    #[command(flatten)]
    pub(crate) ledger: LedgerFlags,
}
