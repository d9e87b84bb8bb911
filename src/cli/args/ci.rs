//! `promptgate ci`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::RunArguments;
use super::telemetry::TelemetryFlags;
use super::values::{Named, named};
use crate::app::ci::{CiOptions, OnMissingCredentials, OnNewSuite};
use crate::cli::exit::ExitRules;
use promptgate_report::Disclose;

const ON_MISSING_CREDENTIALS: [Named<OnMissingCredentials>; 2] = [
    ("fail", OnMissingCredentials::Fail, "Exit 12"),
    ("skip", OnMissingCredentials::Skip, "Exit 0, not evaluated"),
];

const ON_NEW_SUITE: [Named<OnNewSuite>; 2] =
    [("fail", OnNewSuite::Fail, "Exit 12"), ("skip", OnNewSuite::Skip, "Exit 0, not evaluated")];

const DISCLOSE: [Named<Disclose>; 3] = [
    ("numbers", Disclose::Numbers, "Verdict, numbers and case ids"),
    (
        "excerpts",
        Disclose::Excerpts,
        "Also the prompt diff, and question, answer diff and judge quotes of the worst cases, cut short",
    ),
    ("full", Disclose::Full, "Also questions and answers of the worst cases at length"),
];

/// `promptgate ci`.
#[derive(Debug, Args)]
pub(crate) struct CiArguments {
    /// The run.
    #[command(flatten)]
    pub(crate) run: RunArguments,
    /// Enforce or only report.
    #[arg(
        long,
        value_enum,
        default_value_t,
        env = "PROMPTGATE_MODE",
        hide_env = true,
        help_heading = "Gate"
    )]
    mode: Mode,
    /// Exit code where a key is missing, as in a pull request from a fork.
    #[arg(long, default_value = "fail", env = "PROMPTGATE_ON_MISSING_CREDENTIALS", hide_env = true,
          value_parser = named(&ON_MISSING_CREDENTIALS), help_heading = "Gate")]
    on_missing_credentials: OnMissingCredentials,
    /// Exit code for a suite without a configuration at the base, which gets no key [default: fail if the base has any
    /// configuration, else skip].
    #[arg(long, env = "PROMPTGATE_ON_NEW_SUITE", hide_env = true, value_parser = named(&ON_NEW_SUITE), help_heading = "Gate")]
    on_new_suite: Option<OnNewSuite>,
    /// Join the shards in this folder instead of running the suite.
    #[arg(
        long,
        value_name = "DIR",
        env = "PROMPTGATE_MERGE",
        hide_env = true,
        conflicts_with = "shard",
        help_heading = "Suite"
    )]
    merge: Option<PathBuf>,
    /// How much text the comment and the summary show [default: full in a private repository, else excerpts].
    #[arg(long, env = "PROMPTGATE_DISCLOSE", hide_env = true, value_parser = named(&DISCLOSE),
          help_heading = "Report")]
    disclose: Option<Disclose>,
    /// Telemetry.
    #[command(flatten)]
    pub(crate) telemetry: TelemetryFlags,
}

/// Whether the verdict decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Mode {
    /// The verdict decides the exit code.
    #[default]
    Enforce,
    /// Report as usual, but exit 0 on fail, inconclusive and incomplete.
    Advisory,
}

impl CiArguments {
    /// The options of the gate for the suite with this configuration; `None` for the nearest one.
    pub(crate) fn options(&self, config: Option<PathBuf>) -> CiOptions {
        CiOptions {
            run: self.run.options(config),
            merge: self.merge.clone(),
            on_missing_credentials: self.on_missing_credentials,
            on_new_suite: self.on_new_suite,
            disclose: self.disclose,
        }
    }

    pub(crate) fn exit_rules(&self) -> ExitRules {
        let rules = self.run.output.exit_rules();
        ExitRules { advisory: rules.advisory || self.mode == Mode::Advisory, ..rules }
    }
}
