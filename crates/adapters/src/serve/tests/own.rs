//! The own route, its caching, health, authentication and unknown routes.

use hyper::Method;
use promptgate_core::text::Secret;
use serde_json::json;

use super::{Options, Served, chat, ledger, text};

#[tokio::test]
async fn prompt_has_content_and_attributes() {
    let served = Served::standard().await;
    let answer = served.get("/v1/prompts/support/reply?unit=user-1").await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json(),
        json!({
            "name": "support/reply",
            "version": "2.3.1",
            "number": 1,
            "digest": text("Hello {{name}}.").digest(),
            "kind": "text",
            "messages": [
                {"role": "system", "content": "Hello {{name}}."},
                {"role": "user", "content": "{{query}}"},
            ],
            "model": "gpt-5-mini",
            "parameters": {"temperature": 0.2},
            "answer_schema": null,
            "variant": "control",
            "attributes": {
                "gen_ai.prompt.name": "support/reply",
                "gen_ai.prompt.version": "2.3.1",
                "feature_flag.key": "support/reply",
                "feature_flag.result.variant": "control",
                "langfuse.observation.prompt.name": "support/reply",
                "langfuse.observation.prompt.version": 1,
            },
        })
    );
    let triage = served.get("/v1/prompts/triage").await.json();
    assert_eq!(triage["answer_schema"], chat("").answer_schema.expect("a schema"));
    assert_eq!(triage["kind"], "chat");
}

#[tokio::test]
async fn reference_selects_a_version_without_assignment() {
    let served = Served::standard().await;
    for (query, version, variant) in [
        ("", "2.3.1", json!("control")),
        ("?ref=production", "2.3.1", json!("control")),
        ("?ref=staging", "2.4.0", json!(null)),
        ("?ref=latest", "2.4.1", json!(null)),
        ("?ref=2.4.0&unit=u", "2.4.0", json!(null)),
    ] {
        let body = served.get(&format!("/v1/prompts/support%2Freply{query}")).await.json();
        assert_eq!(body["version"], version, "{query}");
        assert_eq!(body["variant"], variant, "{query}");
        assert_eq!(body["attributes"]["feature_flag.result.variant"], variant, "{query}");
        assert_eq!(body["attributes"]["gen_ai.prompt.version"], version);
    }
}

#[tokio::test]
async fn entity_tag_saves_the_body_until_the_label_moves() {
    let served = Served::standard().await;
    let first = served.get("/v1/prompts/support/reply").await;
    let tag = first.header("etag").to_owned();
    assert_eq!(first.header("cache-control"), "private, no-cache");
    let headers = [("if-none-match", tag.as_str())];
    let again = served.send(Method::GET, "/v1/prompts/support/reply?unit=u", &headers, "").await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    assert_eq!(again.header("etag"), tag);

    served.ledger.set_label("support/reply", "production", "2.4.0");
    served.refresh().await;
    let moved = served.send(Method::GET, "/v1/prompts/support/reply", &headers, "").await;
    assert_eq!(moved.status, 200);
    assert_eq!(moved.json()["version"], "2.4.0");
    assert_ne!(moved.header("etag"), tag);

    // The same version is found under its number, where it never changes.
    let pinned = served.get("/v1/prompts/support/reply?ref=2.3.1").await;
    assert_eq!(pinned.header("cache-control"), "private, max-age=86400, immutable");
}

#[tokio::test]
async fn langfuse_entity_tag_changes_when_labels_do() {
    let served = Served::standard().await;
    let uri = "/api/public/v2/prompts/support%2Freply?version=2";
    let before = served.get(uri).await;
    let headers = [("if-none-match", before.header("etag"))];
    assert_eq!(served.send(Method::GET, uri, &headers, "").await.status, 304);
    served.ledger.set_label("support/reply", "production", "2.4.0");
    served.refresh().await;
    let after = served.send(Method::GET, uri, &headers, "").await;
    assert_eq!(after.status, 200);
    assert_eq!(after.json()["labels"], json!(["production", "staging", "v2.4.0"]));
}

