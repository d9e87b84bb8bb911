//! The span of a rollout, sent to the real Phoenix and MLflow and read back.

use serde_json::{Value, json};

use crate::prepared::{ExpectText as _, until};
use crate::release::{CHANGES, FIRST, NAME, Suite};
use crate::support::Outcome;
use crate::{mlflow_server, mlflow_telemetry, phoenix};

/// Starts a rollout of 1.1.0 with these flags.
fn start_rollout(flags: &[&str]) -> Outcome {
    let suite = Suite::new(
        "levels: {major: {approvals: 0}}, sources: {file: {json: metrics.json}}, \
         guardrails: [{name: faithfulness, better: higher, margin: 0.05, source: file}]",
    );
    suite.release(FIRST, "first");
    suite.serve("1.0.0");
    suite.release(CHANGES[0], "plans were missing");
    suite.promote("1.1.0", "staging", &[]).expect_code(0);
    let start = ["rollout", "start", NAME, "--per-day", "50000", "--allow-simulated"];
    suite.run(&[&start[..], flags].concat()).expect_code(0).expect_text("sent 1 span")
}

fn assert_started(attributes: &Value) {
    for (name, expected) in [
        ("gen_ai.prompt.name", json!(NAME)),
        ("gen_ai.prompt.version", json!("1.1.0")),
        ("feature_flag.version", json!("1/1")),
        ("promptgate.rollout.command", json!("start")),
        ("promptgate.rollout.result", json!("started")),
        ("promptgate.rollout.percent", json!(5.0)),
    ] {
        assert_eq!(attributes[name], expected, "{name}: {attributes:#}");
    }
}

#[test]
fn phoenix_has_the_span_of_a_started_rollout() {
    let Some(url) = phoenix::SERVER.url() else { return };
    start_rollout(&["--otlp", &url]);
    let found = || Some(phoenix::spans(&url, true)).filter(|spans| !spans.is_empty());
    let spans = until("the span", found);
    let [span] = spans.as_slice() else { panic!("{spans:?}") };
    assert_eq!(span["parent_id"], Value::Null);
    assert_started(&span["attributes"]);
}

#[test]
fn mlflow_has_the_span_of_a_started_rollout() {
    let Some(uri) = mlflow_server::uri() else { return };
    let header = format!("x-mlflow-experiment-id={}", mlflow_telemetry::new_experiment(&uri, "rollouts"));
    let outcome = start_rollout(&["--otlp", &uri, "--otlp-header", &header]);
    let read = mlflow_telemetry::read(&uri, &mlflow_telemetry::sent_trace(&outcome));
    let [span] = read["spans"].as_array().expect("spans").as_slice() else { panic!("{read:#}") };
    assert_eq!(span["name"], "promptgate.rollout");
    assert_started(&span["attributes"]);
}
