//! Reads the metrics of a rollout from their sources.

use std::collections::BTreeMap;
use std::path::Path;

use futures::future::join_all;

use crate::app::Environment;
use crate::config::{HeaderSetting, SourceSettings, SourcesSettings};
use promptgate_adapters::metrics::{
    JsonFile, LangfuseMetrics, LangfuseMetricsOptions, MlflowTraces, MlflowTracesOptions, OtlpFile,
    Prometheus, PrometheusOptions,
};
use promptgate_core::document::suggest;
use promptgate_core::model::{Diagnostic, Place};
use promptgate_core::text::Secret;
use promptgate_release::Name;
use promptgate_release::ports::{MetricQuery, MetricReadings, MetricSource, TaggedVersion, Window};
use promptgate_release::rollout::{Observations, Reading, Sample, Variants};

/// The sources of a policy's metrics, opened.
pub(crate) struct OpenedSources {
    /// The sources by their names.
    sources: BTreeMap<String, Box<dyn MetricSource>>,
}

/// What sources returned.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct ReadObservations {
    /// The readings of all metrics.
    pub(crate) observations: Observations,
    /// Remarks for people, each with the name of its source.
    pub(crate) notes: Vec<String>,
}

/// Opens a source; nothing is read or sent. Paths are relative to `folder`; `shown` is the configuration, for messages.
///
/// # Errors
/// Credentials that are not set, or an option that a source does not take.
pub(crate) fn open_source(
    settings: &SourceSettings,
    folder: &Path,
    environment: &Environment,
    shown: &str,
) -> Result<Box<dyn MetricSource>, Diagnostic> {
    let secret = |name: &str| {
        environment.variable(name).map(Secret::new).ok_or_else(|| {
            Diagnostic::new(format!("{name} is not set, and a source of metrics needs it"))
                .at(Place::file(shown))
                .help("set it in the environment of this command, never in a file")
        })
    };
    Ok(match settings {
        SourceSettings::Prometheus { url, headers, queries } => {
            let headers = headers.iter().map(|(name, value)| {
                let value = match value {
                    HeaderSetting::Env(variable) => secret(variable)?,
                    HeaderSetting::Value(value) => Secret::new(value.clone()),
                };
                Ok((name.clone(), value))
            });
            Box::new(Prometheus::new(PrometheusOptions {
                url: url.clone(),
                headers: headers.collect::<Result<_, Diagnostic>>()?,
                queries: queries.clone(),
            })?)
        }
        SourceSettings::OtlpFile(pattern) => Box::new(OtlpFile::new(folder, pattern.clone())?),
        SourceSettings::Mlflow { tracking_uri, experiment_id, version_tag, version, credentials_env } => {
            let credentials = match credentials_env {
                Some((user, password)) => Some((secret(user)?.expose().to_owned(), secret(password)?)),
                None => None,
            };
            Box::new(MlflowTraces::new(MlflowTracesOptions {
                tracking_uri: tracking_uri.clone(),
                experiment_id: experiment_id.clone(),
                version_tag: version_tag.clone(),
                version: version.clone(),
                credentials,
            })?)
        }
        SourceSettings::Langfuse { base_url, public_key_env, secret_key_env, name, environment: traces } => {
            Box::new(LangfuseMetrics::new(LangfuseMetricsOptions {
                base_url: base_url.clone(),
                public_key: secret(public_key_env)?,
                secret_key: secret(secret_key_env)?,
                name: name.clone(),
                environment: traces.clone(),
            })?)
        }
        SourceSettings::Json(file) => Box::new(JsonFile::new(folder, file.clone())),
    })
}

impl OpenedSources {
    /// Opens the sources that metrics name; `metrics` is [`RolloutPolicy::metrics`].
    ///
    /// [`RolloutPolicy::metrics`]: promptgate_release::rollout::RolloutPolicy::metrics
    ///
    /// # Errors
    /// A name without a source, and the errors of [`open_source`].
    pub(crate) fn open(
        settings: &SourcesSettings,
        metrics: &BTreeMap<&str, &str>,
        folder: &Path,
        environment: &Environment,
        shown: &str,
    ) -> Result<Self, Diagnostic> {
        let mut sources = BTreeMap::new();
        for name in metrics.values() {
            if sources.contains_key(*name) {
                continue;
            }
            let found = settings.get(name).ok_or_else(|| unknown(name, settings, shown))?;
            sources.insert((*name).to_owned(), open_source(found, folder, environment, shown)?);
        }
        Ok(Self { sources })
    }

