//! `release.sources`: where the metrics of versions in production are read.

mod settings;

pub use settings::{HeaderSetting, SourceSettings, SourcesSettings};

use schemars::JsonSchema;
use serde::Deserialize;

use promptgate_adapters::metrics::{Placeholder, PrometheusQueries, unknown_placeholder};
use promptgate_core::document::pointer;

use super::credentials;
use crate::config::endpoint::{HeaderValue, WrittenHeader, base_url, headers};
use crate::config::load::Reader;
use crate::config::scalar::Ordered;

const DEFAULT_VERSION_TAG: &str = "prompt_version";
const DEFAULT_VERSION: &str = "$version";

/// A source.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Source", extend("minProperties" = 1, "maxProperties" = 1))]
pub(super) struct WrittenSource {
    /// A Prometheus server, or one with its API.
    prometheus: Option<WrittenPrometheus>,
    /// Files of OTLP in JSON, as a path or a pattern relative to this file: telemetry/*.jsonl.
    #[schemars(length(min = 1))]
    otlp_file: Option<String>,
    /// Traces of an MLflow server.
    mlflow: Option<WrittenMlflow>,
    /// Metrics of a Langfuse project.
    langfuse: Option<WrittenLangfuse>,
    /// A file of the format promptgate.metrics/v1, relative to this file.
    #[schemars(length(min = 1))]
    json: Option<String>,
}

/// A Prometheus server. Its queries are good and all, bad and all, value and count, or mean, variance and count.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Prometheus", extend("required" = ["url"]))]
struct WrittenPrometheus {
    /// Address: https://prometheus.example.org.
    #[schemars(length(min = 1))]
    url: Option<String>,
    /// Headers of every request: name, then env or value.
    headers: Ordered<WrittenHeader>,
    /// Query of the number of good requests; $version, $registry_version, $window, $name and $metric are inserted.
    #[schemars(length(min = 1))]
    good: Option<String>,
    /// Query of the number of bad requests.
    #[schemars(length(min = 1))]
    bad: Option<String>,
    /// Query of the number of all requests.
    #[schemars(length(min = 1))]
    all: Option<String>,
    /// Query of a figure without a variance, such as a percentile.
    #[schemars(length(min = 1))]
    value: Option<String>,
    /// Query of a mean.
    #[schemars(length(min = 1))]
    mean: Option<String>,
    /// Query of the sample variance of the mean's samples.
    #[schemars(length(min = 1))]
    variance: Option<String>,
    /// Query of the number of samples behind a value or a mean.
    #[schemars(length(min = 1))]
    count: Option<String>,
}

/// Traces of an MLflow server.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "MlflowTraces", extend("required" = ["tracking_uri", "experiment_id"]))]
struct WrittenMlflow {
    /// Address of the tracking server.
    #[schemars(length(min = 1))]
    tracking_uri: Option<String>,
    /// The experiment of the traces.
    experiment_id: Option<WrittenId>,
    /// The tag of a trace that has the version; prompt_version by default.
    #[schemars(length(min = 1))]
    version_tag: Option<String>,
    /// The value of that tag; $version by default, or $registry_version, or $name@$version.
    #[schemars(length(min = 1))]
    version: Option<String>,
    /// Environment variable with the user name of Basic authentication.
    #[schemars(length(min = 1))]
    user_env: Option<String>,
    /// Environment variable with the password of Basic authentication.
    #[schemars(length(min = 1))]
    password_env: Option<String>,
}

/// An identifier, which YAML may read as a number.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
enum WrittenId {
    /// As text.
    Text(#[schemars(length(min = 1))] String),
    /// As number.
    Number(u64),
}

/// Metrics of a Langfuse project.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "LangfuseMetrics", extend("required" = ["base_url"]))]
struct WrittenLangfuse {
    /// Address: https://cloud.langfuse.com.
    #[schemars(length(min = 1))]
    base_url: Option<String>,
    /// Environment variable with the public key; LANGFUSE_PUBLIC_KEY by default.
    #[schemars(length(min = 1))]
    public_key_env: Option<String>,
    /// Environment variable with the secret key; LANGFUSE_SECRET_KEY by default.
    #[schemars(length(min = 1))]
    secret_key_env: Option<String>,
    /// Name of the prompt there; that of the release by default.
    #[schemars(length(min = 1))]
    name: Option<String>,
    /// The environment of the traces; all by default.
    #[schemars(length(min = 1))]
    environment: Option<String>,
}

/// Resolves the sources by their names.
pub(super) fn resolve(reader: &mut Reader<'_>, written: Ordered<WrittenSource>) -> SourcesSettings {
    let mut sources = SourcesSettings::default();
    for (name, source) in written.0 {
        let at = pointer("/release/sources", &name);
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_name) {
            let message = format!("invalid name `{name}` of a source");
            reader.report_key(&at, message, "expected letters, digits, `_` and `-`, like `requests`");
            continue;
        }
        if let Some(settings) = source.resolve(reader, &at) {
            sources.insert(name, settings);
        }
    }
    sources
}

impl WrittenSource {
    fn resolve(self, reader: &mut Reader<'_>, at: &str) -> Option<SourceSettings> {
        let Self { prometheus, otlp_file, mlflow, langfuse, json } = self;
        // The schema has reported several and none.
        match (prometheus, otlp_file, mlflow, langfuse, json) {
            (Some(prometheus), None, None, None, None) => {
                prometheus.resolve(reader, &format!("{at}/prometheus"))
            }
            (None, Some(pattern), None, None, None) => otlp_file_pattern(reader, at, pattern),
            (None, None, Some(mlflow), None, None) => mlflow.resolve(reader, &format!("{at}/mlflow")),
            (None, None, None, Some(langfuse), None) => langfuse.resolve(reader, &format!("{at}/langfuse")),
            (None, None, None, None, Some(file)) => Some(SourceSettings::Json(file)),
            _ => None,
        }
    }
}

