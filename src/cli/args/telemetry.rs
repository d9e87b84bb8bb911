//! Flags of telemetry.

use clap::Args;

use crate::app::telemetry::TelemetryOptions;

/// Flags of the telemetry of a run. They are flags alone: a variable would send the traces of a machine's every run.
#[derive(Debug, Clone, Args)]
pub(crate) struct TelemetryFlags {
    /// After the report, send a trace of the run to this receiver of OTLP over HTTP, at URL/v1/traces; without texts.
    #[arg(long, value_name = "URL", help_heading = "Telemetry")]
    otlp: Option<String>,
    /// Header of that request; env:VARIABLE for a secret; may be repeated.
    #[arg(long, value_name = "NAME=VALUE|NAME=env:VARIABLE", requires = "otlp", help_heading = "Telemetry")]
    otlp_header: Vec<String>,
    /// Also send questions, reference answers, answers and the reasons of grades.
    #[arg(long, requires = "otlp", help_heading = "Telemetry")]
    otlp_content: bool,
}

impl TelemetryFlags {
    /// Where a trace is sent; `None` for no telemetry.
    pub(crate) fn options(&self) -> Option<TelemetryOptions> {
        self.otlp.clone().map(|url| TelemetryOptions {
            url,
            headers: self.otlp_header.clone(),
            content: self.otlp_content,
        })
    }
}

/// Flags of the telemetry of a command of rollouts.
#[derive(Debug, Clone, Args)]
pub(crate) struct RolloutTelemetryFlags {
    /// After the command, send its result to this receiver of OTLP over HTTP, at URL/v1/traces; nothing with --dry-run.
    #[arg(long, value_name = "URL", help_heading = "Telemetry")]
    otlp: Option<String>,
    /// Header of that request; env:VARIABLE for a secret; may be repeated.
    #[arg(long, value_name = "NAME=VALUE|NAME=env:VARIABLE", requires = "otlp", help_heading = "Telemetry")]
    otlp_header: Vec<String>,
}

impl RolloutTelemetryFlags {
    /// Where results are sent; `None` for no telemetry.
    pub(crate) fn options(&self) -> Option<TelemetryOptions> {
        let headers = self.otlp_header.clone();
        self.otlp.clone().map(|url| TelemetryOptions { url, headers, content: false })
    }
}
