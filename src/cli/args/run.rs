//! `promptgate run`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::OutputFlags;
use super::suite::{SuiteFlags, SuiteNames};
use super::telemetry::TelemetryFlags;
use super::values::{dollars, duration};
use crate::app::evaluate::RunOptions;
use crate::app::shard::ShardChoice;
use crate::app::{CacheMode, CallOptions};
use promptgate_adapters::endpoint::Ceilings;
use promptgate_report::Format;

/// The value of `--changed` alone.
const MERGE_BASE: &str = "merge-base";

/// `promptgate run`.
#[derive(Debug, Clone, Args)]
pub(crate) struct RunCommandArguments {
    /// The run.
    #[command(flatten)]
    pub(crate) run: RunArguments,
    /// Run only this case; may be repeated. A partial run, like --only-failed: it cannot pass, is not evidence, and writes its
    /// report to the folder `partial` below --out.
    #[arg(long, value_name = "ID", help_heading = "Suite", conflicts_with_all = ["only_failed", "shard"])]
    pub(crate) case: Vec<String>,
    /// Run only the cases that failed, got worse or lack a grade in the last full report below --out.
    #[arg(long, help_heading = "Suite", conflicts_with = "shard")]
    pub(crate) only_failed: bool,
    /// Run only suites that differ from the merge base with the branch that changes are merged into, or with REF: in a file that
    /// they read, committed or not. Without names: the suites of the nearest list, else all in this folder and below it. If no
    /// suite differs, nothing is evaluated (exit 3).
    #[arg(long, value_name = "REF", num_args = 0..=1, require_equals = true, default_missing_value = MERGE_BASE,
          env = "PROMPTGATE_CHANGED", hide_env = true, help_heading = "Suite",
          conflicts_with_all = ["case", "only_failed", "shard"])]
    changed: Option<String>,
    /// Show the answers of the worst cases in the terminal format even if standard output is not a terminal or a CI system is
    /// detected.
    #[arg(long, help_heading = "Report")]
    pub(crate) answers: bool,
    /// Telemetry.
    #[command(flatten)]
    pub(crate) telemetry: TelemetryFlags,
}

impl RunCommandArguments {
    /// With `--changed` its reference; `None` in it is the branch that changes are merged into.
    pub(crate) fn changed(&self) -> Option<Option<&str>> {
        let reference = self.changed.as_deref().filter(|reference| !reference.is_empty())?;
        Some(Some(reference).filter(|reference| *reference != MERGE_BASE))
    }
}

/// Flags of a run, also of the gate of a pull request.
#[derive(Debug, Clone, Args)]
pub(crate) struct RunArguments {
    /// The suites.
    #[command(flatten)]
    pub(crate) suites: SuiteNames,
    #[command(flatten)]
    suite: SuiteFlags,
    /// Use the simulated model: no key, no network, no cost; its scores say nothing about a real model.
    #[arg(long, env = "PROMPTGATE_OFFLINE", hide_env = true, help_heading = "Calls")]
    offline: bool,
    /// Output.
    #[command(flatten)]
    pub(crate) output: OutputFlags,
    /// Maximum calls in flight.
    #[arg(long, value_name = "N", env = "PROMPTGATE_CONCURRENCY", hide_env = true,
          value_parser = clap::value_parser!(u32).range(1..=10_000), help_heading = "Calls")]
    concurrency: Option<u32>,
    #[command(flatten)]
    cache: CacheFlags,
    /// Stop making calls once the verdict can only be fail.
    #[arg(long, env = "PROMPTGATE_FAIL_FAST", hide_env = true, help_heading = "Calls")]
    fail_fast: bool,
    /// Run one shard, k/n, for `promptgate merge`; auto reads k and n from the variables of the CI system or batch
    /// engine.
    #[arg(long, value_name = "K/N|auto", env = "PROMPTGATE_SHARD", hide_env = true, help_heading = "Suite")]
    shard: Option<ShardChoice>,
    /// Stop starting calls that could bring the cost above this many US dollars.
    #[arg(long, value_name = "USD", env = "PROMPTGATE_BUDGET_USD", hide_env = true, value_parser = dollars, help_heading = "Calls")]
    budget_usd: Option<f64>,
    /// Maximum number of calls.
    #[arg(long, value_name = "N", env = "PROMPTGATE_BUDGET_CALLS", hide_env = true, help_heading = "Calls")]
    budget_calls: Option<u64>,
    /// Stop starting calls after this long: 90s, 20m.
    #[arg(long, value_name = "TIME", env = "PROMPTGATE_DEADLINE", hide_env = true,
          value_parser = duration, help_heading = "Calls")]
    deadline: Option<Duration>,
    /// Print no progress and no warnings; the report files still contain the warnings.
    #[arg(long, short, env = "PROMPTGATE_QUIET", hide_env = true, help_heading = "Report")]
    pub(crate) quiet: bool,
}

impl RunArguments {
    /// The options of a run of the suite with this configuration; `None` for the nearest one.
    pub(crate) fn options(&self, config: Option<PathBuf>) -> RunOptions {
        RunOptions {
            suite: self.suite.options(config),
            calls: CallOptions {
                offline: self.offline,
                concurrency: self.concurrency,
                ceilings: Ceilings { calls: self.budget_calls, usd: self.budget_usd, time: self.deadline },
                cache: self.cache.mode(),
            },
            shard: self.shard,
            fail_fast: self.fail_fast,
            out: self.output.folder_or_default(),
            shared_cache: None,
            prints_warnings: self.output.format == Format::Terminal,
        }
    }

    /// Whether flags select some of the cases.
    pub(crate) fn selects_cases(&self) -> bool {
        self.suite.selects_cases()
    }

    /// A flag that is about one suite alone.
    pub(crate) fn flag_of_one_suite(&self) -> Option<&'static str> {
        let shard = self.shard.map(|_| "--shard");
        self.suite.flag_of_one_suite().or(shard)
    }
}

/// Flags of the cache of answers.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct CacheFlags {
    /// Ignore the cache and overwrite it.
    #[arg(
        long,
        env = "PROMPTGATE_REFRESH",
        hide_env = true,
        conflicts_with = "no_cache",
        help_heading = "Cache"
    )]
    refresh: bool,
    /// Neither read nor write the cache.
    #[arg(long, env = "PROMPTGATE_NO_CACHE", hide_env = true, help_heading = "Cache")]
    no_cache: bool,
    /// Make no calls: an answer that is not cached is missing, and the run incomplete.
    #[arg(long, env = "PROMPTGATE_CACHED_ONLY", hide_env = true, conflicts_with_all = ["refresh", "no_cache"], help_heading = "Cache")]
    cached_only: bool,
}

impl CacheFlags {
    pub(super) fn mode(self) -> CacheMode {
        match self {
            Self { no_cache: true, .. } => CacheMode::Bypass,
            Self { refresh: true, .. } => CacheMode::Refresh,
            Self { cached_only: true, .. } => CacheMode::CachedOnly,
            _ => CacheMode::Use,
        }
    }
}
