//! By contract: these replies were written by hand from the OpenAPI document and the documentation of the API, because
//! the server cannot be installed for a test. None is a recording.

use percent_encoding::percent_decode_str;
use promptgate_release::ports::Window;

use super::*;
use crate::http::test_server::{Reaction, Server, response};

fn rows(rows: Value) -> Reaction {
    response(200, "", &json!({"data": rows}).to_string())
}

fn source(server: &Server) -> LangfuseMetrics {
    let options = LangfuseMetricsOptions {
        base_url: server.base_url(),
        public_key: Secret::new("pk-lf-1"),
        secret_key: Secret::new("sk-lf-0123456789"),
        name: None,
        environment: Some("production".to_owned()),
    };
    LangfuseMetrics::new(options).unwrap()
}

async fn read(server: &Server, metrics: &[&str]) -> Result<MetricReadings, PortError> {
    let name = "support/reply".parse().unwrap();
    let tagged = |version: &str, id: Option<&str>| TaggedVersion {
        version: version.parse().unwrap(),
        registry_id: id.map(str::to_owned),
    };
    let versions = [tagged("2.3.1", Some("6")), tagged("2.4.0", Some("7")), tagged("2.5.0", None)];
    let metrics: Vec<String> = metrics.iter().map(|metric| (*metric).to_owned()).collect();
    let window =
        Window { from: "2026-11-30T12:00:00Z".parse().unwrap(), to: "2026-11-30T13:00:00Z".parse().unwrap() };
    source(server).read(&MetricQuery { name: &name, versions: &versions, metrics: &metrics, window }).await
}

fn sent(server: &Server, index: usize) -> Value {
    let head = server.received()[index].head.clone();
    let query = head.split_whitespace().nth(1).unwrap().split_once("?query=").unwrap().1.replace('+', " ");
    serde_json::from_str(&percent_decode_str(&query).decode_utf8().unwrap()).unwrap()
}

#[tokio::test]
async fn scores_are_counted_by_value_and_version() {
    let server = Server::start([rows(json!([
        {"observationPromptVersion": 6, "value": 1, "count_count": "90"},
        {"observationPromptVersion": 6, "value": 0, "count_count": "10"},
        {"observationPromptVersion": "7", "value": "1", "count_count": 19},
        {"observationPromptVersion": 5, "value": 0.5, "count_count": 7},
        {"observationPromptVersion": null, "value": 1, "count_count": 3},
    ]))])
    .await;
    let readings = read(&server, &["helpful"]).await.unwrap();
    assert_eq!(readings.samples["helpful"][0], Ok(Sample::Share { successes: 90, n: 100 }));
    assert_eq!(readings.samples["helpful"][1], Ok(Sample::Share { successes: 19, n: 19 }));
    let problem = readings.samples["helpful"][2].as_ref().unwrap_err();
    assert!(problem.contains("2.5.0 is not published in Langfuse"), "{problem}");
    assert_eq!(readings.notes, ["helpful: 100 samples of 2.3.1, 19 of 2.4.0, 0 of 2.5.0"]);
    assert!(server.received()[0].head.starts_with("GET /v1/api/public/v2/metrics?query="));
    let filter = |column: &str, value: &str| json!({"column": column, "operator": "=", "type": "string", "value": value});
    assert_eq!(
        sent(&server, 0),
        json!({
            "view": "scores-numeric",
            "dimensions": [{"field": "observationPromptVersion"}, {"field": "value"}],
            "metrics": [{"measure": "count", "aggregation": "count"}],
            "filters": [
                filter("name", "helpful"), filter("observationPromptName", "support/reply"),
                filter("environment", "production"),
            ],
            "fromTimestamp": "2026-11-30T12:00:00Z", "toTimestamp": "2026-11-30T13:00:00Z",
            "config": {"row_limit": 1000},
        })
    );
}

#[tokio::test]
async fn boolean_scores_are_looked_for_where_there_are_no_numeric_ones() {
    let boolean = json!([
        {"observationPromptVersion": 6, "booleanValue": true, "count_count": 3},
        {"observationPromptVersion": 6, "booleanValue": "false", "count_count": 1},
    ]);
    let server = Server::start([rows(json!([])), rows(boolean)]).await;
    let readings = read(&server, &["helpful"]).await.unwrap();
    assert_eq!(readings.samples["helpful"][0], Ok(Sample::Share { successes: 3, n: 4 }));
    assert_eq!(sent(&server, 1)["view"], "scores-boolean");
    let unknown_view = response(400, "", r#"{"message": "invalid view"}"#);
    let server = Server::start([rows(json!([])), unknown_view]).await;
    let readings = read(&server, &["helpful"]).await.unwrap();
    assert_eq!(readings.samples["helpful"][0], Ok(Sample::Share { successes: 0, n: 0 }));
}

#[tokio::test]
async fn observations_give_errors_latency_tokens_and_cost() {
    let server = Server::start([
        rows(json!([
            {"promptVersion": 6, "level": "DEFAULT", "count_count": 95},
            {"promptVersion": 6, "level": "ERROR", "count_count": 5},
        ])),
        rows(json!([{"promptVersion": 6, "count_count": 100, "p95_latency": 1900.0}])),
        rows(json!([{"promptVersion": 6, "count_count": 100, "avg_totalCost": "0.02"}])),
        rows(json!([{"promptVersion": 6, "count_count": 100, "avg_inputTokens": null}])),
    ])
    .await;
    let metrics = ["error_rate", "latency_p95", "cost_usd", "input_tokens", "latency_p42"];
    let readings = read(&server, &metrics).await.unwrap();
    assert_eq!(readings.samples["error_rate"][0], Ok(Sample::Share { successes: 5, n: 100 }));
    assert_eq!(readings.samples["latency_p95"][0], Ok(Sample::Level { n: 100, value: 1.9 }));
    assert_eq!(readings.samples["cost_usd"][0], Ok(Sample::Level { n: 100, value: 0.02 }));
    assert_eq!(readings.samples["input_tokens"][0], Err("no number for avg_inputTokens".to_owned()));
    assert!(readings.samples["latency_p42"][0].as_ref().unwrap_err().contains("50, 75, 90, 95 and 99"));
    assert_eq!(readings.samples["latency_p95"][1], Ok(Sample::Level { n: 0, value: 0.0 }));
}

#[tokio::test]
async fn reply_that_may_be_cut_or_has_no_numbers_is_missing() {
    let row = |value: Value| json!({"observationPromptVersion": 6, "value": value, "count_count": 1});
    let many: Vec<Value> = (0..1000).map(|index| row(json!(f64::from(index) / 1000.0))).collect();
    for (body, expected) in [
        (json!(many), "more than 999 rows"),
        (json!([row(json!("NaN"))]), "not a number"),
        (json!([{"observationPromptVersion": 6, "value": 1}]), "without a count"),
    ] {
        let server = Server::start([rows(body)]).await;
        let readings = read(&server, &["helpful"]).await.unwrap();
        let problem = readings.samples["helpful"][0].as_ref().unwrap_err();
        assert!(problem.contains(expected), "{problem}");
    }
    let server = Server::start([response(401, "", r#"{"message": "bad key sk-lf-0123456789"}"#)]).await;
    let error = read(&server, &["helpful"]).await.unwrap_err().to_string();
    assert!(error.contains("public_key_env") && !error.contains("sk-lf-"), "{error}");
}
