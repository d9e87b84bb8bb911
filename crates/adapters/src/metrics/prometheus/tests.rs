//! Replies recorded from a real server, and everything that a reply can be.

use std::time::Duration;

use promptgate_release::ports::Window;
use serde_json::{Value, json};

use super::*;
use crate::http::test_server::{Reaction, Server, response};

const RECORDING: &str = include_str!("../../../../../tests/fixtures/metrics/prometheus.json");
const QUICK: Limits = Limits { timeout: Duration::from_millis(300), first_wait: Duration::ZERO };

fn recorded(query: &str) -> Value {
    let recording: Value = serde_json::from_str(RECORDING).unwrap();
    let exchanges = recording["exchanges"].as_array().unwrap();
    exchanges.iter().find(|exchange| exchange["query"] == query).unwrap()["response"].clone()
}

fn number(text: &str) -> Reaction {
    vector(json!([{"metric": {}, "value": [1_796_040_000.5, text]}]))
}

fn vector(result: Value) -> Reaction {
    reply(&json!({"status": "success", "data": {"resultType": "vector", "result": result}}))
}

fn reply(body: &Value) -> Reaction {
    response(200, "", &body.to_string())
}

fn good() -> PrometheusQueries {
    PrometheusQueries::Good {
        good: r#"sum(increase(x{v="$version",o="ok"}[$window]))"#.to_owned(),
        all: r#"sum(increase(x{v="$version"}[$window]))"#.to_owned(),
    }
}

fn source(server: &Server, queries: PrometheusQueries, headers: &[(&str, &str)]) -> Prometheus {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect();
    let options = PrometheusOptions { url: server.base_url(), headers, queries };
    Prometheus::with_limits(options, QUICK).unwrap()
}

async fn read(
    source: &Prometheus,
    metrics: &[&str],
    ids: &[Option<&str>],
) -> Result<MetricReadings, PortError> {
    let name = "support/reply".parse().unwrap();
    let versions: Vec<TaggedVersion> = ["2.3.1", "2.4.0"]
        .iter()
        .zip(ids)
        .map(|(version, id)| TaggedVersion {
            version: version.parse().unwrap(),
            registry_id: id.map(str::to_owned),
        })
        .collect();
    let metrics: Vec<String> = metrics.iter().map(|metric| (*metric).to_owned()).collect();
    let window =
        Window { from: "2026-11-30T12:00:00Z".parse().unwrap(), to: "2026-11-30T13:00:00Z".parse().unwrap() };
    source.read(&MetricQuery { name: &name, versions: &versions, metrics: &metrics, window }).await
}

/// The sample of one version.
async fn one(queries: PrometheusQueries, metric: &str, script: Vec<Reaction>) -> Result<Sample, String> {
    let server = Server::start(script).await;
    let readings = read(&source(&server, queries, &[]), &[metric], &[None]).await.unwrap();
    readings.samples[metric][0].clone()
}

#[tokio::test]
async fn fractional_counts_of_the_recording_are_rounded() {
    let all = "sum by (prompt_version,outcome) (increase(prompt_requests_total{prompt_name=\"support/reply\"}[6h]))";
    let series = recorded(all)["data"]["result"].as_array().unwrap().clone();
    let find = |outcome: &str| {
        let matches =
            |series: &&Value| series["metric"] == json!({"outcome": outcome, "prompt_version": "2.4.0"});
        let text = series.iter().find(matches).unwrap()["value"][1].as_str().unwrap();
        text.parse::<f64>().unwrap()
    };
    let (ok, error) = (find("ok"), find("error"));
    let script = || vec![number(&ok.to_string()), number(&(ok + error).to_string())];
    assert_eq!(one(good(), "availability", script()).await, Ok(Sample::Share { successes: 339, n: 349 }));
    // The error rate is the share of the others.
    assert_eq!(one(good(), "error_rate", script()).await, Ok(Sample::Share { successes: 10, n: 349 }));
    let bad = PrometheusQueries::Bad { bad: "b".to_owned(), all: "a".to_owned() };
    let script = vec![number(&error.to_string()), number(&(ok + error).to_string())];
    assert_eq!(one(bad, "error_rate", script).await, Ok(Sample::Share { successes: 10, n: 349 }));
}

