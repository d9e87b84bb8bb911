//! `promptgate rollout`.

use clap::{Args, Subcommand};

use super::ledger::WriteFlags;
use crate::app::release::{StartOptions, Target};
use promptgate_release::{Name, Version};

/// `promptgate rollout`.
#[derive(Debug, Args)]
pub(crate) struct RolloutArguments {
    /// The sub-command.
    #[command(subcommand)]
    pub(crate) command: RolloutCommand,
}

/// The sub-commands.
#[derive(Debug, Subcommand)]
pub(crate) enum RolloutCommand {
    /// Start a rollout, or an A/B test, if the controls of production are passed.
    Start(StartArguments),
    /// Take the next step where the evidence allows it; roll back where harm is shown.
    Advance(AdvanceArguments),
    /// Stay at the current percentage; harm still rolls back.
    Pause(ReasonArguments),
    /// Go on after a pause, and accept sources of metrics that changed.
    Resume(ReasonArguments),
    /// Give a rollout up: all units get what production serves.
    Abort(ReasonArguments),
    /// Show where a rollout is, and what its data show; nothing is written.
    Status(StatusArguments),
}

/// `promptgate rollout start`.
#[derive(Debug, Args)]
pub(crate) struct StartArguments {
    /// The prompt.
    name: Name,
    /// The version [default: what staging has].
    #[arg(id = "published", value_name = "VERSION")]
    version: Option<Version>,
    /// Start an A/B test at this percentage of the units, which stays.
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    percent: Option<u32>,
    /// Scored requests a day, for the forecast [default: none, which plans the least that the steps require].
    #[arg(long, value_name = "N", value_parser = per_day)]
    per_day: Option<f64>,
    /// Start although the forecast says that it will hardly end.
    #[arg(long)]
    anyway: bool,
    /// Roll out a version that was rolled back. Needs --reason.
    #[arg(long, requires = "reason")]
    again: bool,
    /// Why, for the ledger.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Let an evaluation by the simulated model count, to try it.
    #[arg(long)]
    allow_simulated: bool,
    #[command(flatten)]
    pub(crate) write: WriteFlags,
}

/// `promptgate rollout advance`.
#[derive(Debug, Args)]
pub(crate) struct AdvanceArguments {
    /// The prompt.
    pub(crate) name: Name,
    #[command(flatten)]
    pub(crate) write: WriteFlags,
}

/// `promptgate rollout pause`, `resume` and `abort`.
#[derive(Debug, Args)]
pub(crate) struct ReasonArguments {
    /// The prompt.
    name: Name,
    /// Why, for the ledger.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) write: WriteFlags,
}

/// `promptgate rollout status`.
#[derive(Debug, Args)]
pub(crate) struct StatusArguments {
    /// The prompt.
    pub(crate) name: Name,
    /// A promptgate.yaml, or its folder; else the one that releases NAME.
    #[arg(long, value_name = "PATH")]
    config: Option<std::path::PathBuf>,
    /// Format of standard output.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: super::LedgerFormat,
}

impl StartArguments {
    pub(crate) fn options(&self) -> StartOptions {
        StartOptions {
            target: self.write.target(&self.name),
            version: self.version,
            fixed: self.percent,
            per_day: self.per_day,
            anyway: self.anyway,
            again: self.again,
            reason: self.reason.clone(),
            allow_simulated: self.allow_simulated,
            dry_run: self.write.dry_run,
        }
    }
}

impl AdvanceArguments {
    pub(crate) fn target(&self) -> Target {
        self.write.target(&self.name)
    }
}

impl ReasonArguments {
    pub(crate) fn target(&self) -> Target {
        self.write.target(&self.name)
    }
}

impl StatusArguments {
    pub(crate) fn target(&self) -> Target {
        Target { config: self.config.clone(), name: Some(self.name.clone()) }
    }
}

/// Parses a percentage of units as basis points.
fn percent(text: &str) -> Result<u32, String> {
    let expected = || "expected a percentage above 0 and below 100, to the hundredth: 50".to_owned();
    let percent: f64 = text.trim_end_matches('%').trim().parse().map_err(|_| expected())?;
    let points = (percent * 100.0).round();
    if (points - percent * 100.0).abs() < 1e-6 && (1.0..10_000.0).contains(&points) {
        Ok(points as u32)
    } else {
        Err(expected())
    }
}

/// Parses a number of requests a day.
fn per_day(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().unwrap_or(f64::NAN);
    let is_possible = number > 0.0 && number <= 1e12;
    if is_possible { Ok(number) } else { Err("expected a number above 0: 2000".to_owned()) }
}
