use std::time::Duration;

use reqwest::header::{HeaderName, HeaderValue};
use serde_json::json;

use super::*;
use promptgate_core::text::Secret;

fn context() -> FaultContext {
    FaultContext {
        label: "POST h/v1/chat/completions".to_owned(),
        api_key_env: "MY_KEY".to_owned(),
        has_key: true,
        redactor: Arc::new(Redactor::new(&[Secret::new("sk-canary-0123456789")])),
    }
}

fn fault(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Fault {
    let headers = headers
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect();
    context().status(&Response {
        status: StatusCode::from_u16(status).unwrap(),
        headers,
        body: body.as_bytes().to_vec(),
        elapsed: Duration::ZERO,
        arrivals: Vec::new(),
        resends: 0,
    })
}

fn kind(status: u16, message: &str, code: &str) -> FaultKind {
    fault(status, &[], &json!({"error": {"message": message, "code": code}}).to_string()).kind
}

#[test]
fn every_status_is_classified() {
    use FaultKind::{Forbidden, NotFound, QuotaSpent, RateLimited, Rejected, Unauthorized, Unavailable};
    for (statuses, expected) in [
        (&[401][..], Unauthorized),
        (&[403], Forbidden),
        (&[404], NotFound),
        (&[402], QuotaSpent),
        (&[429], RateLimited),
        (&[408, 409, 425, 500, 502, 503, 504, 520, 529, 599], Unavailable),
        (&[400, 405, 406, 410, 411, 413, 415, 422, 431, 451, 501, 505], Rejected),
    ] {
        for status in statuses {
            assert_eq!(kind(*status, "something", "x"), expected, "{status}");
        }
    }
}

#[test]
fn a_spent_quota_differs_from_a_rate_limit() {
    assert_eq!(
        kind(429, "You exceeded your current quota, please check your plan", ""),
        FaultKind::QuotaSpent
    );
    assert_eq!(kind(429, "no", "insufficient_quota"), FaultKind::QuotaSpent);
    assert_eq!(kind(429, "Your credit balance is too low", ""), FaultKind::QuotaSpent);
    assert_eq!(
        kind(429, "Rate limit reached for gpt-4o: limit 500 per minute", "rate_limit_exceeded"),
        FaultKind::RateLimited
    );
    // Some servers say "quota" for a limit that resets within a minute.
    assert_eq!(
        kind(429, "You exceeded your current quota. Please retry in 34.1s.", ""),
        FaultKind::RateLimited
    );
    let body = r#"{"error": {"message": "You exceeded your current quota"}}"#;
    assert_eq!(fault(429, &[("retry-after", "3")], body).kind, FaultKind::RateLimited);
    let body = r#"{"error": {"message": "no", "type": "insufficient_quota", "code": null}}"#;
    assert_eq!(fault(429, &[("retry-after", "3")], body).kind, FaultKind::QuotaSpent);
}

#[test]
fn context_length_and_content_filter_are_recognized() {
    for (status, message, code) in [
        (400, "This model's maximum context length is 8192 tokens", ""),
        (400, "no", "context_length_exceeded"),
        (400, "the request exceeds the available context size", "exceed_context_size_error"),
        (413, "prompt is too long: 200001 tokens", ""),
        (422, "input exceeds the context window", ""),
    ] {
        assert_eq!(kind(status, message, code), FaultKind::ContextLength, "{message}");
    }
    assert_eq!(kind(400, "triggered our content management policy", ""), FaultKind::ContentFilter);
    assert_eq!(kind(400, "no", "content_filter"), FaultKind::ContentFilter);
    assert_eq!(
        kind(400, "Unsupported parameter: 'max_tokens'", "unsupported_parameter"),
        FaultKind::Rejected
    );
    assert_eq!(kind(500, "context length", ""), FaultKind::Unavailable);
}

#[test]
fn retry_after_is_read_where_a_retry_is_possible() {
    let wait = |status| fault(status, &[("retry-after", "9")], "").retry_after;
    assert_eq!(wait(429), Some(Duration::from_secs(9)));
    assert_eq!(wait(503), Some(Duration::from_secs(9)));
    assert_eq!(wait(401), None);
    assert_eq!(fault(429, &[], "").retry_after, None);
    assert_eq!(fault(429, &[("retry-after", "0")], "").retry_after, None);
}

#[test]
fn messages_name_place_reason_and_next_step() {
    let unauthorized =
        fault(401, &[], r#"{"error": {"message": "Incorrect API key", "code": "invalid_api_key"}}"#);
    assert_eq!(
        unauthorized.message,
        "POST h/v1/chat/completions: 401 Unauthorized: Incorrect API key (code invalid_api_key)"
    );
    assert_eq!(unauthorized.help.as_deref(), Some("check the key in MY_KEY"));
    let typed = fault(
        401,
        &[],
        r#"{"error": {"message": "no", "type": "invalid_request_error", "code": "invalid_api_key"}}"#,
    );
    assert!(typed.message.ends_with("no (code invalid_api_key, type invalid_request_error)"), "{typed}");
    let same = fault(400, &[], r#"{"error": {"message": "no", "type": "bad_thing", "code": "bad_thing"}}"#);
    assert!(same.message.ends_with("no (code bad_thing)"), "{same}");
    let rejected =
        fault(400, &[], r#"{"error": {"message": "bad", "code": "unsupported", "param": "max_tokens"}}"#);
    assert!(rejected.message.ends_with("bad (code unsupported, parameter max_tokens)"), "{rejected}");
    let coded = fault(429, &[], r#"{"error": {"message": "slow", "code": 429}}"#);
    assert!(coded.message.ends_with("429 Too Many Requests: slow"), "{coded}");
    let bare = fault(503, &[], "");
    assert_eq!(bare.message, "POST h/v1/chat/completions: 503 Service Unavailable");
}

#[test]
fn next_step_is_about_what_the_server_names() {
    let help = |status, body: &str| fault(status, &[], body).help.unwrap_or_default();
    let model = r#"{"error": {"message": "The model `gpt-9` does not exist", "code": "model_not_found"}}"#;
    assert!(help(404, model).starts_with("check the model's name") && !help(404, model).contains("/v1"));
    assert!(
        help(404, r#"{"error": {"message": "no", "param": "model"}}"#).starts_with("check the model's name")
    );
    assert!(help(404, "<html>nothing here</html>").contains("/v1"));
    let refused = r#"{"error": {"message": "Unsupported value", "param": "temperature"}}"#;
    assert_eq!(help(400, refused), "remove or change `temperature`, which this endpoint or model refuses");
    for param in ["", "a`b", "[x](http://e)", &"p".repeat(90)] {
        let body = serde_json::json!({"error": {"message": "no", "param": param}}).to_string();
        assert_eq!(help(400, &body), "check model and parameters", "{param:?}");
    }
}

#[test]
fn echoed_keys_are_redacted() {
    let echoed = fault(
        401,
        &[],
        r#"{"error": {"message": "no such key: sk-canary-0123456789", "code": "sk-canary-0123456789"}}"#,
    );
    assert!(!echoed.message.contains("canary"), "{echoed}");
}
