//! Metrics API v2 of Langfuse.

#[cfg(test)]
mod tests;

use futures::FutureExt as _;
use promptgate_core::model::Diagnostic;
use promptgate_core::text::Secret;
use promptgate_release::PortError;
use promptgate_release::ports::{MetricQuery, MetricReadings, MetricSource, PortResult, TaggedVersion};
use promptgate_release::rollout::Sample;
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::moments::{Moments, samples};
use super::{LIMITS, latency_percentile, readings};
use crate::http::SettingNames;
use crate::rest::{Basic, Limits, Names, Rest};

const API: [&str; 4] = ["api", "public", "v2", "metrics"];
/// Rows of a reply, the most that the server allows.
const MAX_ROWS: usize = 1000;
const MILLISECONDS: f64 = 1000.0;

const NAMES: Names = Names {
    service: "Langfuse 4 or Langfuse Cloud",
    http: SettingNames {
        url: "release.sources.NAME.langfuse.base_url",
        ca_cert: None,
        timeout_help: "check release.sources.NAME.langfuse.base_url and the server's load",
        credential: "key",
    },
    credentials: "the variables that public_key_env and secret_key_env of release.sources.NAME.langfuse name",
    permission: "reading needs an API key of the project",
    example: "https://cloud.langfuse.com",
};

/// Address and keys of a Langfuse project.
#[derive(Debug, Clone)]
pub struct LangfuseMetricsOptions {
    /// `https://cloud.langfuse.com`.
    pub base_url: String,
    /// The public key.
    pub public_key: Secret,
    /// The secret key.
    pub secret_key: Secret,
    /// The name of the prompt there, if it differs.
    pub name: Option<String>,
    /// The environment of the traces; all of them without one.
    pub environment: Option<String>,
}

/// Scores and observations of a Langfuse project, by `GET /api/public/v2/metrics`.
///
/// * Versions are those of Langfuse, so the prompt has to be published there (`release.registry`), and its generations
///   linked to it.
/// * A metric is the name of a score that belongs to a generation; one that belongs to a trace has no version. Scores are
///   counted by their values, so mean and variance are exact. `error_rate`, `latency`, `latency_pNN`, `cost_usd`,
///   `input_tokens` and `output_tokens` are those of generations; apart from the error rate they have no variance.
/// * The API has no units.
///
/// Written from its contract and never run against a server, which cannot be installed for a test: the OpenAPI document
/// at `https://api.reference.langfuse.com` and the documentation of the SDKs 5.
#[derive(Debug)]
pub struct LangfuseMetrics {
    rest: Rest,
    name: Option<String>,
    environment: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Reply {
    data: Vec<Map<String, Value>>,
}

/// The query of a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Metric<'m> {
    ErrorRate,
    /// A measure by an aggregation, divided by a number of units.
    Figure {
        measure: &'static str,
        aggregation: &'static str,
        unit: f64,
    },
    Score(&'m str),
}

impl<'m> Metric<'m> {
    fn of(name: &'m str) -> Result<Self, String> {
        let figure = |measure, aggregation, unit| Ok(Self::Figure { measure, aggregation, unit });
        match name {
            "error_rate" => Ok(Self::ErrorRate),
            "latency" => figure("latency", "avg", MILLISECONDS),
            "latency_p50" => figure("latency", "p50", MILLISECONDS),
            "latency_p75" => figure("latency", "p75", MILLISECONDS),
            "latency_p90" => figure("latency", "p90", MILLISECONDS),
            "latency_p95" => figure("latency", "p95", MILLISECONDS),
            "latency_p99" => figure("latency", "p99", MILLISECONDS),
            "cost_usd" => figure("totalCost", "avg", 1.0),
            "input_tokens" => figure("inputTokens", "avg", 1.0),
            "output_tokens" => figure("outputTokens", "avg", 1.0),
            _ if latency_percentile(name).is_some() => {
                Err("Langfuse has the percentiles 50, 75, 90, 95 and 99".to_owned())
            }
            _ => Ok(Self::Score(name)),
        }
    }
}

/// The samples of one metric, by version.
type Samples = Vec<Result<Sample, String>>;

impl LangfuseMetrics {
    /// Creates a client; nothing is sent yet.
    ///
    /// # Errors
    /// A [`Diagnostic`] for an address that is not http or https, or if keys would be sent without encryption.
    pub fn new(options: LangfuseMetricsOptions) -> Result<Self, Diagnostic> {
        Self::with_limits(options, LIMITS)
    }

    fn with_limits(options: LangfuseMetricsOptions, limits: Limits) -> Result<Self, Diagnostic> {
        let LangfuseMetricsOptions { base_url, public_key, secret_key, name, environment } = options;
        let basic = Basic { user: public_key.expose(), password: &secret_key };
        Ok(Self { rest: Rest::new(&base_url, &NAMES, Some(&basic), limits)?, name, environment })
    }

    /// Asks for rows of a view by some dimensions.
    async fn rows(
        &self,
        query: &MetricQuery<'_>,
        view: &str,
        dimensions: &[&str],
        metrics: &[(&str, &str)],
        filters: &[(&str, &str)],
    ) -> Result<Vec<Map<String, Value>>, PortError> {
        let equal = |(column, value): (&str, &str)| json!({"column": column, "operator": "=", "type": "string", "value": value});
        let environment = self.environment.as_deref().map(|name| ("environment", name));
        let body = json!({
            "view": view,
            "dimensions": dimensions.iter().map(|field| json!({"field": field})).collect::<Vec<_>>(),
            "metrics": metrics.iter()
                .map(|(measure, aggregation)| json!({"measure": measure, "aggregation": aggregation}))
                .collect::<Vec<_>>(),
            "filters": filters.iter().copied().chain(environment).map(equal).collect::<Vec<_>>(),
            "fromTimestamp": query.window.from.to_string(),
            "toTimestamp": query.window.to.to_string(),
            "config": {"row_limit": MAX_ROWS},
        });
        match self.rest.get::<Reply>(&API, &[("query", &body.to_string())]).await {
            Ok(reply) => Ok(reply.data),
            // Servers without this view have boolean scores among the numeric ones.
            Err(failure) if failure.status == Some(StatusCode::BAD_REQUEST) && view == "scores-boolean" => {
                Ok(Vec::new())
            }
            Err(failure) => Err(failure.into()),
        }
    }

