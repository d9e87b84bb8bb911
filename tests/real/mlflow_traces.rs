//! The source of MLflow's traces with the real server.

use promptgate_adapters::metrics::{MlflowTraces, MlflowTracesOptions};
use promptgate_release::ports::{MetricQuery, MetricReadings, MetricSource as _, TaggedVersion, Window};
use promptgate_release::rollout::Sample;
use reqwest::Method;
use serde_json::{Value, json};

use crate::mlflow_server::{self, call, client, runtime};

/// 2026-11-30T12:00:00Z.
const BEGIN: u64 = 1_796_040_000;

/// An experiment of one test.
struct Experiment {
    uri: String,
    id: String,
}

impl Experiment {
    async fn create(uri: String, name: &str) -> Self {
        let created = call(Method::POST, &uri, "experiments/create", &json!({"name": name})).await;
        let id = created["experiment_id"].as_str().expect("an identifier").to_owned();
        Self { uri, id }
    }

    async fn post(&self, path: &str, body: &Value) {
        let request = client()
            .post(format!("{}{path}", self.uri))
            .header("content-type", "application/json")
            .header("x-mlflow-experiment-id", &self.id)
            .body(body.to_string());
        let response = request.send().await.expect("a response");
        let status = response.status();
        assert!(status.is_success(), "{path}: {status}: {}", response.text().await.unwrap_or_default());
    }

    /// Exports a trace by OTLP, as an application does; its resource attributes become tags.
    async fn trace(&self, number: u64, tags: &[(&str, &str)], is_error: bool) -> String {
        let trace = format!("{:016x}{number:016x}", self.id.parse::<u64>().expect("a number") + 1);
        let start = (BEGIN + number) * 1000;
        let resource: Vec<Value> =
            tags.iter().map(|(key, value)| json!({"key": key, "value": {"stringValue": value}})).collect();
        let span = json!({
            "traceId": trace, "spanId": format!("{:016x}", number + 1), "name": "chat", "kind": 1,
            "startTimeUnixNano": format!("{start}000000"),
            "endTimeUnixNano": format!("{}000000", start + 100 * (number + 1)),
            "attributes": [
                {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "12"}},
                {"key": "gen_ai.usage.output_tokens", "value": {"intValue": "5"}},
            ],
            "status": {"code": if is_error { 2 } else { 1 }},
        });
        let body = json!({"resourceSpans": [
            {"resource": {"attributes": resource}, "scopeSpans": [{"spans": [span]}]},
        ]});
        self.post("/v1/traces", &body).await;
        format!("tr-{trace}")
    }

    async fn assess(&self, trace: &str, name: &str, kind: &str, value: Value) {
        let time = "2026-11-30T12:00:00Z";
        let assessment = json!({
            "assessment_name": name, "trace_id": trace, "source": {"source_type": "HUMAN", "source_id": "test"},
            (kind): {"value": value}, "create_time": time, "last_update_time": time,
        });
        let path = format!("/api/3.0/mlflow/traces/{trace}/assessments");
        self.post(&path, &json!({"assessment": assessment})).await;
    }

    async fn read(&self, version_tag: &str, version: &str, metrics: &[&str], to: &str) -> MetricReadings {
        let options = MlflowTracesOptions {
            tracking_uri: self.uri.clone(),
            experiment_id: self.id.clone(),
            version_tag: version_tag.to_owned(),
            version: version.to_owned(),
            credentials: None,
        };
        let source = MlflowTraces::new(options).expect("valid options");
        let tagged = |version: &str, id: &str| TaggedVersion {
            version: version.parse().expect("a version"),
            registry_id: Some(id.to_owned()),
        };
        let (name, versions) =
            ("support/reply".parse().expect("a name"), [tagged("2.3.1", "6"), tagged("2.4.0", "7")]);
        let metrics: Vec<String> = metrics.iter().map(|metric| (*metric).to_owned()).collect();
        let window =
            Window { from: "2026-11-30T12:00:00Z".parse().expect("a time"), to: to.parse().expect("a time") };
        source
            .read(&MetricQuery { name: &name, versions: &versions, metrics: &metrics, window })
            .await
            .expect("readings")
    }
}

