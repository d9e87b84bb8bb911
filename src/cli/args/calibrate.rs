//! `promptgate calibrate`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::run::CacheFlags;
use super::values::{dollars, share};
use crate::app::CallOptions;
use crate::app::calibrate::CalibrateOptions;
use promptgate_adapters::endpoint::Ceilings;

/// `promptgate calibrate`.
#[derive(Debug, Args)]
pub(crate) struct CalibrateArguments {
    /// Labeled answers: rows with query, context, response, human (true, false or 0 to 1) and, if several people
    /// rated, rater.
    labels: PathBuf,
    /// Configuration with the judge, or its folder [default: the nearest promptgate.yaml in this folder or above].
    #[arg(long, value_name = "CONFIG", help_heading = "Labels")]
    config: Option<PathBuf>,
    /// Judged metric that the labels are about [default: faithfulness, or the only one].
    #[arg(long, value_name = "NAME", help_heading = "Labels")]
    metric: Option<String>,
    /// Use the simulated judge: no key, no network, no cost.
    #[arg(long, help_heading = "Calls")]
    offline: bool,
    /// Times each answer is judged: the first counts, the others measure how the judge agrees with itself.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=100), help_heading = "Calls")]
    repeats: u32,
    /// Lowest rating that counts as a pass, for ratings between 0 and 1.
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = share, help_heading = "Labels")]
    pass_at: f64,
    /// Column whose values make the slices [default: tags, else model].
    #[arg(long, value_name = "COLUMN", help_heading = "Labels")]
    by: Option<String>,
    /// report.json graded by the same judge; corrects the candidate's scores for the judge's errors.
    #[arg(long, value_name = "REPORT", help_heading = "Report")]
    report: Option<PathBuf>,
    /// Folder for calibration.json, judged.jsonl and disagreements.jsonl.
    #[arg(long, value_name = "DIR", default_value = "promptgate-calibration", help_heading = "Report")]
    out: PathBuf,
    /// Format of standard output.
    #[arg(long, value_enum, default_value_t, help_heading = "Report")]
    pub(crate) format: CalibrationFormat,
    #[command(flatten)]
    cache: CacheFlags,
    /// Maximum calls in flight.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000), help_heading = "Calls")]
    concurrency: Option<u32>,
    /// Stop starting calls that could bring the cost above this many US dollars.
    #[arg(long, value_name = "USD", value_parser = dollars, help_heading = "Calls")]
    budget_usd: Option<f64>,
    /// Maximum number of calls.
    #[arg(long, value_name = "N", help_heading = "Calls")]
    budget_calls: Option<u64>,
    /// No progress on standard error.
    #[arg(long, short, help_heading = "Report")]
    pub(crate) quiet: bool,
}

/// Formats of a calibration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum CalibrationFormat {
    /// Tables.
    #[default]
    Terminal,
    /// JSON, by `promptgate schema calibration`.
    Json,
}

impl CalibrateArguments {
    pub(crate) fn options(&self) -> CalibrateOptions {
        CalibrateOptions {
            labels: self.labels.clone(),
            config: self.config.clone(),
            metric: self.metric.clone(),
            calls: CallOptions {
                offline: self.offline,
                concurrency: self.concurrency,
                ceilings: Ceilings { calls: self.budget_calls, usd: self.budget_usd, time: None },
                cache: self.cache.mode(),
            },
            repeats: self.repeats,
            pass_at: self.pass_at,
            by: self.by.clone(),
            report: self.report.clone(),
            out: self.out.clone(),
        }
    }
}
