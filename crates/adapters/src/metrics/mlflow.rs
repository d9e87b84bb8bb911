//! Traces and assessments of an MLflow tracking server.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use futures::FutureExt as _;
use promptgate_core::model::{Diagnostic, Place};
use promptgate_core::text::Secret;
use promptgate_release::PortError;
use promptgate_release::ports::{MetricQuery, MetricReadings, MetricSource, PortResult, TaggedVersion};
use promptgate_release::rollout::Sample;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::moments::{Moments, samples};
use super::placeholders::Values;
use super::{LIMITS, ask_all, latency_percentile, readings};
use crate::http::SettingNames;
use crate::rest::{Basic, Effect, Limits, Names, Rest};

const API: [&str; 5] = ["api", "3.0", "mlflow", "traces", "metrics"];
/// Maximum distinct scores of a version; the server has no pages, and cuts longer results.
const MAX_ROWS: usize = 10_000;

const NAMES: Names = Names {
    service: "MLflow",
    http: SettingNames {
        url: "release.sources.NAME.mlflow.tracking_uri",
        ca_cert: None,
        timeout_help: "check release.sources.NAME.mlflow.tracking_uri and the server's load",
        credential: "password",
    },
    credentials: "the variables that user_env and password_env of release.sources.NAME.mlflow name",
    permission: "reading needs a user with access to the experiment",
    example: "https://mlflow.example.org",
};

/// Address, experiment and user of an MLflow server.
#[derive(Debug, Clone)]
pub struct MlflowTracesOptions {
    /// `https://mlflow.example.org`.
    pub tracking_uri: String,
    /// The experiment of the traces.
    pub experiment_id: String,
    /// The tag of a trace that has the version.
    pub version_tag: String,
    /// The value of that tag, with placeholders: `$version`, or `$name@$version` where the experiment has several prompts.
    pub version: String,
    /// User and password, for a server with basic authentication.
    pub credentials: Option<(String, Secret)>,
}

/// Assessments and traces of an MLflow server, by `POST /api/3.0/mlflow/traces/metrics`.
///
/// * A metric is the name of an assessment: its values are counted, so mean and variance are exact. `true` and `yes` are 1,
///   `false` and `no` are 0. `error_rate`, `latency`, `latency_pNN`, `input_tokens`, `output_tokens` and `total_tokens` are
///   those of traces; the server computes no variance, so apart from the error rate they are levels.
/// * The version is a tag of the trace, and no dimension: each version is a query of its own.
/// * Traces are counted, not units.
///
/// Tested against the real server (`tests/real`); the bodies are those of recorded traffic (`tests/fixtures/metrics`).
#[derive(Debug)]
pub struct MlflowTraces {
    rest: Rest,
    options: MlflowTracesOptions,
}

/// The query of a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Metric<'m> {
    ErrorRate,
    /// A figure of traces by an aggregation, divided by a number of units.
    Figure {
        metric: &'static str,
        percentile: Option<u8>,
        unit: f64,
    },
    Assessment(&'m str),
}

impl<'m> Metric<'m> {
    fn of(name: &'m str) -> Self {
        let figure = |metric, percentile, unit| Self::Figure { metric, percentile, unit };
        match name {
            "error_rate" => Self::ErrorRate,
            "latency" => figure("latency", None, 1000.0),
            "input_tokens" => figure("input_tokens", None, 1.0),
            "output_tokens" => figure("output_tokens", None, 1.0),
            "total_tokens" => figure("total_tokens", None, 1.0),
            _ => latency_percentile(name)
                .map_or(Self::Assessment(name), |percentile| figure("latency", Some(percentile), 1000.0)),
        }
    }
}

/// A sample, or scores whose kind depends on those of the other versions.
enum Outcome {
    Sample(Sample),
    Scores(Moments),
}

#[derive(Debug, Deserialize)]
struct Reply {
    #[serde(default)]
    data_points: Vec<DataPoint>,
}

