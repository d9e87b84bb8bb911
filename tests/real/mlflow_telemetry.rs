//! The trace of a run, sent to the real MLflow and read with its client.

use std::process::Command;

use reqwest::Method;
use serde_json::{Value, json};

use crate::mlflow_server::{self, call, runtime};
use crate::prepared::ExpectText as _;
use crate::support::{Folder, Outcome, repository};

/// What MLflow's client reads of a trace.
pub(crate) fn read(uri: &str, trace: &str) -> Value {
    let output = Command::new(mlflow_server::python().expect("Python"))
        .arg(repository().join("tests/real/mlflow_telemetry.py"))
        .args([uri, &format!("tr-{trace}")])
        .env("MLFLOW_DISABLE_TELEMETRY", "true")
        .output()
        .expect("Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Creates an experiment, and returns its identifier.
pub(crate) fn new_experiment(uri: &str, name: &str) -> String {
    let created = runtime().block_on(call(Method::POST, uri, "experiments/create", &json!({"name": name})));
    created["experiment_id"].as_str().expect("an identifier").to_owned()
}

/// The trace that a command says it sent.
pub(crate) fn sent_trace(outcome: &Outcome) -> String {
    let text = outcome.text().split_whitespace().collect::<Vec<_>>().join(" ");
    text.split(", trace ").nth(1).and_then(|rest| rest.get(..32)).expect("the trace").to_owned()
}

#[test]
fn mlflow_has_the_spans_tokens_and_grades_of_a_run() {
    let Some(uri) = mlflow_server::uri() else { return };
    let experiment = new_experiment(&uri, "runs");
    let folder = Folder::small(2);
    let header = format!("x-mlflow-experiment-id={experiment}");
    let run = ["run", "--offline", "--repeats", "2", "--inconclusive", "pass"];
    let outcome = folder
        .promptgate(&[&run[..], &["--otlp", &uri, "--otlp-content", "--otlp-header", &header]].concat())
        .expect_code(0)
        .expect_text("sent 11 spans");
    let read = read(&uri, &sent_trace(&outcome));
    assert_eq!(read["experiment"], experiment);
    let spans = read["spans"].as_array().expect("spans");
    assert_eq!(spans.len(), 11);
    let root = spans.iter().find(|span| span["parent"].is_null()).expect("a root");
    assert_eq!(root["name"], "promptgate run small");
    assert_eq!(root["attributes"]["promptgate.verdict"], "inconclusive");
    let cases: Vec<&Value> = spans.iter().filter(|span| span["parent"] == root["id"]).collect();
    assert_eq!(cases.len(), 2);
    let trials: Vec<&Value> = spans.iter().filter(|span| span["name"] == "chat tiny").collect();
    assert_eq!(trials.len(), 8);
    let report = folder.report();
    let usage = &report["usage"]["completions"];
    assert!(usage["prompt_tokens"].as_u64() > Some(0));
    // MLflow sums the tokens of the spans by the names of the conventions.
    assert_eq!(read["tokens"]["input_tokens"], usage["prompt_tokens"]);
    assert_eq!(read["tokens"]["output_tokens"], usage["completion_tokens"]);
    for trial in trials {
        assert!(cases.iter().any(|case| case["id"] == trial["parent"]));
        assert_eq!(trial["attributes"]["gen_ai.request.model"], "tiny");
        let events = trial["events"].as_array().expect("events");
        let scores: Vec<(&Value, &Value)> = events
            .iter()
            .map(|event| {
                assert_eq!(event["name"], "gen_ai.evaluation.result");
                let attributes = &event["attributes"];
                (&attributes["gen_ai.evaluation.name"], &attributes["gen_ai.evaluation.score.value"])
            })
            .collect();
        assert_eq!(scores.len(), 3);
        assert!(scores.contains(&(&json!("check.length"), &json!(1.0))), "{scores:?}");
    }
}

#[test]
fn run_without_an_experiment_ends_with_a_warning() {
    let Some(uri) = mlflow_server::uri() else { return };
    let folder = Folder::small(1);
    folder
        .promptgate(&["run", "--offline", "--inconclusive", "pass", "--otlp", &uri])
        .expect_code(0)
        .expect_text(&format!("warning: the telemetry was not sent to {uri}/v1/traces: "))
        .expect_text("422");
}
