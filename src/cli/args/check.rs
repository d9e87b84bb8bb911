//! `promptgate check`.

use clap::Args;

use super::suite::SuiteFlags;
use crate::app::suite::SuiteOptions;

/// `promptgate check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    #[command(flatten)]
    suite: SuiteFlags,
}

impl CheckArguments {
    pub(crate) fn options(&self) -> SuiteOptions {
        self.suite.options()
    }
}