#[derive(Debug, Deserialize)]
struct DataPoint {
    #[serde(default)]
    dimensions: BTreeMap<String, String>,
    /// By aggregation; null where there is nothing to aggregate.
    #[serde(default)]
    values: BTreeMap<String, Option<f64>>,
}

impl DataPoint {
    fn count(&self) -> Result<u64, String> {
        match self.values.get("COUNT").copied().flatten() {
            Some(count) if (0.0..9e15).contains(&count) => Ok(count.round() as u64),
            other => Err(format!("expected a number of traces, found {other:?}")),
        }
    }
}

impl MlflowTraces {
    /// Creates a client; nothing is sent yet.
    ///
    /// # Errors
    /// A [`Diagnostic`] for an address that is not http or https, a tag that cannot be written into a filter, or if a password
    /// would be sent without encryption.
    pub fn new(options: MlflowTracesOptions) -> Result<Self, Diagnostic> {
        Self::with_limits(options, LIMITS)
    }

    fn with_limits(options: MlflowTracesOptions, limits: Limits) -> Result<Self, Diagnostic> {
        if options.version_tag.is_empty() || options.version_tag.contains(['`', '\'', '"']) {
            let message = format!("invalid tag `{}`", options.version_tag);
            let place = Place::file("release.sources.NAME.mlflow.version_tag");
            return Err(Diagnostic::new(message).at(place).help("expected a name like prompt_version"));
        }
        let basic = options.credentials.as_ref().map(|(user, password)| Basic { user, password });
        let rest = Rest::new(&options.tracking_uri, &NAMES, basic.as_ref(), limits)?;
        Ok(Self { rest, options })
    }

    async fn ask(
        &self,
        query: &MetricQuery<'_>,
        version: &str,
        mut body: Value,
        of_assessment: impl IntoIterator<Item = String>,
    ) -> Result<Vec<DataPoint>, PortError> {
        let mut filters = vec![format!("trace.tag.`{}` = '{version}'", self.options.version_tag)];
        filters.extend(of_assessment);
        body["experiment_ids"] = json!([self.options.experiment_id]);
        body["filters"] = json!(filters);
        body["start_time_ms"] = json!(query.window.from.as_millisecond());
        // The server includes the end.
        body["end_time_ms"] = json!(query.window.to.as_millisecond() - 1);
        body["max_results"] = json!(MAX_ROWS);
        let reply: Reply = self.rest.send(Method::POST, &API, &body, Effect::Repeatable).await?;
        Ok(reply.data_points)
    }

    async fn sample(
        &self,
        query: &MetricQuery<'_>,
        name: &str,
        tagged: &TaggedVersion,
    ) -> Result<Result<Outcome, String>, PortError> {
        let values = Values { name: query.name, version: tagged, window: &query.window, metric: name };
        let version = match values.insert(&self.options.version) {
            Ok(version) => version,
            Err(problem) => return Ok(Err(problem)),
        };
        let count = json!({"view_type": "TRACES", "metric_name": "trace_count",
            "aggregations": [{"aggregation_type": "COUNT"}], "dimensions": ["trace_status"]});
        match Metric::of(name) {
            Metric::ErrorRate => {
                let points = self.ask(query, &version, count, None).await?;
                Ok(error_rate(&points).map(Outcome::Sample))
            }
            Metric::Figure { metric, percentile, unit } => {
                let traces = self.ask(query, &version, count, None).await?;
                let aggregation = match percentile {
                    None => json!({"aggregation_type": "AVG"}),
                    Some(percentile) => {
                        json!({"aggregation_type": "PERCENTILE", "percentile_value": percentile})
                    }
                };
                let body =
                    json!({"view_type": "TRACES", "metric_name": metric, "aggregations": [aggregation]});
                let points = self.ask(query, &version, body, None).await?;
                Ok(level(&traces, &points, unit).map(Outcome::Sample))
            }
            Metric::Assessment(name) => {
                if name.contains(['\'', '\\', '"']) {
                    return Ok(Err("the name has quotes, which a filter of MLflow cannot have".to_owned()));
                }
                let body = json!({"view_type": "ASSESSMENTS", "metric_name": "assessment_count",
                    "aggregations": [{"aggregation_type": "COUNT"}],
                    "dimensions": ["assessment_name", "assessment_value"]});
                // An expectation of the same name is what a score should have been.
                let filters =
                    [format!("assessment.name = '{name}'"), "assessment.type = 'feedback'".to_owned()];
                let points = self.ask(query, &version, body, filters).await?;
                Ok(scores(&points).map(Outcome::Scores))
            }
        }
    }