    async fn scores(&self, query: &MetricQuery<'_>, prompt: &str, score: &str) -> Result<Samples, PortError> {
        let filters = [("name", score), ("observationPromptName", prompt)];
        let count = [("count", "count")];
        let mut field = "value";
        let dimensions = ["observationPromptVersion", field];
        let mut rows = self.rows(query, "scores-numeric", &dimensions, &count, &filters).await?;
        if rows.is_empty() {
            field = "booleanValue";
            let dimensions = ["observationPromptVersion", field];
            rows = self.rows(query, "scores-boolean", &dimensions, &count, &filters).await?;
        }
        Ok(of_scores(&rows, field, query.versions))
    }

    async fn observations(
        &self,
        query: &MetricQuery<'_>,
        prompt: &str,
        metric: Metric<'_>,
    ) -> Result<Samples, PortError> {
        let filters = [("promptName", prompt)];
        let (dimensions, metrics) = match metric {
            Metric::Figure { measure, aggregation, .. } => {
                (vec!["promptVersion"], vec![("count", "count"), (measure, aggregation)])
            }
            _ => (vec!["promptVersion", "level"], vec![("count", "count")]),
        };
        let rows = self.rows(query, "observations", &dimensions, &metrics, &filters).await?;
        Ok(query.versions.iter().map(|version| of_observations(&rows, metric, version)).collect())
    }

    async fn read_all(&self, query: &MetricQuery<'_>) -> Result<MetricReadings, PortError> {
        let prompt = self.name.clone().unwrap_or_else(|| query.name.to_string());
        // One after the other: the API's rate limits are low.
        let mut samples = Vec::new();
        for name in query.metrics {
            samples.push(match Metric::of(name) {
                Ok(Metric::Score(score)) => self.scores(query, &prompt, score).await?,
                Ok(metric) => self.observations(query, &prompt, metric).await?,
                Err(problem) => vec![Err(problem); query.versions.len()],
            });
        }
        Ok(readings(query, samples))
    }
}

/// The rows of a version.
fn of_version<'r>(
    rows: &'r [Map<String, Value>],
    field: &str,
    tagged: &TaggedVersion,
) -> Result<Vec<&'r Map<String, Value>>, String> {
    if rows.len() >= MAX_ROWS {
        return Err(format!("more than {} rows: too many different scores to count them", MAX_ROWS - 1));
    }
    let id = tagged.registry_id.as_deref().ok_or_else(|| {
        format!("version {} is not published in Langfuse, whose versions this source reads", tagged.version)
    })?;
    Ok(rows.iter().filter(|row| row.get(field).and_then(text).as_deref() == Some(id)).collect())
}

fn of_scores(rows: &[Map<String, Value>], field: &str, versions: &[TaggedVersion]) -> Samples {
    let moments: Vec<Result<Moments, String>> = versions
        .iter()
        .map(|tagged| {
            let mut moments = Moments::default();
            for row in of_version(rows, "observationPromptVersion", tagged)? {
                let value = row.get(field).and_then(number);
                let value = value.ok_or_else(|| "a score that is not a number".to_owned())?;
                moments.add(value, count(row)?);
            }
            Ok(moments)
        })
        .collect();
    let known: Vec<Moments> =
        moments.iter().map(|moments| moments.as_ref().copied().unwrap_or_default()).collect();
    moments.into_iter().zip(samples(&known)).map(|(moments, sample)| moments.map(|_| sample)).collect()
}

fn of_observations(
    rows: &[Map<String, Value>],
    metric: Metric<'_>,
    tagged: &TaggedVersion,
) -> Result<Sample, String> {
    let rows = of_version(rows, "promptVersion", tagged)?;
    let Metric::Figure { measure, aggregation, unit } = metric else {
        let (mut successes, mut n) = (0, 0);
        for row in rows {
            let count = count(row)?;
            n += count;
            if row.get("level").and_then(Value::as_str) == Some("ERROR") {
                successes += count;
            }
        }
        return Ok(Sample::Share { successes, n });
    };
    let Some(row) = rows.first() else { return Ok(Sample::Level { n: 0, value: 0.0 }) };
    let key = format!("{aggregation}_{measure}");
    let value = row.get(&key).and_then(number).ok_or_else(|| format!("no number for {key}"))?;
    Ok(Sample::Level { n: count(row)?, value: value / unit })
}

/// A count, which the database returns as text where it may exceed a double.
fn count(row: &Map<String, Value>) -> Result<u64, String> {
    match row.get("count_count").and_then(number) {
        Some(count) if (0.0..9e15).contains(&count) => Ok(count.round() as u64),
        _ => Err("a row without a count".to_owned()),
    }
}

/// A finite number, or a boolean as 0 or 1.
fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::Bool(value) => f64::from(u8::from(*value)),
        Value::String(text) if text == "true" => 1.0,
        Value::String(text) if text == "false" => 0.0,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

impl MetricSource for LangfuseMetrics {
    fn location(&self) -> String {
        self.rest.location()
    }

    fn read<'a>(&'a self, query: &'a MetricQuery<'a>) -> PortResult<'a, MetricReadings> {
        self.read_all(query).boxed()
    }
}
