//! `promptgate check`.

use clap::Args;

use super::suite::{SuiteFlags, SuiteNames};

/// `promptgate check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// The suites.
    #[command(flatten)]
    pub(crate) suites: SuiteNames,
    /// Flags of a suite.
    #[command(flatten)]
    pub(crate) flags: SuiteFlags,
    /// Also call the endpoints, with at most a handful of tiny requests, and say what they accept.
    #[arg(long)]
    pub(crate) endpoint: bool,
}