    async fn read_all<'a>(&'a self, query: &'a MetricQuery<'a>) -> Result<MetricReadings, PortError> {
        let outcomes = ask_all(query, |metric, version| self.sample(query, metric, version).boxed()).await?;
        Ok(readings(query, outcomes.into_iter().map(of_one_kind)))
    }
}

/// The samples of a metric: shares for all versions, or means for all.
fn of_one_kind(outcomes: Vec<Result<Outcome, String>>) -> Vec<Result<Sample, String>> {
    let moments: Vec<Moments> = outcomes
        .iter()
        .map(|outcome| match outcome {
            Ok(Outcome::Scores(moments)) => *moments,
            _ => Moments::default(),
        })
        .collect();
    let of_scores = samples(&moments).into_iter();
    outcomes
        .into_iter()
        .zip(of_scores)
        .map(|(outcome, of_scores)| {
            outcome.map(|outcome| match outcome {
                Outcome::Sample(sample) => sample,
                Outcome::Scores(_) => of_scores,
            })
        })
        .collect()
}

/// Finished traces by status; one in progress is neither.
fn traces_by_status(points: &[DataPoint]) -> Result<(u64, u64), String> {
    let (mut errors, mut all) = (0, 0);
    for point in points {
        let count = point.count()?;
        match point.dimensions.get("trace_status").map(String::as_str) {
            Some("ERROR") => {
                errors += count;
                all += count;
            }
            Some("OK") => all += count,
            _ => {}
        }
    }
    Ok((errors, all))
}

fn error_rate(points: &[DataPoint]) -> Result<Sample, String> {
    let (errors, n) = traces_by_status(points)?;
    Ok(Sample::Share { successes: errors, n })
}

fn level(traces: &[DataPoint], points: &[DataPoint], unit: f64) -> Result<Sample, String> {
    let (_, n) = traces_by_status(traces)?;
    let mut values = points.iter().flat_map(|point| point.values.values());
    match (values.next().copied().flatten(), values.next()) {
        (Some(value), None) if value.is_finite() => Ok(Sample::Level { n, value: value / unit }),
        (Some(value), None) => Err(format!("expected a number, found {value}")),
        (None, _) => Err("no trace has this figure".to_owned()),
        (Some(_), Some(_)) => Err("several figures, expected one".to_owned()),
    }
}

fn scores(points: &[DataPoint]) -> Result<Moments, String> {
    if points.len() >= MAX_ROWS {
        return Err(format!("more than {} different scores", MAX_ROWS - 1));
    }
    let mut moments = Moments::default();
    for point in points {
        let text = point.dimensions.get("assessment_value").map_or("", String::as_str);
        if text == "null" {
            continue; // a judge that failed
        }
        let score = score(text).ok_or_else(|| {
            "an assessment has a value that is not a number, true, false, yes or no".to_owned()
        })?;
        moments.add(score, point.count()?);
    }
    Ok(moments)
}

/// The score of a value, which is JSON: a text has quotes.
fn score(value: &str) -> Option<f64> {
    let text = value.trim().trim_matches('"').to_ascii_lowercase();
    match text.as_str() {
        "true" | "yes" => Some(1.0),
        "false" | "no" => Some(0.0),
        number => number.parse().ok().filter(|number: &f64| number.is_finite()),
    }
}

impl MetricSource for MlflowTraces {
    fn location(&self) -> String {
        self.rest.location()
    }

    fn read<'a>(&'a self, query: &'a MetricQuery<'a>) -> PortResult<'a, MetricReadings> {
        self.read_all(query).boxed()
    }
}
