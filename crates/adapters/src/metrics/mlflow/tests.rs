//! Replies recorded from a real server; the server itself is asked in `tests/real`.

use promptgate_release::ports::Window;

use super::*;
use crate::http::test_server::{Reaction, Server, response};

const RECORDING: &str = include_str!("../../../../../tests/fixtures/metrics/mlflow.json");

fn recorded(index: usize) -> Value {
    let recording: Value = serde_json::from_str(RECORDING).unwrap();
    recording["exchanges"][index].clone()
}

fn replay(index: usize) -> Reaction {
    let exchange = recorded(index);
    let status = u16::try_from(exchange["status"].as_u64().unwrap()).unwrap();
    response(status, "", &exchange["response"].to_string())
}

fn options(server: &Server) -> MlflowTracesOptions {
    MlflowTracesOptions {
        tracking_uri: server.base_url(),
        experiment_id: "1".to_owned(),
        version_tag: "prompt_version".to_owned(),
        version: "$version".to_owned(),
        credentials: None,
    }
}

async fn read(source: &MlflowTraces, metrics: &[&str]) -> Result<MetricReadings, PortError> {
    let name = "support/reply".parse().unwrap();
    let versions = [TaggedVersion { version: "2.3.1".parse().unwrap(), registry_id: None }];
    let metrics: Vec<String> = metrics.iter().map(|metric| (*metric).to_owned()).collect();
    let window =
        Window { from: "2026-11-30T12:00:00Z".parse().unwrap(), to: "2026-11-30T13:00:00Z".parse().unwrap() };
    source.read(&MetricQuery { name: &name, versions: &versions, metrics: &metrics, window }).await
}

fn assessments(rows: &[(&str, f64)]) -> Reaction {
    let points: Vec<Value> = rows
        .iter()
        .map(|(value, count)| json!({"dimensions": {"assessment_name": "helpful", "assessment_value": value}, "values": {"COUNT": count}}))
        .collect();
    response(200, "", &json!({"data_points": points}).to_string())
}

