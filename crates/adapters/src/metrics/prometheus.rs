//! Counters and figures of Prometheus, and of servers with its API.

#[cfg(test)]
mod tests;
mod wire;

use futures::FutureExt as _;
use promptgate_core::model::{Diagnostic, Place};
use promptgate_core::text::Secret;
use promptgate_release::PortError;
use promptgate_release::ports::{MetricQuery, MetricReadings, MetricSource, PortResult, TaggedVersion};
use promptgate_release::rollout::Sample;
use reqwest::Method;
use reqwest::header::HeaderName;

use super::placeholders::{Placeholder, Values};
use super::{LIMITS, ask_all, readings};
use crate::http::{Request, SettingNames};
use crate::rest::{Effect, Limits, Names, Rest};
use wire::{Reply, figure};

const API: [&str; 3] = ["api", "v1", "query"];
/// Bytes of a query from which it is sent as the body of a POST: some proxies limit the length of a URL.
const MAX_IN_URL: usize = 2048;
/// The part by which good requests may exceed all requests: both are extrapolated, each for itself.
const MAX_EXCESS: f64 = 0.01;

const NAMES: Names = Names {
    service: "Prometheus",
    http: SettingNames {
        url: "release.sources.NAME.prometheus.url",
        ca_cert: None,
        timeout_help: "check release.sources.NAME.prometheus.url and the server's load, or simplify the query",
        credential: "header",
    },
    credentials: "the variables of release.sources.NAME.prometheus.headers",
    permission: "reading needs a token for queries",
    example: "https://prometheus.example.org",
};

/// Queries whose results make a sample. Each has to return one number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrometheusQueries {
    /// Good requests among all.
    Good {
        /// The number of good requests.
        good: String,
        /// The number of all requests.
        all: String,
    },
    /// Bad requests among all.
    Bad {
        /// The number of bad requests.
        bad: String,
        /// The number of all requests.
        all: String,
    },
    /// A figure without a variance.
    Level {
        /// The figure.
        value: String,
        /// The samples behind it.
        count: String,
    },
    /// A mean.
    Mean {
        /// The mean.
        mean: String,
        /// The sample variance.
        variance: String,
        /// The number of samples.
        count: String,
    },
}

impl PrometheusQueries {
    /// The queries.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        let (first, second, third) = match self {
            Self::Good { good: first, all: second }
            | Self::Bad { bad: first, all: second }
            | Self::Level { value: first, count: second } => (first, second, None),
            Self::Mean { mean, variance, count } => (mean, variance, Some(count)),
        };
        [Some(first), Some(second), third].into_iter().flatten().map(String::as_str)
    }
}

/// Address, headers and queries of a Prometheus server.
#[derive(Debug, Clone)]
pub struct PrometheusOptions {
    /// `https://prometheus.example.org`, and the path before `/api/v1` where there is one.
    pub url: String,
    /// Headers of every request, such as `Authorization: Bearer …`.
    pub headers: Vec<(String, Secret)>,
    /// The queries.
    pub queries: PrometheusQueries,
}

/// A Prometheus server: instant queries at the end of the window.
///
/// * The results of `increase()` are extrapolated to the window, so they are fractions: numbers of samples are rounded.
/// * No series is not zero: the metric may have another name, or the scrape may have failed. Where it means zero, the query
///   has to say so: `… or vector(0)`.
/// * Requests are counted, not units: a counter does not know whose they are.
///
/// Tested against the real server (`tests/real`). Source: `https://prometheus.io/docs/prometheus/latest/querying/api/`.
#[derive(Debug)]
pub struct Prometheus {
    rest: Rest,
    queries: PrometheusQueries,
}

/// The result of a query: a number, or why there is none.
type Figure = Result<f64, String>;

impl Prometheus {
    /// Creates a client; nothing is sent yet.
    ///
    /// # Errors
    /// A [`Diagnostic`] for an address that is not http or https, an invalid header, or if a header would be sent without
    /// encryption.
    pub fn new(options: PrometheusOptions) -> Result<Self, Diagnostic> {
        Self::with_limits(options, LIMITS)
    }

