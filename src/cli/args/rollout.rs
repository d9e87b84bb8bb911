//! `promptgate rollout`.

use clap::{Args, Subcommand, ValueEnum};

use super::ledger::{ControlFlags, WriteFlags};
use super::telemetry::RolloutTelemetryFlags;
use crate::app::release::{CarryOptions, PlanOptions, SimulateOptions, StartOptions, Target};
use promptgate_release::rollout::RolloutKind;
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
    /// Show how long a rollout takes, what each step catches, and the chance to finish.
    Plan(PlanArguments),
    /// Simulate rollouts with a given deterioration, and print their decisions.
    Simulate(SimulateArguments),
    /// Start a rollout, or an A/B test, if the version passes the controls for production.
    Start(StartArguments),
    /// Take the next step where the evidence allows it; roll back where harm is shown.
    Advance(AdvanceArguments),
    /// Stay at the current percentage; harm still rolls back.
    Pause(ReasonArguments),
    /// Go on after a pause, and accept sources of metrics that changed.
    Resume(ReasonArguments),
    /// Abort a rollout: all units get the production version.
    Abort(ReasonArguments),
    /// Show where a rollout is, and what its data show; nothing is written.
    Status(StatusArguments),
}

/// The traffic of a rollout that has not begun.
#[derive(Debug, Clone, Args)]
pub(crate) struct TrafficFlags {
    /// The prompt.
    name: Name,
    /// The steps of the configuration.
    #[arg(long, value_enum, default_value_t)]
    kind: Kind,
    /// Scored requests a day, of all units [default: of the last seven days, by the sources].
    #[arg(long, value_name = "N", value_parser = per_day)]
    per_day: Option<f64>,
    /// Share of a guardrail in production [default: of the last seven days, by its source].
    #[arg(long = "rate", value_name = "GUARDRAIL=SHARE", value_parser = rate)]
    rates: Vec<(String, f64)>,
    /// A promptgate.yaml or its folder [default: the one that releases NAME].
    #[arg(long, value_name = "PATH")]
    config: Option<std::path::PathBuf>,
    /// Format of standard output.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: super::LedgerFormat,
}

/// The kinds of rollouts in steps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// The steps of minor versions by default.
    #[default]
    Canary,
    /// The steps of major versions by default.
    Staged,
}

/// `promptgate rollout plan`.
#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    #[command(flatten)]
    pub(crate) traffic: TrafficFlags,
}

