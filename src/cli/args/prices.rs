//! `promptgate prices`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::app::prices::update::UpdateOptions;
use crate::app::suite::SuiteOptions;

/// `promptgate prices`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct PricesArguments {
    /// Configuration, or its folder [default: the nearest promptgate.yaml in this folder or above].
    config: Option<PathBuf>,
    /// Format of standard output.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: PricesFormat,
    /// The command.
    #[command(subcommand)]
    pub(crate) command: Option<PricesCommand>,
}

/// Formats of a list of prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum PricesFormat {
    /// A table.
    #[default]
    Terminal,
    /// JSON: a list of models with their prices.
    Json,
}

/// Commands of prices.
#[derive(Debug, Subcommand)]
pub(crate) enum PricesCommand {
    /// Write the prices of the suite's models to `prices` of the configuration.
    Update(UpdateArguments),
}

/// `promptgate prices update`.
#[derive(Debug, Args)]
pub(crate) struct UpdateArguments {
    /// Configuration, or its folder [default: the nearest promptgate.yaml in this folder or above].
    config: Option<PathBuf>,
    /// A price map of LiteLLM: its model_prices_and_context_window.json.
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
}

impl PricesArguments {
    pub(crate) fn options(&self) -> SuiteOptions {
        SuiteOptions { config: self.config.clone(), ..SuiteOptions::default() }
    }
}

impl UpdateArguments {
    pub(crate) fn options(&self) -> UpdateOptions {
        UpdateOptions { config: self.config.clone(), from: self.from.clone() }
    }
}