#[tokio::test]
async fn recorded_replies_without_one_number_are_missing() {
    let sum = "sum by (prompt_version,outcome) (increase(prompt_requests_total{prompt_name=\"support/reply\"}[6h]))";
    for (query, expected) in [
        ("nope_metric", "`good`: no series; if that means zero, write `… or vector(0)`"),
        ("0/0", "`good`: expected a number, found NaN"),
        ("1/0", "`good`: expected a number, found +Inf"),
        ("scalar(nope)", "`good`: expected a number, found NaN"),
        (sum, "`good`: 4 series, expected one: aggregate them with sum(…)"),
    ] {
        let script = vec![reply(&recorded(query)), number("5")];
        assert_eq!(one(good(), "error_rate", script).await, Err(expected.to_owned()), "{query}");
    }
}

#[tokio::test]
async fn other_replies_without_one_number_are_missing() {
    let data = |kind: &str, result: Value| json!({"status": "success", "data": {"resultType": kind, "result": result}});
    let mut warned = data("scalar", json!([1.0, "5"]));
    warned["warnings"] = json!(["partial response: store-1 is down"]);
    for (body, expected) in [
        (data("matrix", json!([])), "range of numbers"),
        (data("string", json!([1.0, "x"])), "a text"),
        (data("vector", json!([{"metric": {}, "histogram": [1.0, {}]}])), "a histogram"),
        (data("scalar", json!([1.0, "many"])), "found many"),
        (warned, "the server warns: partial response: store-1 is down"),
    ] {
        let problem = one(good(), "x", vec![reply(&body), number("5")]).await.unwrap_err();
        assert!(problem.contains(expected), "{problem}");
    }
    let mut info = data("scalar", json!([1.0, "5"]));
    info["warnings"] = json!(["PromQL info: metric might not be a counter"]);
    let script = vec![reply(&info), number("5.4")];
    assert_eq!(one(good(), "x", script).await, Ok(Sample::Share { successes: 5, n: 5 }));
}

#[tokio::test]
async fn more_good_requests_than_all_are_an_error_beyond_rounding() {
    let script = |good: &str, all: &str| vec![number(good), number(all)];
    assert_eq!(one(good(), "x", script("75.6", "75.4")).await, Ok(Sample::Share { successes: 75, n: 75 }));
    let problem = one(good(), "x", script("80.2", "75.4")).await.unwrap_err();
    assert!(problem.contains("80.2 among 75.4"), "{problem}");
    assert!(one(good(), "x", script("-3", "75.4")).await.unwrap_err().contains("found -3"));
    assert_eq!(one(good(), "x", script("0", "0.2")).await, Ok(Sample::Share { successes: 0, n: 0 }));
}

#[tokio::test]
async fn levels_and_means_have_their_own_queries() {
    let level = PrometheusQueries::Level { value: "v".to_owned(), count: "c".to_owned() };
    let quantile =
        "histogram_quantile(0.95, sum by (prompt_version,le) (increase(prompt_latency_seconds_bucket[2d])))";
    let value = recorded(quantile)["data"]["result"][0]["value"][1].as_str().unwrap().to_owned();
    let sample = one(level, "latency_p95", vec![number(&value), number("411.7")]).await;
    assert_eq!(sample, Ok(Sample::Level { n: 412, value: 1.937_499_999_999_999_6 }));
    let mean =
        || PrometheusQueries::Mean { mean: "m".to_owned(), variance: "s".to_owned(), count: "c".to_owned() };
    let sample = one(mean(), "cost_usd", vec![number("0.02"), number("1e-4"), number("99.6")]).await;
    assert_eq!(sample, Ok(Sample::Mean { n: 100, mean: 0.02, variance: 1e-4 }));
    let sample = one(mean(), "cost_usd", vec![number("0.02"), number("NaN"), number("1")]).await;
    assert_eq!(sample, Err("`variance`: expected a number, found NaN".to_owned()));
}

#[tokio::test]
async fn queries_name_version_and_window_and_are_asked_at_its_end() {
    let server = Server::start([number("9.7"), number("9.7"), number("9.7"), number("9.7")]).await;
    let source =
        source(&server, good(), &[("X-Scope-OrgID", "team-1"), ("Authorization", "Bearer t-0123456789")]);
    let readings = read(&source, &["error_rate"], &[None, None]).await.unwrap();
    assert_eq!(readings.notes, ["error_rate: 10 samples of 2.3.1, 10 of 2.4.0"]);
    assert_eq!(readings.units, None);
    let received = server.received();
    let head = received.iter().map(|request| &request.head).find(|head| head.contains("2.4.0")).unwrap();
    let line = head.lines().next().unwrap();
    assert!(line.starts_with("GET /v1/api/v1/query?query=sum%28increase%28x%7Bv%3D%222.4.0%22"), "{line}");
    assert!(line.contains("%5B3600s%5D") && line.contains("&time=1796043600"), "{line}");
    assert!(head.contains("authorization: bearer t-0123456789"), "{head}");
    assert!(head.contains("x-scope-orgid: team-1"), "{head}");
}

