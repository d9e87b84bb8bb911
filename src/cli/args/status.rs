//! `promptgate status`.

use clap::Args;
use jiff::Timestamp;

use super::ledger::{LedgerFlags, name, time};
use crate::app::release::StatusOptions;
use promptgate_release::Name;

/// `promptgate status`.
#[derive(Debug, Args)]
pub(crate) struct StatusArguments {
    /// The prompt [default: all of the ledger].
    #[arg(value_parser = name)]
    pub(crate) name: Option<Name>,
    /// Show the status of that time: RFC 3339, or a date for the end of that day in UTC.
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Option<Timestamp>,
    /// Ledger and format.
    #[command(flatten)]
    pub(crate) ledger: LedgerFlags,
}

impl StatusArguments {
    /// `is_shared` says whether the ledger is one that is fetched.
    pub(crate) fn options(&self, is_shared: bool) -> StatusOptions {
        let fetched = is_shared.then_some(self.ledger.refresh);
        StatusOptions { names: self.name.iter().cloned().collect(), at: self.at, fetched }
    }
}
