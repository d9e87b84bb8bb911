//! `promptgate plan`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::suite::OneSuite;
use crate::app::plan::PlanOptions;
use promptgate_report::shard::MAX_SHARDS;

/// `promptgate plan`.
#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    #[command(flatten)]
    suite: OneSuite,
    /// Take noise, tokens and prices from this report.json of an earlier run of the suite.
    #[arg(long, value_name = "REPORT")]
    after: Option<PathBuf>,
    /// Also estimate each of this many shards; with --format github-matrix, name them.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_SHARDS)))]
    shards: Option<u32>,
    /// Format of standard output.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: PlanFormat,
}

/// Formats of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum PlanFormat {
    /// Tables.
    #[default]
    Terminal,
    /// JSON, by `promptgate schema plan`.
    Json,
    /// One line of JSON, {"shard":["1/8",…]}, for `strategy.matrix` of GitHub Actions.
    GithubMatrix,
}

impl PlanArguments {
    pub(crate) fn options(&self) -> PlanOptions {
        PlanOptions { suite: self.suite.options(), after: self.after.clone(), shards: self.shards }
    }
}
