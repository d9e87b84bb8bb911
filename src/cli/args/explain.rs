//! `promptgate explain`.

use clap::Args;

/// `promptgate explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// The code: that of a reason, a fault, a status, a flag, an obstacle, or an exit code.
    #[arg(required_unless_present = "list")]
    pub(crate) code: Option<String>,
    /// List all codes.
    #[arg(long, conflicts_with = "code")]
    pub(crate) list: bool,
}
