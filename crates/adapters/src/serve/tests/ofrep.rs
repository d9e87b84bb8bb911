//! OpenFeature's remote evaluation protocol.

use hyper::Method;
use promptgate_core::text::Secret;
use serde_json::{Value, json};

use super::rollout::{ALICE, BOB, during_rollout};
use super::{Answer, Options, Served, ledger};

const FLAGS: &str = "/ofrep/v1/evaluate/flags";

impl Served {
    async fn evaluate(&self, path: &str, body: &str) -> Answer {
        let headers = [("content-type", "application/json")];
        self.send(Method::POST, &format!("{FLAGS}{path}"), &headers, body).await
    }
}

/// The body that the providers send.
fn context(unit: &str) -> String {
    json!({"context": {"targetingKey": unit, "tier": "pro"}}).to_string()
}

#[tokio::test]
async fn flag_is_the_version_of_the_unit() {
    let served = during_rollout().await;
    for path in ["/support/reply", "/support%2Freply", "/support%2freply"] {
        let answer = served.evaluate(path, &context(ALICE)).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(
            answer.json(),
            json!({
                "key": "support/reply",
                "value": "2.4.0",
                "variant": "treatment",
                "reason": "SPLIT",
                "metadata": {"rollout": 1, "step": 2, "basis_points": 2500},
            })
        );
    }
    let control = served.evaluate("/support/reply", &context(BOB)).await.json();
    assert_eq!((&control["value"], &control["variant"]), (&json!("2.3.1"), &json!("control")));
    assert_eq!(control["reason"], "SPLIT");
    let empty = served.evaluate("/support/reply", &context("")).await.json();
    assert_eq!((&empty["value"], &empty["reason"]), (&json!("2.3.1"), &json!("STATIC")));
    let other = served.evaluate("/triage", &context(ALICE)).await.json();
    assert_eq!(
        other,
        json!({"key": "triage", "value": "0.1.0", "variant": "control", "reason": "STATIC", "metadata": {}})
    );
}

#[tokio::test]
async fn requests_that_cannot_be_evaluated_have_the_codes_of_the_protocol() {
    let served = Served::standard().await;
    served.ledger.publish("draft", "0.1.0", super::text("Draft."));
    served.refresh().await;
    let long = context(&"u".repeat(1025));
    for (path, body, status, code, part) in [
        ("/absent", context(BOB).as_str(), 404, "FLAG_NOT_FOUND", "unknown prompt absent"),
        ("/draft", &context(BOB), 404, "FLAG_NOT_FOUND", "production serves no version of draft"),
        ("/Not a name", &context(BOB), 404, "FLAG_NOT_FOUND", "unknown prompt"),
        ("/", &context(BOB), 404, "FLAG_NOT_FOUND", "unknown prompt"),
        ("/tri%age", &context(BOB), 400, "PARSE_ERROR", "percent-encoding"),
        ("/triage", "{}", 400, "TARGETING_KEY_MISSING", "context.targetingKey"),
        (
            "/triage",
            "{\"context\": {\"tier\": \"pro\"}}",
            400,
            "TARGETING_KEY_MISSING",
            "context.targetingKey",
        ),
        ("/triage", "{\"context\": {\"targetingKey\": null}}", 400, "TARGETING_KEY_MISSING", "the unit"),
        ("/triage", "{\"context\": {\"targetingKey\": 7}}", 400, "INVALID_CONTEXT", "expected a text"),
        ("/triage", "{\"context\": [1]}", 400, "INVALID_CONTEXT", "expected an object"),
        ("/triage", &long, 400, "INVALID_CONTEXT", "at most 1024 bytes"),
        ("/triage", "targetingKey", 400, "PARSE_ERROR", "not JSON"),
        ("/triage", "", 400, "PARSE_ERROR", "not JSON"),
    ] {
        let answer = served.evaluate(&path.replace(' ', "%20"), body).await;
        assert_eq!(answer.status, status, "{path} {body}");
        let found = answer.json();
        assert_eq!(found["errorCode"], code, "{path} {body}");
        assert!(found["errorDetails"].as_str().is_some_and(|details| details.contains(part)), "{found}");
        assert!(found["key"].is_string(), "{found}");
    }
    let read = served.get(&format!("{FLAGS}/triage")).await;
    read.expect_error(405, "method_not_allowed", "with POST");
    assert_eq!(read.header("allow"), "POST");
    assert_eq!(served.evaluate("x", &context(BOB)).await.status, 404, "another path");
}