    /// Reads all metrics from their sources at the same time. A source that fails is a failed reading of its metrics: the
    /// others are observed all the same.
    pub(crate) async fn read(
        &self,
        metrics: &BTreeMap<&str, &str>,
        name: &Name,
        versions: &Variants<TaggedVersion>,
        window: Window,
    ) -> ReadObservations {
        let pair = [versions.control.clone(), versions.treatment.clone()];
        let asked: Vec<(&String, &dyn MetricSource, Vec<String>)> = self
            .sources
            .iter()
            .map(|(name, source)| {
                let metrics = metrics.iter().filter(|(_, source)| *source == name);
                (name, source.as_ref(), metrics.map(|(metric, _)| (*metric).to_owned()).collect())
            })
            .collect();
        let answers = join_all(asked.iter().map(|(_, source, metrics)| {
            let pair = &pair;
            async move { source.read(&MetricQuery { name, versions: pair, metrics, window }).await }
        }))
        .await;
        let mut read = ReadObservations::default();
        for ((name, source, metrics), answer) in asked.iter().zip(answers) {
            match answer {
                Ok(readings) => read.add(name, metrics, readings),
                Err(error) => {
                    let failed = Reading::Failed(format!("{name} ({}): {error}", source.location()));
                    let failed = metrics.iter().map(|metric| (metric.clone(), failed.clone()));
                    read.observations.readings.extend(failed);
                }
            }
        }
        read
    }
}

impl ReadObservations {
    fn add(&mut self, source: &str, metrics: &[String], readings: MetricReadings) {
        let MetricReadings { mut samples, units, notes } = readings;
        for metric in metrics {
            let reading = of_variants(samples.remove(metric));
            self.observations.readings.insert(metric.clone(), reading);
        }
        // Where several sources know units, those of the one that saw the most are the least incomplete.
        if let Some([control, treatment]) = units.as_deref() {
            let found = Variants { control: *control, treatment: *treatment };
            let sum = |units: &Variants<u64>| units.control.saturating_add(units.treatment);
            if self.observations.units.as_ref().is_none_or(|units| sum(units) < sum(&found)) {
                self.observations.units = Some(found);
            }
        }
        self.notes.extend(notes.into_iter().map(|note| format!("{source}: {note}")));
    }
}

/// The reading of a metric of control and treatment; missing where either is.
fn of_variants(samples: Option<Vec<Result<Sample, String>>>) -> Reading {
    match samples.as_deref() {
        Some([Ok(control), Ok(treatment)]) => {
            Reading::Observed(Variants { control: *control, treatment: *treatment })
        }
        Some([Err(control), Err(treatment)]) if control == treatment => Reading::Missing(control.clone()),
        Some([Err(control), _]) => Reading::Missing(format!("control: {control}")),
        Some([_, Err(treatment)]) => Reading::Missing(format!("treatment: {treatment}")),
        _ => Reading::Missing("the source did not return it".to_owned()),
    }
}

