//! Sources of metrics: the adapters of the port [`MetricSource`](promptgate_release::ports::MetricSource).
//!
//! [`OtlpFile`] reads traces unit by unit; [`Prometheus`], [`MlflowTraces`] and [`LangfuseMetrics`] ask a server for
//! figures, and [`JsonFile`] reads figures that another program wrote. A figure that is missing or not a number is
//! reported with its reason, never replaced by zero: a rollout holds where it has no evidence.

mod json_file;
mod langfuse;
mod mlflow;
mod moments;
mod otlp_file;
mod placeholders;
mod prometheus;
mod tracked;

pub use json_file::{JsonFile, metrics_file_schema};
pub use langfuse::{LangfuseMetrics, LangfuseMetricsOptions};
pub use mlflow::{MlflowTraces, MlflowTracesOptions};
pub use otlp_file::OtlpFile;
pub use placeholders::{Placeholder, unknown_placeholder};
pub use prometheus::{Prometheus, PrometheusOptions, PrometheusQueries};

use std::time::Duration;

use futures::future::BoxFuture;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use promptgate_release::PortError;
use promptgate_release::ports::{MetricQuery, MetricReadings, PortResult, TaggedVersion};
use promptgate_release::rollout::Sample;

use crate::rest::Limits;

/// Times of a client of a source: a query over days of data takes a server longer than a read of a registry.
const LIMITS: Limits = Limits { timeout: Duration::from_secs(60), ..Limits::DEFAULT };
/// Queries to one server at a time.
const MAX_CONCURRENT_QUERIES: usize = 4;

/// Runs blocking work outside the threads that poll futures.
fn blocking<'a, T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PortError> + Send + 'static,
) -> PortResult<'a, T> {
    Box::pin(async move {
        tokio::task::spawn_blocking(work).await.map_err(|error| {
            PortError::Unavailable(format!("the source could not be read: internal error: {error}"))
        })?
    })
}

/// A figure of one version, or why there is none; an error if nothing could be read.
type Asked<'a, T> = BoxFuture<'a, Result<Result<T, String>, PortError>>;

/// Asks a server for each metric and version of a query, some at a time, and returns the figures of each metric by version.
async fn ask_all<'a, T: Send>(
    query: &'a MetricQuery<'a>,
    mut ask: impl FnMut(&'a str, &'a TaggedVersion) -> Asked<'a, T>,
) -> Result<Vec<Vec<Result<T, String>>>, PortError> {
    let mut asked = Vec::new();
    for metric in query.metrics {
        for version in query.versions {
            asked.push(ask(metric, version));
        }
    }
    let answers: Vec<_> = stream::iter(asked).buffered(MAX_CONCURRENT_QUERIES).try_collect().await?;
    let mut answers = answers.into_iter();
    Ok(query.metrics.iter().map(|_| answers.by_ref().take(query.versions.len()).collect()).collect())
}

/// The samples of each metric by version, with their numbers as notes.
fn readings(
    query: &MetricQuery<'_>,
    samples: impl IntoIterator<Item = Vec<Result<Sample, String>>>,
) -> MetricReadings {
    let mut readings = MetricReadings::default();
    for (metric, samples) in query.metrics.iter().zip(samples) {
        let counts = samples.iter().map(|sample| sample.as_ref().map_or(0, Sample::n));
        readings.notes.push(format!("{metric}: {}", by_version("samples", counts, query.versions)));
        readings.samples.insert(metric.clone(), samples);
    }
    readings
}

/// The percentile in the name of a metric such as `latency_p95`, from 1 to 99.
fn latency_percentile(metric: &str) -> Option<u8> {
    let digits = metric.strip_prefix("latency_p")?;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|percentile| is_number && (1..=99).contains(percentile))
}

/// Counts by version for a note: `600 requests of 2.3.1, 31 of 2.4.0`.
fn by_version(noun: &str, counts: impl IntoIterator<Item = u64>, versions: &[TaggedVersion]) -> String {
    let mut text = String::new();
    for (index, (count, tagged)) in counts.into_iter().zip(versions).enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        let noun = if index == 0 { format!(" {noun}") } else { String::new() };
        text.push_str(&format!("{separator}{count}{noun} of {}", tagged.version));
    }
    text
}