#[tokio::test]
async fn damaged_versions_are_evaluated_as_errors() {
    let ledger = ledger();
    ledger.mutate("support/reply", "2.3.1", |record| record.content.model = "another".to_owned());
    let served = Served::new(ledger, Options::default()).await;
    let answer = served.evaluate("/support/reply", &context(BOB)).await;
    assert_eq!(answer.status, 500);
    let details = answer.json()["errorDetails"].as_str().expect("details").to_owned();
    assert!(details.contains("support/reply@2.3.1 is not served"), "{details}");
    let all = served.evaluate("", &context(BOB)).await.json();
    assert_eq!(all["flags"][0]["errorCode"], "GENERAL");
    assert_eq!(all["flags"][1]["value"], "0.1.0");
}

#[tokio::test]
async fn all_flags_are_evaluated_at_once_with_an_entity_tag() {
    let served = during_rollout().await;
    served.ledger.publish("draft", "0.1.0", super::text("Draft."));
    served.refresh().await;
    let first = served.evaluate("", &context(ALICE)).await;
    assert_eq!(first.status, 200);
    let values = |answer: &Answer| -> Vec<(Value, Value)> {
        let flags = answer.json()["flags"].as_array().expect("a list").clone();
        flags.iter().map(|flag| (flag["key"].clone(), flag["value"].clone())).collect()
    };
    let expected =
        |version: &str| vec![(json!("support/reply"), json!(version)), (json!("triage"), json!("0.1.0"))];
    assert_eq!(values(&first), expected("2.4.0"));
    let again = async |unit: &str| {
        let headers = [("if-none-match", first.header("etag"))];
        served.send(Method::POST, FLAGS, &headers, &context(unit)).await
    };
    assert_eq!(again(ALICE).await.status, 304);
    assert_eq!(values(&again(BOB).await), expected("2.3.1"));
    let missing = served.evaluate("", "{}").await;
    assert_eq!((missing.status, missing.json()["errorCode"].clone()), (400, json!("TARGETING_KEY_MISSING")));
}

#[tokio::test]
async fn configuration_has_the_polling_interval() {
    let served = Served::standard().await;
    let answer = served.get("/ofrep/v1/configuration").await;
    let body = answer.json();
    assert_eq!(body["name"], "promptgate");
    let polling = &body["capabilities"]["cacheInvalidation"]["polling"];
    assert_eq!(polling, &json!({"enabled": true, "minPollingIntervalMs": 1000}));
    let headers = [("if-none-match", answer.header("etag"))];
    assert_eq!(served.send(Method::GET, "/ofrep/v1/configuration", &headers, "").await.status, 304);
    let posted = served.send(Method::POST, "/ofrep/v1/configuration", &[], "").await;
    assert_eq!(posted.status, 405);
}

#[tokio::test]
async fn evaluation_needs_the_token() {
    let options = Options { token: Some(Secret::new("secret")), ..Options::default() };
    let served = Served::new(ledger(), options).await;
    assert_eq!(served.evaluate("/triage", &context(BOB)).await.status, 401);
    let headers = [("authorization", "Bearer secret")];
    let uri = format!("{FLAGS}/triage");
    assert_eq!(served.send(Method::POST, &uri, &headers, &context(BOB)).await.status, 200);
}

#[tokio::test]
async fn body_that_is_too_large_is_refused() {
    let mut options = Options::default();
    options.limits.body_size = 100;
    let served = Served::new(ledger(), options).await;
    let answer = served.evaluate("/triage", &context(&"u".repeat(100))).await;
    assert_eq!((answer.status, answer.json()["errorCode"].clone()), (413, json!("PARSE_ERROR")));
}