/// `promptgate rollout simulate`.
#[derive(Debug, Args)]
pub(crate) struct SimulateArguments {
    #[command(flatten)]
    pub(crate) traffic: TrafficFlags,
    /// True deterioration of the guardrail; 0 for an equal version.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = drop)]
    drop: f64,
    /// The guardrail that deteriorates [default: the first].
    #[arg(long, value_name = "NAME")]
    guardrail: Option<String>,
    /// Number of runs.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    runs: u64,
    /// Seed of the first run, whose decisions are printed.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

/// `promptgate rollout start`.
#[derive(Debug, Args)]
pub(crate) struct StartArguments {
    /// The prompt.
    pub(crate) name: Name,
    /// The version [default: what staging has].
    #[arg(id = "published", value_name = "VERSION")]
    version: Option<Version>,
    /// Start an A/B test at this fixed percentage of the units; above 50 requires --reason.
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    percent: Option<u32>,
    /// Scored requests a day, for the forecast [default: of the last seven days, by the sources; with --anyway none].
    #[arg(long, value_name = "N", value_parser = per_day)]
    per_day: Option<f64>,
    /// Start even if the forecast gives it less than a 50 % chance of finishing.
    #[arg(long)]
    anyway: bool,
    #[command(flatten)]
    control: ControlFlags,
    #[command(flatten)]
    pub(crate) write: WriteFlags,
    #[command(flatten)]
    pub(crate) telemetry: RolloutTelemetryFlags,
}

/// `promptgate rollout advance`.
#[derive(Debug, Args)]
pub(crate) struct AdvanceArguments {
    /// The prompt.
    #[arg(required_unless_present = "all")]
    pub(crate) name: Option<Name>,
    /// Advance the rollout of every configuration of the repository; a failure does not stop the others.
    #[arg(long, conflicts_with_all = ["name", "config"])]
    pub(crate) all: bool,
    /// Accept an evaluation of the simulated model, to try the commands.
    #[arg(long)]
    allow_simulated: bool,
    #[command(flatten)]
    pub(crate) write: WriteFlags,
    #[command(flatten)]
    pub(crate) telemetry: RolloutTelemetryFlags,
}

/// `promptgate rollout pause`, `resume` and `abort`.
#[derive(Debug, Args)]
pub(crate) struct ReasonArguments {
    /// The prompt.
    pub(crate) name: Name,
    /// Why, for the ledger.
    #[arg(long, value_name = "TEXT", value_parser = super::ledger::reason)]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) write: WriteFlags,
    #[command(flatten)]
    pub(crate) telemetry: RolloutTelemetryFlags,
}

/// `promptgate rollout status`.
#[derive(Debug, Args)]
pub(crate) struct StatusArguments {
    /// The prompt.
    pub(crate) name: Name,
    /// A promptgate.yaml or its folder [default: the one that releases NAME].
    #[arg(long, value_name = "PATH")]
    config: Option<std::path::PathBuf>,
    /// Format of standard output.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: super::LedgerFormat,
}

impl TrafficFlags {
    fn options(&self) -> PlanOptions {
        PlanOptions {
            target: Target { config: self.config.clone(), name: Some(self.name.clone()) },
            kind: match self.kind {
                Kind::Canary => RolloutKind::Canary,
                Kind::Staged => RolloutKind::Staged,
            },
            per_day: self.per_day,
            rates: self.rates.clone(),
        }
    }
}

impl PlanArguments {
    pub(crate) fn options(&self) -> PlanOptions {
        self.traffic.options()
    }
}

impl SimulateArguments {
    pub(crate) fn options(&self) -> SimulateOptions {
        SimulateOptions {
            plan: self.traffic.options(),
            guardrail: self.guardrail.clone(),
            drop: self.drop,
            runs: self.runs,
            seed: self.seed,
        }
    }
}

impl StartArguments {
    pub(crate) fn options(&self) -> StartOptions {
        StartOptions {
            target: self.write.target(&self.name),
            version: self.version,
            fixed: self.percent,
            per_day: self.per_day,
            anyway: self.anyway,
            again: self.control.again,
            reason: self.control.reason.clone(),
            allow_simulated: self.control.allow_simulated,
            dry_run: self.write.dry_run,
        }
    }
}

impl AdvanceArguments {
    pub(crate) fn target(&self) -> Target {
        Target { config: self.write.config.clone(), name: self.name.clone() }
    }

    pub(crate) fn options(&self) -> CarryOptions {
        CarryOptions { allow_simulated: self.allow_simulated, dry_run: self.write.dry_run }
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
    if is_possible { Ok(number) } else { Err("expected a number above 0, up to 1e12: 2000".to_owned()) }
}

/// Parses `GUARDRAIL=SHARE`.
fn rate(text: &str) -> Result<(String, f64), String> {
    let expected = || "expected a guardrail and its share above 0 and below 1: faithfulness=0.9".to_owned();
    let (name, share) = text.split_once('=').ok_or_else(expected)?;
    let share: f64 = share.parse().map_err(|_| expected())?;
    if !name.is_empty() && share > 0.0 && share < 1.0 {
        Ok((name.to_owned(), share))
    } else {
        Err(expected())
    }
}

/// Parses a deterioration of a share.
fn drop(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().unwrap_or(f64::NAN);
    if (0.0..=1.0).contains(&share) {
        Ok(share)
    } else {
        Err("expected a share from 0 to 1: 0.05".to_owned())
    }
}
