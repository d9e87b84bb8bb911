//! `promptgate doctor`.

use clap::{Args, ValueEnum};

use super::suite::OneSuite;
use crate::app::doctor::DoctorOptions;

/// `promptgate doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    #[command(flatten)]
    suite: OneSuite,
    /// Call nothing: neither the endpoints nor GitHub.
    #[arg(long, env = "PROMPTGATE_OFFLINE", hide_env = true)]
    offline: bool,
    /// Format of standard output.
    #[arg(long, value_enum, default_value_t)]
    format: DoctorFormat,
    /// The same as --format json.
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

/// Formats of a diagnosis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum DoctorFormat {
    /// A line for each check, with the next step.
    #[default]
    Terminal,
    /// JSON, as `promptgate schema doctor` describes.
    Json,
}

impl DoctorArguments {
    pub(crate) fn options(&self) -> DoctorOptions {
        DoctorOptions { suite: self.suite.options(), offline: self.offline }
    }

    /// The format of standard output.
    pub(crate) fn format(&self) -> DoctorFormat {
        if self.json { DoctorFormat::Json } else { self.format }
    }
}