fn otlp_file_pattern(reader: &mut Reader<'_>, at: &str, pattern: String) -> Option<SourceSettings> {
    match glob::Pattern::new(&pattern) {
        Ok(_) => Some(SourceSettings::OtlpFile(pattern)),
        Err(error) => {
            let message = format!("invalid glob pattern `{pattern}`: {}", error.msg);
            reader.report(&format!("{at}/otlp_file"), message, "write it like `telemetry/*.jsonl`");
            None
        }
    }
}

impl WrittenPrometheus {
    fn resolve(self, reader: &mut Reader<'_>, at: &str) -> Option<SourceSettings> {
        // The schema requires it.
        let url = base_url(reader, &format!("{at}/url"), self.url?);
        let headers = headers(reader, &format!("{at}/headers"), self.headers);
        let headers = headers
            .into_iter()
            .map(|(name, value)| match value {
                HeaderValue::Env(variable) => (name, HeaderSetting::Env(variable.value)),
                HeaderValue::Literal(value) => (name, HeaderSetting::Value(value)),
            })
            .collect();
        let written = [
            ("good", &self.good),
            ("bad", &self.bad),
            ("all", &self.all),
            ("value", &self.value),
            ("mean", &self.mean),
            ("variance", &self.variance),
            ("count", &self.count),
        ];
        let mut is_valid = true;
        for (key, query) in written {
            if let Some(query) = query {
                is_valid &= check_query(reader, &format!("{at}/{key}"), query);
            }
        }
        let Self { good, bad, all, value, mean, variance, count, .. } = self;
        let queries = match (good, bad, all, value, mean, variance, count) {
            (Some(good), None, Some(all), None, None, None, None) => PrometheusQueries::Good { good, all },
            (None, Some(bad), Some(all), None, None, None, None) => PrometheusQueries::Bad { bad, all },
            (None, None, None, Some(value), None, None, Some(count)) => {
                PrometheusQueries::Level { value, count }
            }
            (None, None, None, None, Some(mean), Some(variance), Some(count)) => {
                PrometheusQueries::Mean { mean, variance, count }
            }
            _ => {
                let message = "these queries do not make a sample";
                let help = "write good and all, bad and all, value and count, or mean, variance and count";
                reader.report_key(at, message, help);
                return None;
            }
        };
        let url = url?.value;
        is_valid.then_some(SourceSettings::Prometheus { url, headers, queries })
    }
}

/// Checks that a query selects a version and the window; else it would count the requests of all of them.
fn check_query(reader: &mut Reader<'_>, at: &str, query: &str) -> bool {
    if let Some(name) = unknown_placeholder(query) {
        let known: Vec<&str> = Placeholder::ALL.into_iter().map(Placeholder::as_str).collect();
        let message = format!("unknown placeholder `{name}`");
        reader.report(at, message, format!("there are {}", known.join(", ")));
        return false;
    }
    let has_version =
        [Placeholder::Version, Placeholder::RegistryVersion].iter().any(|name| name.is_in(query));
    if !has_version {
        let message = "the query returns the same number for every version";
        reader.report(at, message, "select the version, like `{version=\"$version\"}`");
        return false;
    }
    if !Placeholder::Window.is_in(query) {
        let message = "the query does not select the time of the step";
        reader.report(at, message, "use `$window`, like `increase(…[$window])`");
        return false;
    }
    true
}

impl WrittenMlflow {
    fn resolve(self, reader: &mut Reader<'_>, at: &str) -> Option<SourceSettings> {
        let key = |key: &str| format!("{at}/{key}");
        // The schema requires them.
        let tracking_uri = base_url(reader, &key("tracking_uri"), self.tracking_uri?);
        let experiment_id = match self.experiment_id? {
            WrittenId::Text(text) => text,
            WrittenId::Number(number) => number.to_string(),
        };
        let version_tag = self.version_tag.unwrap_or_else(|| DEFAULT_VERSION_TAG.to_owned());
        if version_tag.contains(['`', '\'', '"']) {
            let message = format!("invalid tag `{version_tag}`");
            reader.report(&key("version_tag"), message, "expected a name like prompt_version");
            return None;
        }
        let version = self.version.unwrap_or_else(|| DEFAULT_VERSION.to_owned());
        let names = [Placeholder::Version, Placeholder::RegistryVersion];
        if unknown_placeholder(&version).is_some() || !names.iter().any(|name| name.is_in(&version)) {
            let message = format!("`{version}` is not the tag of a version");
            reader.report(&key("version"), message, "write $version, $registry_version or $name@$version");
            return None;
        }
        let credentials_env = credentials::basic(reader, at, self.user_env, self.password_env)?;
        let tracking_uri = tracking_uri?.value;
        Some(SourceSettings::Mlflow { tracking_uri, experiment_id, version_tag, version, credentials_env })
    }
}

impl WrittenLangfuse {
    fn resolve(self, reader: &mut Reader<'_>, at: &str) -> Option<SourceSettings> {
        // The schema requires it.
        let base_url = base_url(reader, &format!("{at}/base_url"), self.base_url?);
        let (public_key_env, secret_key_env) =
            credentials::langfuse(reader, at, self.public_key_env, self.secret_key_env);
        Some(SourceSettings::Langfuse {
            base_url: base_url?.value,
            public_key_env: public_key_env?,
            secret_key_env: secret_key_env?,
            name: self.name,
            environment: self.environment,
        })
    }
}
