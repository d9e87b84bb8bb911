//! Telemetry of a run: one trace over OTLP, sent after the report is written.
//!
//! Address and headers are checked before the run costs anything. A failure to send is a warning: it changes neither the
//! report nor the exit code.

mod headers;
#[cfg(test)]
mod tests;
mod trace;

use std::time::Duration;

use super::report_files::Reported;
use super::{Environment, Failure};
use headers::Headers;
use promptgate_adapters::otlp::{OtlpExporter, OtlpOptions, TraceId};
use trace::RunTrace;

/// Maximum time for all requests of a trace: a slow receiver must not hold up a job.
const MAX_TIME: Duration = Duration::from_secs(120);

/// Where a trace is sent, and what it holds.
#[derive(Debug, Clone)]
pub(crate) struct TelemetryOptions {
    /// The base URL of the receiver, without `/v1/traces`.
    pub(crate) url: String,
    /// Headers, as `NAME=VALUE` or `NAME=env:VARIABLE`.
    pub(crate) headers: Vec<String>,
    /// Whether questions, answers and reasons are sent as well.
    pub(crate) content: bool,
}

/// A receiver that is ready to be sent a trace.
pub(crate) struct Telemetry {
    exporter: OtlpExporter,
    content: bool,
    /// The variables that hold values of headers.
    pub(crate) variables: Vec<String>,
}

impl Telemetry {
    /// Checks the options; nothing is sent yet.
    ///
    /// # Errors
    /// An invalid address or header, or a variable that is not set.
    pub(crate) fn new(options: &TelemetryOptions, environment: &Environment) -> Result<Self, Failure> {
        let Headers { secret, plain, variables } = headers::parse(&options.headers, environment)?;
        let exporter = OtlpExporter::new(OtlpOptions {
            url: options.url.clone(),
            secret_headers: secret,
            headers: plain,
        })?;
        Ok(Self { exporter, content: options.content, variables })
    }

    /// The address that is posted to.
    pub(crate) fn url(&self) -> String {
        self.exporter.url().to_string()
    }

    /// Sends the trace of a reported run; returns one line for people.
    ///
    /// # Errors
    /// Why the trace was not sent, or not all of it, with the address.
    pub(crate) async fn send(&self, reported: &Reported) -> Result<String, String> {
        let (id, url) = (TraceId::random(), self.url());
        let trace = RunTrace::new(&reported.report, &reported.redactor, self.content);
        let exported = tokio::time::timeout(MAX_TIME, self.exporter.export(id, trace.spans())).await;
        let failed = |reason: String| Err(format!("the telemetry was not sent to {url}: {reason}"));
        match exported {
            Err(_) => failed(format!("not all of it was accepted within {} s", MAX_TIME.as_secs())),
            Ok(Err(error)) => failed(error.to_string()),
            Ok(Ok(exported)) if exported.rejected > 0 => Err(format!(
                "{url} refused {} of {} spans: {}",
                exported.rejected, exported.sent, exported.message
            )),
            Ok(Ok(exported)) if !exported.message.is_empty() => {
                Err(format!("{url} took {} spans with a warning: {}", exported.sent, exported.message))
            }
            Ok(Ok(exported)) => Ok(format!("sent {} spans to {url}, trace {id}", exported.sent)),
        }
    }
}
