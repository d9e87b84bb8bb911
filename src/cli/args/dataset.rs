//! `promptgate dataset`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::app::dataset_check::DatasetCheckOptions;
use crate::app::suite::SuiteOptions;
use crate::app::suites::SuiteChoice;

/// `promptgate dataset`.
#[derive(Debug, Args)]
pub(crate) struct DatasetArguments {
    /// The sub-command.
    #[command(subcommand)]
    pub(crate) command: DatasetCommand,
}

/// The sub-commands.
#[derive(Debug, Subcommand)]
pub(crate) enum DatasetCommand {
    /// Find duplicates, leaks, cases that never discriminate, small tags and unbalanced labels; no calls.
    Check(DatasetCheckArguments),
}

/// `promptgate dataset check`.
#[derive(Debug, Args)]
pub(crate) struct DatasetCheckArguments {
    /// Configuration, or its folder [default: the nearest promptgate.yaml in this folder or above]. For a list of suites, each is
    /// reviewed; not as JSON.
    config: Option<PathBuf>,
    /// Reports of earlier runs, folders that are searched for them, or glob patterns: they show the cases that never
    /// discriminate. May be repeated.
    #[arg(long, value_name = "PATH", num_args = 1.., env = "PROMPTGATE_REPORTS", hide_env = true)]
    reports: Vec<String>,
    /// Exit 10 where there is a warning.
    #[arg(long, env = "PROMPTGATE_STRICT", hide_env = true)]
    pub(crate) strict: bool,
    /// Format of standard output.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: DatasetCheckFormat,
}

/// Formats of a review of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum DatasetCheckFormat {
    /// A line for each finding, with its cases and the next step.
    #[default]
    Terminal,
    /// JSON, as `promptgate schema dataset-check` describes.
    Json,
}

impl DatasetCheckArguments {
    /// The suite, or the list of suites.
    pub(crate) fn choice(&self) -> SuiteChoice {
        SuiteChoice { named: self.config.iter().cloned().collect(), all: false }
    }

    /// The options of the suite with this configuration; `None` for the nearest one.
    pub(crate) fn options(&self, config: Option<PathBuf>) -> DatasetCheckOptions {
        DatasetCheckOptions {
            suite: SuiteOptions { config, ..SuiteOptions::default() },
            reports: self.reports.clone(),
        }
    }
}
