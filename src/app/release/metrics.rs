//! Opens the sources of metrics that a configuration names.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::secrets;
use crate::app::Environment;
use crate::config::{HeaderSetting, LedgerSettings, ReleaseSettings, SourceSettings};
use promptgate_adapters::metrics::{
    JsonFile, LangfuseMetrics, LangfuseMetricsOptions, MlflowTraces, MlflowTracesOptions, OtlpFile,
    Prometheus, PrometheusOptions,
};
use promptgate_core::model::Diagnostic;
use promptgate_core::text::Secret;
use promptgate_release::PortError;
use promptgate_release::ports::{MetricQuery, MetricReadings, MetricSource, PortResult};

/// Opens all sources by their names; nothing is read or sent. Paths are relative to `folder`; `shown` is the configuration,
/// for messages. A source is an error where credentials are not set, or it does not take an option.
pub(super) fn open_sources(
    settings: &ReleaseSettings,
    folder: &Path,
    environment: &Environment,
    shown: &str,
) -> BTreeMap<String, Result<Arc<dyn MetricSource>, Diagnostic>> {
    // A folder ledger is beside its telemetry, so committed files add no risk.
    let may_be_committed = matches!(settings.ledger, LedgerSettings::Folder(_));
    let open = |(name, source): (&str, &SourceSettings)| {
        (name.to_owned(), open_source(source, folder, environment, shown, may_be_committed))
    };
    settings.sources.iter().map(open).collect()
}

/// A source that could not be opened: reading it fails with the reason.
pub(super) struct Unopened {
    name: String,
    why: String,
}

impl Unopened {
    pub(super) fn new(name: &str, error: &Diagnostic) -> Self {
        Self { name: name.to_owned(), why: error.message.clone() }
    }
}

impl MetricSource for Unopened {
    fn location(&self) -> String {
        self.name.clone()
    }

    fn read<'a>(&'a self, _: &'a MetricQuery<'a>) -> PortResult<'a, MetricReadings> {
        Box::pin(std::future::ready(Err(PortError::Unavailable(self.why.clone()))))
    }
}

fn open_source(
    settings: &SourceSettings,
    folder: &Path,
    environment: &Environment,
    shown: &str,
    may_be_committed: bool,
) -> Result<Arc<dyn MetricSource>, Diagnostic> {
    let secret = |name: &str| secrets::required(name, environment, "a source of metrics", shown);
    Ok(match settings {
        SourceSettings::Prometheus { url, headers, queries } => {
            let headers = headers.iter().map(|(name, value)| {
                let value = match value {
                    HeaderSetting::Env(variable) => secret(variable)?,
                    HeaderSetting::Value(value) => Secret::new(value.clone()),
                };
                Ok((name.clone(), value))
            });
            Arc::new(Prometheus::new(PrometheusOptions {
                url: url.clone(),
                headers: headers.collect::<Result<_, Diagnostic>>()?,
                queries: queries.clone(),
            })?)
        }
        SourceSettings::OtlpFile(pattern) => {
            let files = OtlpFile::new(folder, pattern.clone())?;
            Arc::new(if may_be_committed { files } else { files.untracked() })
        }
        SourceSettings::Mlflow { tracking_uri, experiment_id, version_tag, version, credentials_env } => {
            let credentials = match credentials_env {
                Some((user, password)) => Some((secret(user)?.expose().to_owned(), secret(password)?)),
                None => None,
            };
            Arc::new(MlflowTraces::new(MlflowTracesOptions {
                tracking_uri: tracking_uri.clone(),
                experiment_id: experiment_id.clone(),
                version_tag: version_tag.clone(),
                version: version.clone(),
                credentials,
            })?)
        }
        SourceSettings::Langfuse { base_url, public_key_env, secret_key_env, name, environment: traces } => {
            Arc::new(LangfuseMetrics::new(LangfuseMetricsOptions {
                base_url: base_url.clone(),
                public_key: secret(public_key_env)?,
                secret_key: secret(secret_key_env)?,
                name: name.clone(),
                environment: traces.clone(),
            })?)
        }
        SourceSettings::Json(file) => {
            let file = JsonFile::new(folder, file.clone());
            Arc::new(if may_be_committed { file } else { file.untracked() })
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn settings(sources: &str) -> ReleaseSettings {
        let text = format!(
            "version: 1\nname: reply\ndataset: c.jsonl\nprompt: p.md\nmodel: m\nrelease: {{ledger: git, sources: {sources}}}\n"
        );
        let loaded = config::ConfigText::alone("promptgate.yaml", &text).load_release().unwrap();
        loaded.unwrap()
    }

    fn open(
        sources: &str,
        variables: &[(&str, &str)],
    ) -> Result<BTreeMap<String, Arc<dyn MetricSource>>, Diagnostic> {
        let pairs = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let environment = Environment::of(pairs);
        let opened = open_sources(&settings(sources), Path::new("."), &environment, "promptgate.yaml");
        opened.into_iter().map(|(name, source)| Ok((name, source?))).collect()
    }

    #[test]
    fn every_kind_of_source_is_opened_with_its_credentials() {
        let prometheus = "{a: {prometheus: {url: 'https://p.example', headers: {authorization: {env: TOKEN}}, \
                          good: 'x{v=\"$version\"}[$window]', all: 'y{v=\"$version\"}[$window]'}}}";
        let rows = [
            (prometheus, &["TOKEN"][..]),
            ("{a: {otlp_file: 'telemetry/*.jsonl'}}", &[]),
            (
                "{a: {mlflow: {tracking_uri: 'https://m.example', experiment_id: 1, user_env: U, password_env: P}}}",
                &["U", "P"],
            ),
            (
                "{a: {langfuse: {base_url: 'https://l.example'}}}",
                &["LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY"],
            ),
            ("{a: {json: metrics.json}}", &[]),
        ];
        for (sources, names) in rows {
            let variables: Vec<(&str, &str)> =
                names.iter().map(|name| (*name, "secret-0123456789")).collect();
            let opened = open(sources, &variables).unwrap_or_else(|error| panic!("{sources}: {error:?}"));
            assert_eq!(opened.keys().collect::<Vec<_>>(), ["a"], "{sources}");
            for missing in names {
                let others: Vec<_> = variables.iter().copied().filter(|(name, _)| name != missing).collect();
                let Err(error) = open(sources, &others) else { panic!("{sources} without {missing}") };
                assert!(error.message.starts_with(&format!("{missing} is not set")), "{error:?}");
            }
        }
    }
}
