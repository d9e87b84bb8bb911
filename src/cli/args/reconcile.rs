//! `promptgate reconcile`.

use std::path::PathBuf;

use clap::Args;

use super::ledger::{LedgerFormat, name};
use crate::app::release::{ReconcileOptions, Target};
use promptgate_release::Name;

/// `promptgate reconcile`.
#[derive(Debug, Args)]
pub(crate) struct ReconcileArguments {
    /// The prompt [default: that of the configuration].
    #[arg(value_parser = name)]
    name: Option<Name>,
    /// Only list the differences; exit 10 if there are any.
    #[arg(long, visible_alias = "dry-run")]
    check: bool,
    /// Record versions in use that promptgate did not publish; they have no evidence.
    #[arg(long)]
    adopt: bool,
    /// A promptgate.yaml or its folder [default: the one that releases NAME].
    #[arg(long, value_name = "PATH")]
    config: Option<PathBuf>,
    /// Format of standard output.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: LedgerFormat,
}

impl ReconcileArguments {
    pub(crate) fn options(&self) -> ReconcileOptions {
        ReconcileOptions {
            target: Target { config: self.config.clone(), name: self.name.clone() },
            check: self.check,
            adopt: self.adopt,
        }
    }
}