#[tokio::test]
async fn registry_version_is_inserted_where_there_is_one() {
    let queries = || PrometheusQueries::Good {
        good: "sum(x{v=\"$registry_version\"})".to_owned(),
        all: "sum(y{v=\"$registry_version\"})".to_owned(),
    };
    let server = Server::start([number("9"), number("10")]).await;
    let readings = read(&source(&server, queries(), &[]), &["x"], &[None, Some("7")]).await.unwrap();
    assert!(readings.samples["x"][0].as_ref().unwrap_err().contains("no version 2.3.1"));
    assert_eq!(readings.samples["x"][1], Ok(Sample::Share { successes: 9, n: 10 }));
    assert!(server.received()[0].head.contains("v%3D%227%22"));
}

#[tokio::test]
async fn long_query_is_posted() {
    let long = format!("sum(x{{job=~\"{}\"}})", "a|".repeat(1500));
    let queries = PrometheusQueries::Good { good: long.clone(), all: "y".to_owned() };
    let server = Server::start([number("9"), number("10")]).await;
    read(&source(&server, queries, &[]), &["x"], &[None]).await.unwrap();
    let received = server.received();
    let posted = received.iter().find(|request| request.head.starts_with("POST /v1/api/v1/query ")).unwrap();
    assert!(posted.head.contains("content-type: application/x-www-form-urlencoded"), "{}", posted.head);
    let body = String::from_utf8(posted.body.clone()).unwrap();
    assert!(
        body.starts_with("query=sum%28x%7Bjob%3D%7E%22a%7Ca") && body.ends_with("&time=1796043600"),
        "{body}"
    );
}

#[tokio::test]
async fn one_query_for_several_metrics_is_refused_unless_it_names_them() {
    let server = Server::start([]).await;
    let refused = read(&source(&server, good(), &[]), &["error_rate", "x"], &[None]).await;
    let Err(PortError::Invalid(problem)) = refused else { panic!("{refused:?}") };
    assert!(problem.contains("write $metric into every query"), "{problem}");
    assert!(server.received().is_empty());
    let queries = PrometheusQueries::Bad {
        bad: "sum(bad{m=\"$metric\"})".to_owned(),
        all: "sum(all{m=\"$metric\"})".to_owned(),
    };
    let server = Server::start([number("9"), number("9"), number("9"), number("9")]).await;
    let readings = read(&source(&server, queries, &[]), &["a", "b"], &[None]).await.unwrap();
    assert_eq!(readings.samples.keys().collect::<Vec<_>>(), ["a", "b"]);
}

#[tokio::test]
async fn failures_name_the_reason_and_no_secret() {
    let bad = recorded("sum((");
    let token = "t-0123456789abcdef";
    let unauthorized = json!({"error": format!("token {token} is expired")}).to_string();
    for (reaction, expected) in [
        (response(400, "", &bad.to_string()), "unclosed left parenthesis"),
        (response(401, "", &unauthorized), "check the variables of release.sources.NAME.prometheus.headers"),
        (response(403, "", "{}"), "a token for queries"),
        (response(404, "", "{}"), "does the address lead to Prometheus?"),
        (response(200, "", "<html>"), "not the expected JSON"),
        (Reaction::Hang, "no complete answer within 0.3 s"),
    ] {
        let server = Server::start([reaction]).await;
        let authorization = format!("Bearer {token}");
        let source = source(&server, good(), &[("authorization", &authorization)]);
        let error = read(&source, &["x"], &[None]).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains(token), "{error}");
    }
}

#[tokio::test]
async fn busy_server_is_asked_again() {
    let server = Server::start([response(503, "", "{}"), number("9"), number("10")]).await;
    let readings = read(&source(&server, good(), &[]), &["x"], &[None]).await.unwrap();
    assert_eq!(readings.samples["x"][0], Ok(Sample::Share { successes: 9, n: 10 }));
}

#[test]
fn header_is_not_sent_without_encryption() {
    let options = PrometheusOptions {
        url: "http://prometheus.example.org".to_owned(),
        headers: vec![("authorization".to_owned(), Secret::new("Bearer x"))],
        queries: good(),
    };
    let error = Prometheus::new(options).unwrap_err();
    assert!(error.message.contains("without encryption"), "{error:?}");
}
