//! Telemetry over OTLP: one trace of a run, sent after its report is written, or one span of each result of a command of
//! rollouts.
//!
//! Address and headers are checked before anything is done. A failure to send is a warning: it changes neither the report
//! nor the exit code.

mod headers;
mod redaction;
mod rollout;
#[cfg(test)]
mod tests;
mod trace;

use std::time::Duration;

use super::release::RolledBack;
use super::report_files::Reported;
use super::{Environment, Failure};
use headers::Headers;
use jiff::Timestamp;
use promptgate_adapters::otlp::names::Scope;
use promptgate_adapters::otlp::{OtlpExporter, OtlpOptions, Span, TraceId};
use promptgate_core::model::{Diagnostic, Place};
use promptgate_core::text::{Redactor, Secret, counted};
use promptgate_report::release::rollout::Rollout;
use redaction::redacted;
pub(crate) use rollout::RolloutCall;
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

impl TelemetryOptions {
    /// The first variable of a header that is not set; `None` if all are.
    pub(crate) fn unset_variable(&self, environment: &Environment) -> Option<&str> {
        headers::variables(&self.headers).find(|variable| environment.variable(variable).is_none())
    }
}

/// The error of a shard with telemetry: it has no verdict, and its trials are those of a whole run only with the others.
pub(crate) fn no_trace_of_shard() -> Diagnostic {
    Diagnostic::new("a shard has no telemetry: the trace is that of a whole run")
        .at(Place::file("--otlp"))
        .help("give it to the job that joins the shards: `promptgate ci --merge DIR --otlp URL`")
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
        let id = TraceId::random();
        let trace = RunTrace::new(id, &reported.report, &reported.redactor, self.content);
        let sent = self.deliver(Scope::Run, trace.spans()).await?;
        Ok(format!("{sent}, trace {id}"))
    }

    /// Sends a span for each result of a command of rollouts, without the secrets of the environment; returns one line for
    /// people.
    ///
    /// # Errors
    /// Why the spans were not sent, or not all of them, with the address.
    pub(crate) async fn send_rollouts(
        &self,
        rollouts: &[&Rollout],
        call: RolloutCall,
        environment: &Environment,
    ) -> Result<String, String> {
        let spans = rollouts.iter().map(|rollout| rollout::span(rollout, call)).collect();
        self.send_commands(spans, environment).await
    }

    /// Sends the span of a rollback, as [`Self::send_rollouts`] does.
    ///
    /// # Errors
    /// Why it was not sent, with the address.
    pub(crate) async fn send_rollback(
        &self,
        rolled_back: &RolledBack,
        call: RolloutCall,
        environment: &Environment,
    ) -> Result<String, String> {
        self.send_commands(vec![rollout::rollback_span(rolled_back, call)], environment).await
    }

    async fn send_commands(&self, spans: Vec<Span>, environment: &Environment) -> Result<String, String> {
        let of_headers = self.variables.iter().filter_map(|name| environment.variable(name));
        let secrets = environment.secrets().chain(of_headers.map(Secret::new));
        let redactor = Redactor::new(&secrets.collect::<Vec<_>>());
        let spans: Vec<Span> = spans.into_iter().map(|span| redacted(span, &redactor)).collect();
        let trace = match spans.as_slice() {
            [span] => format!(", trace {}", span.trace),
            _ => String::new(),
        };
        let sent = self.deliver(Scope::Rollout, spans.into_iter()).await?;
        Ok(format!("{sent}{trace}"))
    }

    async fn deliver(&self, scope: Scope, spans: impl Iterator<Item = Span>) -> Result<String, String> {
        let url = self.url();
        let exported = tokio::time::timeout(MAX_TIME, self.exporter.export(scope, spans)).await;
        let failed = |reason: String| Err(format!("the telemetry was not sent to {url}: {reason}"));
        match exported {
            Err(_) => failed(format!("not all of it was accepted within {} s", MAX_TIME.as_secs())),
            Ok(Err(error)) => failed(error.to_string()),
            Ok(Ok(exported)) if exported.rejected > 0 => Err(format!(
                "{url} refused {} of {}: {}",
                exported.rejected,
                counted(exported.sent, "span"),
                exported.message
            )),
            Ok(Ok(exported)) if !exported.message.is_empty() => Err(format!(
                "{url} took {} with a warning: {}",
                counted(exported.sent, "span"),
                exported.message
            )),
            Ok(Ok(exported)) => Ok(format!("sent {} to {url}", counted(exported.sent, "span"))),
        }
    }
}

/// Nanoseconds since 1970; 0 before.
fn nanoseconds(time: Timestamp) -> u64 {
    u64::try_from(time.as_nanosecond()).unwrap_or_default()
}