#[tokio::test]
async fn invalid_requests_are_explained() {
    let served = Served::standard().await;
    let unit = "u".repeat(1025);
    for (uri, status, code, part) in [
        (
            "/v1/prompts/support/reply?lable=x".to_owned(),
            400,
            "invalid_request",
            "`lable`: expected `ref` or `unit`",
        ),
        ("/v1/prompts/Reply".to_owned(), 400, "invalid_request", "invalid prompt name `Reply`"),
        ("/v1/prompts/".to_owned(), 400, "invalid_request", "invalid prompt name ``"),
        ("/v1/prompts/a/../b".to_owned(), 400, "invalid_request", "invalid prompt name"),
        ("/v1/prompts/triage?ref=1.2".to_owned(), 400, "invalid_request", "invalid version or label `1.2`"),
        ("/v1/prompts/triage?ref=Prod".to_owned(), 400, "invalid_request", "invalid version or label `Prod`"),
        ("/v1/prompts/tri%age".to_owned(), 400, "invalid_request", "percent-encoding in the path"),
        ("/v1/prompts/triage?unit=%".to_owned(), 400, "invalid_request", "percent-encoding in the query"),
        (
            "/v1/prompts/triage?unit=a&unit=b".to_owned(),
            400,
            "invalid_request",
            "duplicate query parameter `unit`",
        ),
        (format!("/v1/prompts/triage?unit={unit}"), 400, "invalid_request", "the unit is too long"),
        ("/v1/prompts/absent".to_owned(), 404, "not_found", "unknown prompt absent"),
        ("/v1/prompts/triage?ref=9.9.9".to_owned(), 404, "not_found", "triage has no version 9.9.9"),
        (
            "/v1/prompts/triage?ref=staging".to_owned(),
            404,
            "not_found",
            "no version of triage has the label staging",
        ),
        ("/".to_owned(), 404, "not_found", "no such path: /; expected /v1/prompts/NAME"),
        ("/v1/prompts".to_owned(), 404, "not_found", "no such path"),
        ("/api/public/v2/promptsx/triage".to_owned(), 404, "not_found", "no such path"),
        ("/api/public/datasets".to_owned(), 404, "not_found", "no such path"),
        (format!("/v1/prompts/{}", "a".repeat(4096)), 414, "uri_too_long", "expected at most 4096"),
    ] {
        served.get(&uri).await.expect_error(status, code, part);
    }
    let posted = served.send(Method::POST, "/healthz", &[], "").await;
    posted.expect_error(405, "method_not_allowed", "only reads");
}

#[tokio::test]
async fn token_is_required_everywhere_but_for_the_status() {
    let options = Options { token: Some(Secret::new("sk-lf-local")), ..Options::default() };
    let served = Served::new(ledger(), options).await;
    for uri in ["/v1/prompts/triage", "/api/public/v2/prompts", "/api/public/v2/prompts/triage", "/nowhere"] {
        let refused = served.get(uri).await;
        refused.expect_error(401, "unauthorized", "the secret key of Langfuse's SDKs");
        assert_eq!(refused.header("www-authenticate"), "Bearer, Basic realm=\"promptgate\"");
        let wrong = served.send(Method::GET, uri, &[("authorization", "Bearer sk-lf-loca")], "").await;
        assert_eq!(wrong.status, 401);
    }
    let posted = served.send(Method::POST, "/api/public/ingestion", &[], "{}").await;
    assert_eq!(posted.status, 401);
    // The header of a Langfuse SDK with the keys pk-lf-local and sk-lf-local.
    for authorization in ["Bearer sk-lf-local", "Basic cGstbGYtbG9jYWw6c2stbGYtbG9jYWw="] {
        let headers = [("authorization", authorization)];
        assert_eq!(served.send(Method::GET, "/v1/prompts/triage", &headers, "").await.status, 200);
        let health = served.send(Method::GET, "/healthz", &headers, "").await.json();
        assert_eq!(health["prompts"], 2);
    }
    assert_eq!(served.health().await, json!({"status": "ok"}));
}