    fn with_limits(options: PrometheusOptions, limits: Limits) -> Result<Self, Diagnostic> {
        let PrometheusOptions { url, headers, queries } = options;
        let headers = headers.into_iter().map(|(name, value)| {
            let invalid = || {
                Diagnostic::new(format!("invalid header name `{name}`"))
                    .at(Place::file("release.sources.NAME.prometheus.headers"))
            };
            Ok((HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid())?, value))
        });
        let headers = headers.collect::<Result<Vec<_>, Diagnostic>>()?;
        Ok(Self { rest: Rest::with_headers(&url, &NAMES, &headers, &[], limits)?, queries })
    }

    async fn query(&self, query: &str, time: i64) -> Result<Reply, PortError> {
        let (url, time) = (self.rest.url(&API), time.to_string());
        let request = if query.len() <= MAX_IN_URL {
            Request::new(Method::GET, url).query("query", query).query("time", &time)
        } else {
            Request::new(Method::POST, url).form(&[("query", query), ("time", &time)]).repeatable()
        };
        Ok(self.rest.call(&request, Effect::Repeatable).await?)
    }

    /// The sample of a metric and a version.
    async fn sample(
        &self,
        query: &MetricQuery<'_>,
        metric: &str,
        version: &TaggedVersion,
    ) -> Result<Result<Sample, String>, PortError> {
        let values = Values { name: query.name, version, window: &query.window, metric };
        let mut figures = Vec::new();
        for text in self.queries.all() {
            let written = match values.insert(text) {
                Ok(written) => written,
                Err(problem) => return Ok(Err(problem)),
            };
            let reply = self.query(&written, query.window.to.as_second()).await?;
            figures.push(figure(reply, self.rest.redactor()));
        }
        Ok(self.of_figures(metric, &figures))
    }

    fn of_figures(&self, metric: &str, figures: &[Figure]) -> Result<Sample, String> {
        let names: &[&str] = match &self.queries {
            PrometheusQueries::Good { .. } => &["good", "all"],
            PrometheusQueries::Bad { .. } => &["bad", "all"],
            PrometheusQueries::Level { .. } => &["value", "count"],
            PrometheusQueries::Mean { .. } => &["mean", "variance", "count"],
        };
        let mut numbers = Vec::new();
        for (name, figure) in names.iter().zip(figures) {
            numbers.push(figure.clone().map_err(|problem| format!("`{name}`: {problem}"))?);
        }
        match (&self.queries, numbers.as_slice()) {
            (PrometheusQueries::Good { .. }, &[good, all]) => share(good, all, metric == "error_rate"),
            (PrometheusQueries::Bad { .. }, &[bad, all]) => share(bad, all, false),
            (PrometheusQueries::Level { .. }, &[value, count]) => {
                Ok(Sample::Level { n: rounded("count", count)?, value })
            }
            (PrometheusQueries::Mean { .. }, &[mean, variance, count]) => {
                Ok(Sample::Mean { n: rounded("count", count)?, mean, variance })
            }
            _ => Err("a query was not answered".to_owned()),
        }
    }

    async fn read_all<'a>(&'a self, query: &'a MetricQuery<'a>) -> Result<MetricReadings, PortError> {
        if query.metrics.len() > 1 && !self.queries.all().all(|text| Placeholder::Metric.is_in(text)) {
            return Err(PortError::Invalid(format!(
                "{} metrics have this source, but its queries return one: give each metric a source, or write $metric into \
                 every query",
                query.metrics.len()
            )));
        }
        let samples = ask_all(query, |metric, version| self.sample(query, metric, version).boxed()).await?;
        Ok(readings(query, samples))
    }
}

/// The share of some requests, or of the others.
fn share(part: f64, all: f64, is_inverse: bool) -> Result<Sample, String> {
    if part > all * (1.0 + MAX_EXCESS) + 1.0 {
        return Err(format!(
            "a part of {part} among {all} requests: do both queries select the same requests?"
        ));
    }
    let n = rounded("all", all)?;
    let part = rounded("part", part)?.min(n);
    Ok(Sample::Share { successes: if is_inverse { n - part } else { part }, n })
}

fn rounded(name: &str, count: f64) -> Result<u64, String> {
    /// Above this a double has no fractions, and no counter of requests is this high.
    const MAX: f64 = 9e15;
    if (0.0..MAX).contains(&count) {
        // In range, and without a sign.
        Ok(count.round() as u64)
    } else {
        Err(format!("`{name}`: expected a number of requests, found {count}"))
    }
}

impl MetricSource for Prometheus {
    fn location(&self) -> String {
        self.rest.location()
    }

    fn read<'a>(&'a self, query: &'a MetricQuery<'a>) -> PortResult<'a, MetricReadings> {
        self.read_all(query).boxed()
    }
}