fn unknown(name: &str, settings: &SourcesSettings, shown: &str) -> Diagnostic {
    let diagnostic = Diagnostic::new(format!("there is no source `{name}`")).at(Place::file(shown));
    let names: Vec<&str> = settings.names().collect();
    match suggest(name, names.iter().copied()) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None if names.is_empty() => diagnostic.help("write it under `release.sources`"),
        None => diagnostic.help(format!("there are {}", names.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;
    use crate::config;
    use promptgate_release::PortError;
    use promptgate_release::ports::PortResult;

    /// A source with these samples for every metric.
    struct Fixed(Result<MetricReadings, PortError>);

    impl MetricSource for Fixed {
        fn location(&self) -> String {
            "memory".to_owned()
        }

        fn read<'a>(&'a self, _: &'a MetricQuery<'a>) -> PortResult<'a, MetricReadings> {
            std::future::ready(self.0.clone()).boxed()
        }
    }

    fn share(n: u64) -> Result<Sample, String> {
        Ok(Sample::Share { successes: 1, n })
    }

    fn readings(metrics: &[(&str, [Result<Sample, String>; 2])], units: Option<[u64; 2]>) -> MetricReadings {
        MetricReadings {
            samples: metrics.iter().map(|(name, samples)| ((*name).to_owned(), samples.to_vec())).collect(),
            units: units.map(|units| units.to_vec()),
            notes: vec!["seen".to_owned()],
        }
    }

    fn opened(sources: Vec<(&str, Result<MetricReadings, PortError>)>) -> OpenedSources {
        let boxed = |(name, result): (&str, _)| {
            let source: Box<dyn MetricSource> = Box::new(Fixed(result));
            (name.to_owned(), source)
        };
        OpenedSources { sources: sources.into_iter().map(boxed).collect() }
    }

    async fn read(sources: &OpenedSources, metrics: &[(&str, &str)]) -> ReadObservations {
        let tagged = |version: &str| TaggedVersion { version: version.parse().unwrap(), registry_id: None };
        let versions = Variants { control: tagged("2.3.1"), treatment: tagged("2.4.0") };
        let window = Window {
            from: "2026-11-30T12:00:00Z".parse().unwrap(),
            to: "2026-11-30T13:00:00Z".parse().unwrap(),
        };
        let metrics = metrics.iter().copied().collect();
        sources.read(&metrics, &"support/reply".parse().unwrap(), &versions, window).await
    }

    #[tokio::test]
    async fn source_that_fails_leaves_the_metrics_of_the_others() {
        let down = Err(PortError::Unavailable("connection refused".to_owned()));
        let up = readings(&[("helpful", [share(9), share(5)])], Some([7, 4]));
        let more = readings(&[("cost_usd", [share(3), Err("NaN".to_owned())])], Some([70, 40]));
        let sources = opened(vec![("cost", Ok(more)), ("requests", down), ("scores", Ok(up))]);
        let metrics =
            [("helpful", "scores"), ("error_rate", "requests"), ("cost_usd", "cost"), ("tone", "scores")];
        let ReadObservations { observations, notes } = read(&sources, &metrics).await;
        let samples = observations.samples("helpful").unwrap();
        assert_eq!((samples.control.n(), samples.treatment.n()), (9, 5));
        let failed = Reading::Failed("requests (memory): connection refused".to_owned());
        assert_eq!(observations.readings["error_rate"], failed);
        let missing = |reason: &str| Reading::Missing(reason.to_owned());
        assert_eq!(observations.readings["cost_usd"], missing("treatment: NaN"));
        assert_eq!(observations.readings["tone"], missing("the source did not return it"));
        assert_eq!(observations.units, Some(Variants { control: 70, treatment: 40 }));
        assert_eq!(notes, ["cost: seen", "scores: seen"]);
    }

    #[tokio::test]
    async fn samples_of_one_variant_alone_are_not_usable() {
        let sources = opened(vec![("scores", Ok(readings(&[("helpful", [share(9), Ok(Sample::Share { successes: 0, n: 0 })])], None)))]);
        let observations = read(&sources, &[("helpful", "scores")]).await.observations;
        let problem = observations.samples("helpful").unwrap_err();
        assert_eq!(problem, Reading::Missing("treatment has no samples".to_owned()));
        assert_eq!(observations.units, None);
    }

    fn settings(sources: &str) -> SourcesSettings {
        let text = format!(
            "version: 1\nname: reply\ndataset: c.jsonl\nprompt: p.md\nmodel: m\nrelease: {{ledger: git, sources: {sources}}}\n"
        );
        let loaded = config::load_release("promptgate.yaml", &text).unwrap();
        loaded.unwrap().sources
    }

    fn open(sources: &str, metric: &str, variables: &[(&str, &str)]) -> Result<OpenedSources, Diagnostic> {
        let pairs = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let metrics = [("helpful", metric)].into();
        let environment = Environment::of(pairs);
        OpenedSources::open(&settings(sources), &metrics, Path::new("."), &environment, "promptgate.yaml")
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
            let opened =
                open(sources, "a", &variables).unwrap_or_else(|error| panic!("{sources}: {error:?}"));
            assert_eq!(opened.sources.len(), 1, "{sources}");
            for missing in names {
                let others: Vec<_> = variables.iter().copied().filter(|(name, _)| name != missing).collect();
                let Err(error) = open(sources, "a", &others) else { panic!("{sources} without {missing}") };
                assert!(error.message.starts_with(&format!("{missing} is not set")), "{error:?}");
            }
        }
    }

    #[test]
    fn metric_of_an_unknown_source_is_an_error_with_a_suggestion() {
        let Err(error) = open("{scores: {json: m.json}}", "score", &[]) else { panic!("no source") };
        assert_eq!(error.message, "there is no source `score`");
        assert_eq!(error.help.as_deref(), Some("did you mean `scores`?"));
    }
}
