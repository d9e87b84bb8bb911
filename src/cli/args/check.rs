//! `promptgate check`.

use clap::Args;

use super::suite::OneSuite;

/// `promptgate check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// The suite.
    #[command(flatten)]
    pub(crate) suite: OneSuite,
    /// Also call the endpoints, with at most a handful of tiny requests, and say what they accept.
    #[arg(long)]
    pub(crate) endpoint: bool,
}
