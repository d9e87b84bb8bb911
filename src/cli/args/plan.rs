//! `promptgate plan`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::suite::{SuiteFlags, SuiteNames};
use crate::app::plan::PlanOptions;
use promptgate_report::shard::MAX_SHARDS;

/// `promptgate plan`.
#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    /// The suites.
    #[command(flatten)]
    pub(crate) suites: SuiteNames,
    #[command(flatten)]
    flags: SuiteFlags,
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
    /// The options of the plan of the suite with this configuration; `None` for the nearest one.
    pub(crate) fn options(&self, config: Option<PathBuf>) -> PlanOptions {
        PlanOptions { suite: self.flags.options(config), after: self.after.clone(), shards: self.shards }
    }

    /// A flag that is about one suite alone.
    pub(crate) fn flag_of_one_suite(&self) -> Option<&'static str> {
        let matrix = (self.format == PlanFormat::GithubMatrix).then_some("--format");
        let after = self.after.as_ref().map(|_| "--after");
        after.or(self.shards.map(|_| "--shards")).or(matrix).or(self.flags.flag_of_one_suite())
    }
}