#[tokio::test]
async fn recorded_assessments_are_a_share_and_the_request_is_the_recorded_one() {
    let server = Server::start([replay(0)]).await;
    let source = MlflowTraces::new(options(&server)).unwrap();
    let readings = read(&source, &["helpful"]).await.unwrap();
    assert_eq!(readings.samples["helpful"], [Ok(Sample::Share { successes: 5, n: 6 })]);
    assert_eq!(readings.notes, ["helpful: 6 samples of 2.3.1"]);
    let received = server.received();
    assert!(received[0].head.starts_with("POST /v1/api/3.0/mlflow/traces/metrics "), "{}", received[0].head);
    let mut sent: Value = serde_json::from_slice(&received[0].body).unwrap();
    let mut expected = recorded(0)["body"].clone();
    expected["start_time_ms"] = json!(1_796_040_000_000_i64);
    expected["end_time_ms"] = json!(1_796_043_599_999_i64);
    expected["filters"] = json!([
        "trace.tag.`prompt_version` = '2.3.1'",
        "assessment.name = 'helpful'",
        "assessment.type = 'feedback'"
    ]);
    sent.as_object_mut().unwrap().remove("max_results");
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn recorded_latency_is_a_level_in_seconds() {
    // The recorded reply has both aggregations; the server returns the one that is asked for.
    let mut latency = recorded(1)["response"].clone();
    latency["data_points"][0]["values"].as_object_mut().unwrap().remove("AVG");
    let server = Server::start([replay(2), response(200, "", &latency.to_string())]).await;
    let readings = read(&MlflowTraces::new(options(&server)).unwrap(), &["latency_p95"]).await.unwrap();
    assert_eq!(readings.samples["latency_p95"], [Ok(Sample::Level { n: 6, value: 0.0735 })]);
    let body: Value = serde_json::from_slice(&server.received()[1].body).unwrap();
    assert_eq!(body["aggregations"][0], recorded(1)["body"]["aggregations"][0]);
}

#[tokio::test]
async fn error_rate_counts_finished_traces() {
    let status = |status: &str, count: f64| json!({"dimensions": {"trace_status": status}, "values": {"COUNT": count}});
    let body = json!({"data_points": [status("OK", 97.0), status("ERROR", 3.0), status("IN_PROGRESS", 5.0)]});
    let server = Server::start([response(200, "", &body.to_string()), replay(2)]).await;
    let source = MlflowTraces::new(options(&server)).unwrap();
    for successes in [(3, 100), (0, 6)] {
        let readings = read(&source, &["error_rate"]).await.unwrap();
        let (successes, n) = successes;
        assert_eq!(readings.samples["error_rate"], [Ok(Sample::Share { successes, n })]);
    }
}

#[tokio::test]
async fn values_are_booleans_verdicts_or_numbers() {
    let script = [
        assessments(&[("\"yes\"", 3.0), ("no", 1.0)]),
        assessments(&[("4", 1.0), ("5.0", 3.0), ("null", 9.0)]),
        assessments(&[("\"excellent\"", 1.0), ("1", 1.0)]),
        assessments(&[("NaN", 1.0)]),
        assessments(&[]),
    ];
    let server = Server::start(script).await;
    let source = MlflowTraces::new(options(&server)).unwrap();
    let mut samples = Vec::new();
    for _ in 0..5 {
        samples.push(read(&source, &["helpful"]).await.unwrap().samples["helpful"][0].clone());
    }
    assert_eq!(samples[0], Ok(Sample::Share { successes: 3, n: 4 }));
    assert_eq!(samples[1], Ok(Sample::Mean { n: 4, mean: 4.75, variance: 0.25 }));
    for problem in [&samples[2], &samples[3]] {
        let problem = problem.as_ref().unwrap_err();
        assert!(problem.contains("not a number, true, false, yes or no"), "{problem}");
        assert!(!problem.contains("excellent"), "{problem}");
    }
    assert_eq!(samples[4], Ok(Sample::Share { successes: 0, n: 0 }));
}

#[tokio::test]
async fn figure_that_no_trace_has_is_missing() {
    let null = json!({"data_points": [{"metric_name": "input_tokens", "values": {"AVG": null}}]});
    let server =
        Server::start([replay(2), response(200, "", &null.to_string()), replay(2), response(200, "", "{}")])
            .await;
    let source = MlflowTraces::new(options(&server)).unwrap();
    for _ in 0..2 {
        let readings = read(&source, &["input_tokens"]).await.unwrap();
        assert_eq!(readings.samples["input_tokens"], [Err("no trace has this figure".to_owned())]);
    }
}

#[tokio::test]
async fn server_that_refuses_is_quoted_and_the_password_is_not() {
    let rejected = json!({"error_code": "PERMISSION_DENIED", "message": "user u with p-0123456789 may not"});
    let server = Server::start([replay(4), response(403, "", &rejected.to_string())]).await;
    let credentials = Some(("u".to_owned(), Secret::new("p-0123456789")));
    let source = MlflowTraces::new(MlflowTracesOptions { credentials, ..options(&server) }).unwrap();
    let error = read(&source, &["helpful"]).await.unwrap_err().to_string();
    assert!(error.contains("Found invalid dimension(s)"), "{error}");
    let error = read(&source, &["helpful"]).await.unwrap_err().to_string();
    assert!(error.contains("access to the experiment") && !error.contains("p-0123456789"), "{error}");
}

#[tokio::test]
async fn what_cannot_be_written_into_a_filter_is_refused() {
    let server = Server::start([]).await;
    let tag = MlflowTracesOptions { version_tag: "x` = 'y".to_owned(), ..options(&server) };
    assert!(MlflowTraces::new(tag).unwrap_err().message.contains("invalid tag"));
    let readings = read(&MlflowTraces::new(options(&server)).unwrap(), &["it's"]).await.unwrap();
    assert!(readings.samples["it's"][0].as_ref().unwrap_err().contains("quotes"));
    let by_id = MlflowTracesOptions { version: "$registry_version".to_owned(), ..options(&server) };
    let readings = read(&MlflowTraces::new(by_id).unwrap(), &["helpful"]).await.unwrap();
    assert!(readings.samples["helpful"][0].as_ref().unwrap_err().contains("no version 2.3.1"));
    assert!(server.received().is_empty());
}
