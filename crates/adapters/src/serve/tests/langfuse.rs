//! Langfuse's routes. The expected forms are those that the SDKs 5.0.4 (Python) and 5.11.1 (JavaScript) were answered.

use hyper::Method;
use promptgate_core::text::Secret;
use promptgate_release::ports::Registry as _;
use promptgate_release::{Label, Name};
use serde_json::json;

use super::connections::Running;
use super::{FaultyLedger, Options, Served, chat, text};
use crate::registry::{Langfuse, LangfuseOptions};
use crate::serve::Limits;
use std::sync::Arc;

const PATH: &str = "/api/public/v2/prompts";

#[tokio::test]
async fn text_prompt_has_the_form_that_sdks_read() {
    let served = Served::standard().await;
    let answer = served.get(&format!("{PATH}/support%2Freply")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/json");
    let digest = text("Hello {{name}}.").digest();
    assert_eq!(
        answer.json(),
        json!({
            "id": "support/reply@2.3.1",
            "createdAt": "2026-11-30T00:53:21Z",
            "updatedAt": "2026-11-30T00:53:21Z",
            "projectId": "promptgate",
            "createdBy": "promptgate",
            "name": "support/reply",
            "version": 1,
            "type": "text",
            "prompt": "Hello {{name}}.",
            "config": {
                "model": "gpt-5-mini",
                "temperature": 0.2,
                "promptgate": {"version": "2.3.1", "digest": digest, "level": "minor", "user": "{{query}}"},
            },
            "labels": ["canary", "production", "v2.3.1"],
            "tags": [],
            "commitMessage": "Reason of 2.3.1",
            "isActive": true,
            "resolutionGraph": null,
        })
    );
}

#[tokio::test]
async fn chat_prompt_has_all_messages_and_its_schema() {
    let served = Served::standard().await;
    let body = served.get(&format!("{PATH}/triage")).await.json();
    assert_eq!(body["type"], "chat");
    assert_eq!(
        body["prompt"],
        json!([
            {"role": "system", "content": "Sort for {{company}}."},
            {"role": "user", "content": "{{example}}"},
            {"role": "assistant", "content": "Yes."},
            {"role": "user", "content": "{{question}}"},
        ])
    );
    // The order of properties is the order of generation.
    assert_eq!(
        body["config"]["response_format"].to_string(),
        r#"{"type":"json_schema","json_schema":{"name":"answer","schema":{"type":"object","properties":{"b":{},"a":{}}}}}"#
    );
    assert_eq!(body["labels"], json!(["latest", "production", "v0.1.0"]));
}

#[tokio::test]
async fn version_and_labels_select_a_version() {
    let served = Served::standard().await;
    for (query, number) in [
        ("", 1),
        ("?label=production", 1),
        ("?label=canary", 1),
        ("?label=staging", 2),
        ("?label=latest", 3),
        ("?label=v2.4.0", 2),
        ("?version=1", 1),
        ("?version=3", 3),
        ("?version=&label=latest", 3),
        ("?resolve=true&label=staging", 2),
    ] {
        for name in ["support%2Freply", "support%2freply", "support/reply"] {
            let answer = served.get(&format!("{PATH}/{name}{query}")).await;
            assert_eq!(answer.status, 200, "{query}");
            assert_eq!(answer.json()["version"], number, "{query}");
        }
    }
    let active = |body: serde_json::Value| body["isActive"].clone();
    assert_eq!(active(served.get(&format!("{PATH}/support%2Freply?version=2")).await.json()), false);
}

#[tokio::test]
async fn unknown_prompts_are_not_found_in_langfuse_form() {
    let served = Served::standard().await;
    for (tail, message) in [
        ("absent", "Prompt not found: 'absent' with label 'production'"),
        ("support%2Freply?label=nope", "Prompt not found: 'support/reply' with label 'nope'"),
        ("support%2Freply?label=Not%20one", "Prompt not found: 'support/reply' with label 'Not one'"),
        ("support%2Freply?label=v9.9.9", "Prompt not found: 'support/reply' with label 'v9.9.9'"),
        ("support%2Freply?version=99", "Prompt not found: 'support/reply' with version 99"),
        ("support%2Freply?version=0", "Prompt not found: 'support/reply' with version 0"),
        ("Not%20a%20Name", "Prompt not found: 'Not a Name' with label 'production'"),
        ("..%2F..%2Fetc", "Prompt not found: '../../etc' with label 'production'"),
        ("", "Prompt not found: '' with label 'production'"),
        ("triage?label=staging", "Prompt not found: 'triage' with label 'staging'"),
    ] {
        let answer = served.get(&format!("{PATH}/{tail}")).await;
        assert_eq!(answer.status, 404, "{tail}");
        assert_eq!(answer.json(), json!({"message": message, "error": "LangfuseNotFoundError"}));
    }
}

#[tokio::test]
async fn invalid_requests_are_explained() {
    let served = Served::standard().await;
    for (tail, code, part) in [
        ("/triage?version=abc", "InvalidRequestError", "must be an integer"),
        ("/triage?version=-1", "InvalidRequestError", "must be an integer"),
        ("/triage?version=99999999999999999999", "InvalidRequestError", "must be an integer"),
        ("/triage?version=1&label=latest", "InvalidRequestError", "both version and label"),
        ("/triage?label=a&label=b", "invalid_request", "duplicate query parameter `label`"),
        ("/triage?label=%zz", "invalid_request", "percent-encoding in the query"),
        ("/tri%ff", "invalid_request", "percent-encoding in the path"),
        ("?page=0", "InvalidRequestError", "page must be at least 1"),
        ("?limit=101", "InvalidRequestError", "limit from 1 to 100"),
        ("?limit=0", "InvalidRequestError", "limit from 1 to 100"),
        ("?page=x", "InvalidRequestError", "page must be at least 1"),
    ] {
        served.get(&format!("{PATH}{tail}")).await.expect_error(400, code, part);
    }
}

#[tokio::test]
async fn list_has_a_row_for_each_prompt() {
    let served = Served::standard().await;
    let body = served.get(PATH).await.json();
    assert_eq!(body["meta"], json!({"page": 1, "limit": 50, "totalItems": 2, "totalPages": 1}));
    let row = &body["data"][0];
    assert_eq!(row["name"], "support/reply");
    assert_eq!(row["type"], "text");
    assert_eq!(row["versions"], json!([1, 2, 3]));
    assert_eq!(
        row["labels"],
        json!(["canary", "latest", "production", "staging", "v2.3.1", "v2.4.0", "v2.4.1"])
    );
    assert_eq!(row["tags"], json!([]));
    assert_eq!(row["lastUpdatedAt"], "2026-11-30T01:10:00Z");
    assert_eq!(row["lastConfig"]["promptgate"]["version"], "2.4.1");
    assert_eq!(body["data"][1]["name"], "triage");
}

#[tokio::test]
async fn list_is_filtered_and_paged() {
    let served = Served::standard().await;
    let names = |body: serde_json::Value| -> Vec<String> {
        let rows = body["data"].as_array().expect("a list").clone();
        rows.iter().map(|row| row["name"].as_str().expect("a name").to_owned()).collect()
    };
    for (query, expected) in [
        ("?name=triage", vec!["triage"]),
        ("?name=absent", vec![]),
        ("?label=staging", vec!["support/reply"]),
        ("?label=production", vec!["support/reply", "triage"]),
        ("?tag=x", vec![]),
        ("?limit=1", vec!["support/reply"]),
        ("?limit=1&page=2", vec!["triage"]),
        ("?limit=1&page=3", vec![]),
        ("?page=18446744073709551615&limit=100", vec![]),
    ] {
        assert_eq!(names(served.get(&format!("{PATH}{query}")).await.json()), expected, "{query}");
    }
    let staged = served.get(&format!("{PATH}?label=staging")).await.json();
    assert_eq!(staged["data"][0]["versions"], json!([2]));
    let paged = served.get(&format!("{PATH}?limit=1&page=2")).await.json();
    assert_eq!(paged["meta"], json!({"page": 2, "limit": 1, "totalItems": 2, "totalPages": 2}));
}

#[tokio::test]
async fn writes_are_refused_with_the_command_to_use() {
    let served = Served::standard().await;
    for (method, path) in [
        (Method::POST, PATH.to_owned()),
        (Method::PATCH, format!("{PATH}/support%2Freply/versions/1")),
        (Method::DELETE, format!("{PATH}/support%2Freply?label=production")),
        (Method::PUT, "/v1/prompts/support/reply".to_owned()),
        (Method::OPTIONS, format!("{PATH}/triage")),
    ] {
        let answer = served.send(method.clone(), &path, &[], "{}").await;
        answer.expect_error(405, "method_not_allowed", "publish with `promptgate publish`");
        assert_eq!(answer.header("allow"), "GET, HEAD", "{method}");
    }
    assert_eq!(served.get(&format!("{PATH}/triage")).await.status, 200);
}

#[tokio::test]
async fn connection_checks_of_sdks_succeed() {
    let served = Served::standard().await;
    assert_eq!(served.get("/api/public/health").await.json()["status"], "OK");
    assert_eq!(served.get("/api/public/projects").await.json()["data"][0]["id"], "promptgate");
    served.send(Method::POST, "/api/public/projects", &[], "").await.expect_error(
        405,
        "method_not_allowed",
        "only reads",
    );
}

#[tokio::test]
async fn parameter_cannot_hide_the_version() {
    let mut content = text("Hello.");
    content.parameters.insert("promptgate".to_owned(), json!({"version": "9.9.9"}));
    content.parameters.insert("model".to_owned(), json!("other"));
    let ledger = FaultyLedger::default();
    ledger.publish("a", "1.0.0", content);
    let served = Served::new(Arc::new(ledger), Options::default()).await;
    let config = &served.get(&format!("{PATH}/a?label=latest")).await.json()["config"];
    assert_eq!(config["promptgate"]["version"], "1.0.0");
    assert_eq!(config["model"], "gpt-5-mini");
    assert_eq!(
        config["promptgate"]["parameters"],
        json!({"promptgate": {"version": "9.9.9"}, "model": "other"})
    );
}

#[tokio::test]
async fn own_client_of_langfuse_reads_the_published_digests() {
    let running = Running::new(Limits::default()).await;
    let client = Langfuse::new(LangfuseOptions {
        base_url: format!("http://{}", running.address),
        public_key: Secret::new("pk-lf-local"),
        secret_key: Secret::new("sk-lf-local"),
        name: None,
    });
    let client = client.expect("a client");
    let name = |text: &str| -> Name { text.parse().expect("a name") };
    for (prompt, id, version, content) in [
        ("support/reply", "2", "2.4.0", text("Hi {{name}}!")),
        ("triage", "1", "0.1.0", chat("Sort for {{company}}.")),
    ] {
        let stored = client.get(&name(prompt), &id.to_owned()).await.expect("a response").expect("a version");
        assert_eq!(stored.content, content);
        assert_eq!(stored.verify(&content.digest()), Ok(()));
        assert_eq!(stored.published, Some((version.parse().expect("a version"), content.digest())));
    }
    let labels = client.labels(&name("support/reply")).await.expect("a response");
    assert_eq!(labels.get(&Label::Production), Some(&vec!["1".to_owned()]));
    assert_eq!(labels.get(&Label::Staging), Some(&vec!["2".to_owned()]));
    assert_eq!(client.versions(&name("support/reply")).await.expect("a response").len(), 3);
    let written = client.set_label(&name("triage"), &Label::Staging, &"1".to_owned()).await;
    assert!(written.expect_err("a refusal").to_string().contains("promptgate serve only reads"));
}
