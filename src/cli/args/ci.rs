//! `promptgate ci`, and what it finds out for the others.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::RunArguments;

/// `promptgate ci`.
#[derive(Debug, Args)]
pub struct CiArguments {
    /// What to run.
    #[command(flatten)]
    pub run: RunArguments,
    /// Whether the verdict decides.
    #[arg(long, value_enum, default_value_t, env = "PROMPTGATE_MODE", hide_env = true)]
    pub mode: Mode,
    /// What happens where a key is missing, as in a pull request from a fork.
    #[arg(long, value_enum, default_value_t, env = "PROMPTGATE_ON_MISSING_CREDENTIALS", hide_env = true)]
    pub on_missing_credentials: OnMissingCredentials,
    /// Join the shards in this folder instead of asking.
    #[arg(long, value_name = "DIR", env = "PROMPTGATE_MERGE", hide_env = true, conflicts_with = "shard")]
    pub merge: Option<PathBuf>,
    /// What comment and summary may show.
    #[arg(long, value_enum, default_value_t, env = "PROMPTGATE_DISCLOSE", hide_env = true)]
    pub disclose: Disclose,
}

/// Whether the verdict decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Mode {
    /// The exit code is the verdict's.
    #[default]
    Enforce,
    /// Report as ever, but exit 0 on fail, inconclusive and incomplete.
    Advisory,
}

/// What happens where a key is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum OnMissingCredentials {
    /// Exit 12.
    #[default]
    Fail,
    /// Exit 0, not evaluated.
    Skip,
}

/// What comment and summary may show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Disclose {
    /// Verdict, numbers and case ids.
    Numbers,
    /// Questions and reasons too, cut short.
    #[default]
    Excerpts,
    /// The answers of the worst cases as well.
    Full,
}

impl From<Disclose> for promptgate_report::Disclose {
    fn from(disclose: Disclose) -> Self {
        match disclose {
            Disclose::Numbers => Self::Numbers,
            Disclose::Excerpts => Self::Excerpts,
            Disclose::Full => Self::Full,
        }
    }
}

/// The commit that a change is compared with, as the event of a CI system says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct KnownBase {
    /// Its full object name; `None` where there is nothing to compare with.
    pub(in crate::cli) commit: Option<String>,
    /// How it was found, or why there is none.
    pub(in crate::cli) how: String,
    /// The commit whose files are evaluated, as it holds them; `None` where the work tree counts as it lies there.
    pub(in crate::cli) evaluated: Option<String>,
}