const HOUR: &str = "2026-11-30T13:00:00Z";

#[test]
fn assessments_and_traces_are_read_by_version() {
    let Some(uri) = mlflow_server::uri() else { return };
    runtime().block_on(async {
        let experiment = Experiment::create(uri, "traces by version").await;
        for number in 0..6 {
            let version = if number < 4 { "2.3.1" } else { "2.4.0" };
            let trace = experiment.trace(number, &[("prompt_version", version)], number == 2).await;
            experiment.assess(&trace, "helpful", "feedback", json!(number % 2 == 0)).await;
            experiment.assess(&trace, "helpful", "expectation", json!(true)).await;
            experiment
                .assess(&trace, "verdict", "feedback", json!(if number == 0 { "no" } else { "yes" }))
                .await;
            experiment.assess(&trace, "grade", "feedback", json!(number)).await;
        }
        let metrics =
            ["helpful", "verdict", "grade", "error_rate", "latency", "latency_p95", "input_tokens", "tone"];
        let readings = experiment.read("prompt_version", "$version", &metrics, HOUR).await;
        let share = |successes, n| Ok(Sample::Share { successes, n });
        assert_eq!(readings.samples["helpful"], [share(2, 4), share(1, 2)]);
        assert_eq!(readings.samples["verdict"], [share(3, 4), share(2, 2)]);
        let Ok(Sample::Mean { n: 4, mean, variance }) = readings.samples["grade"][0] else {
            panic!("{readings:?}")
        };
        assert!((mean - 1.5).abs() < 1e-9 && (variance - 5.0 / 3.0).abs() < 1e-9, "{mean} {variance}");
        assert_eq!(readings.samples["error_rate"], [share(1, 4), share(0, 2)]);
        assert_eq!(readings.samples["latency"][0], Ok(Sample::Level { n: 4, value: 0.25 }));
        assert_eq!(readings.samples["latency_p95"][0], Ok(Sample::Level { n: 4, value: 0.385 }));
        assert_eq!(readings.samples["input_tokens"][1], Ok(Sample::Level { n: 2, value: 12.0 }));
        assert_eq!(readings.samples["tone"], [share(0, 0), share(0, 0)]);
        assert_eq!(readings.notes[0], "helpful: 4 samples of 2.3.1, 2 of 2.4.0");

        // The window ends before the trace that begins at its end.
        let readings =
            experiment.read("prompt_version", "$version", &["helpful"], "2026-11-30T12:00:02Z").await;
        assert_eq!(readings.samples["helpful"], [share(1, 2), share(0, 0)]);
    });
}

#[test]
fn score_that_comes_later_counts_for_its_trace_and_registry_versions_and_names_are_tags_too() {
    let Some(uri) = mlflow_server::uri() else { return };
    runtime().block_on(async {
        let experiment = Experiment::create(uri, "tags").await;
        let tags = [("registry.version", "7"), ("prompt", "support/reply@2.4.0")];
        let trace = experiment.trace(0, &tags, false).await;
        let by_id = ["registry.version", "$registry_version"];
        let before = experiment.read(by_id[0], by_id[1], &["helpful"], HOUR).await;
        assert_eq!(before.samples["helpful"][1], Ok(Sample::Share { successes: 0, n: 0 }));
        experiment.assess(&trace, "helpful", "feedback", json!(true)).await;
        for [tag, version] in [by_id, ["prompt", "$name@$version"]] {
            let readings = experiment.read(tag, version, &["helpful"], HOUR).await;
            assert_eq!(readings.samples["helpful"][1], Ok(Sample::Share { successes: 1, n: 1 }), "{tag}");
            assert_eq!(readings.samples["helpful"][0], Ok(Sample::Share { successes: 0, n: 0 }), "{tag}");
        }
    });
}
