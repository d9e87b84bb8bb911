//! Sources of metrics, resolved.

use std::collections::BTreeMap;

use serde::Serialize;

use promptgate_adapters::metrics::PrometheusQueries;
use promptgate_release::Digest;

/// The sources of metrics by their names, in alphabetical order. They hold names of variables, never secrets.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct SourcesSettings(BTreeMap<String, SourceSettings>);

impl SourcesSettings {
    pub(super) fn insert(&mut self, name: String, source: SourceSettings) {
        self.0.insert(name, source);
    }

    /// The source with a name.
    pub fn get(&self, name: &str) -> Option<&SourceSettings> {
        self.0.get(name)
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The sources with their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &SourceSettings)> {
        self.0.iter().map(|(name, source)| (name.as_str(), source))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The variables that hold credentials.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.0.values().flat_map(SourceSettings::variables)
    }

    /// The digest of the canonical JSON of these settings: evidence of other sources is other evidence.
    pub fn digest(&self) -> Digest {
        Digest::of_json(self)
    }
}

/// A source of metrics.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceSettings {
    /// A Prometheus server.
    Prometheus {
        /// Address.
        url: String,
        /// Headers of every request.
        headers: Vec<(String, HeaderSetting)>,
        /// The queries of a sample.
        #[serde(serialize_with = "by_name")]
        queries: PrometheusQueries,
    },
    /// Files of OTLP in JSON, by a pattern relative to the configuration.
    OtlpFile(String),
    /// Traces of an MLflow server.
    Mlflow {
        /// Address of the tracking server.
        tracking_uri: String,
        /// The experiment of the traces.
        experiment_id: String,
        /// The tag of a trace that has the version.
        version_tag: String,
        /// The value of that tag, with placeholders.
        version: String,
        /// Environment variables with user name and password; `None` without authentication.
        credentials_env: Option<(String, String)>,
    },
    /// Metrics of a Langfuse project.
    Langfuse {
        /// Address.
        base_url: String,
        /// Environment variable with the public key.
        public_key_env: String,
        /// Environment variable with the secret key.
        secret_key_env: String,
        /// Name of the prompt there; `None` for that of the release.
        name: Option<String>,
        /// The environment of the traces; `None` for all.
        environment: Option<String>,
    },
    /// A file of the format `promptgate.metrics/v1`, relative to the configuration.
    Json(String),
}

/// The value of a header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HeaderSetting {
    /// Held by this environment variable.
    Env(String),
    /// Written in the configuration; not a secret.
    Value(String),
}

impl SourceSettings {
    /// The variables that hold credentials.
    fn variables(&self) -> Vec<&str> {
        match self {
            Self::Prometheus { headers, .. } => headers
                .iter()
                .filter_map(|(_, value)| match value {
                    HeaderSetting::Env(name) => Some(name.as_str()),
                    HeaderSetting::Value(_) => None,
                })
                .collect(),
            Self::Mlflow { credentials_env, .. } => {
                credentials_env.iter().flat_map(|(user, password)| [user.as_str(), password]).collect()
            }
            Self::Langfuse { public_key_env, secret_key_env, .. } => vec![public_key_env, secret_key_env],
            Self::OtlpFile(_) | Self::Json(_) => Vec::new(),
        }
    }
}

/// The queries by their keys.
fn by_name<S: serde::Serializer>(queries: &PrometheusQueries, serializer: S) -> Result<S::Ok, S::Error> {
    let names: &[&str] = match queries {
        PrometheusQueries::Good { .. } => &["good", "all"],
        PrometheusQueries::Bad { .. } => &["bad", "all"],
        PrometheusQueries::Level { .. } => &["value", "count"],
        PrometheusQueries::Mean { .. } => &["mean", "variance", "count"],
    };
    serializer.collect_map(names.iter().zip(queries.all()))
}
