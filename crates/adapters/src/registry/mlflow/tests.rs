//! Faults, other writers and models of others, with a scripted server. `tests/real` runs the real one.

use std::time::Duration;

use promptgate_core::text::Secret;
use promptgate_release::ports::Registry;
use promptgate_release::{Label, Name, PortError, Record};
use promptgate_testing::registry::{record, text};
use serde_json::{Value, json};

use super::{Limits, Mlflow, MlflowOptions, wire};
use crate::http::test_server::{Reaction, Received, Server, response};

const QUICK: Limits = Limits { timeout: Duration::from_secs(5), first_wait: Duration::ZERO };
const PROMPT: &str = "support-reply";
const PASSWORD: &str = "hush-0123456789";

fn options(tracking_uri: &str) -> MlflowOptions {
    MlflowOptions {
        tracking_uri: tracking_uri.to_owned(),
        name: None,
        user: Some("gate".to_owned()),
        password: Some(Secret::new(PASSWORD)),
    }
}

async fn start(script: impl IntoIterator<Item = Reaction>) -> (Server, Mlflow) {
    let server = Server::start(script).await;
    let mlflow = Mlflow::with_limits(options(&server.base_url()), QUICK).unwrap();
    (server, mlflow)
}

fn name() -> Name {
    PROMPT.parse().unwrap()
}

fn numbered(number: u32) -> Record {
    record(PROMPT, number, text(&format!("Text {number}.")))
}

/// The server's JSON of a version of a record.
fn stored(record: &Record, version: u32) -> Value {
    let mut version_json = wire::create_version_body(record, PROMPT).unwrap();
    version_json["version"] = json!(version.to_string());
    version_json
}

fn ok(body: &Value) -> Reaction {
    response(200, "", &body.to_string())
}

fn version(record: &Record, number: u32) -> Reaction {
    ok(&json!({"model_version": stored(record, number)}))
}

fn model(aliases: &Value) -> Reaction {
    let tags = json!([{"key": "mlflow.prompt.is_prompt", "value": "true"}]);
    ok(&json!({"registered_model": {"name": PROMPT, "tags": tags, "aliases": aliases}}))
}

fn error(status: u16, code: &str) -> Reaction {
    response(status, "", &json!({"error_code": code, "message": "said the server"}).to_string())
}

fn line(received: &Received) -> String {
    received.head.lines().next().unwrap().to_owned()
}

fn message_of(error: &PortError) -> String {
    let text = format!("{error} {error:?}");
    // The password, and its form in the header.
    assert!(!text.contains(PASSWORD) && !text.contains("Z2F0ZTpodXNo"), "{text}");
    error.to_string()
}

type IsKind = fn(&PortError) -> bool;

const UNAVAILABLE: IsKind = |error| matches!(error, PortError::Unavailable(_));
const REFUSED: IsKind = |error| matches!(error, PortError::Refused(_));
const INVALID: IsKind = |error| matches!(error, PortError::Invalid(_));

fn plain(status: u16, kind: &str, headers: &str, body: &str) -> Reaction {
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n{headers}\r\n");
    Reaction::Write(format!("{head}{body}").into_bytes())
}

#[tokio::test]
async fn failed_reads_are_clear_errors() {
    let unauthorized = "You are not authenticated. Please see the documentation";
    let html = "<!doctype html>\n<title>404 Not Found</title>";
    let cases: Vec<(Vec<Reaction>, IsKind, &str)> = vec![
        (
            vec![plain(401, "text/plain", "www-authenticate: Basic realm=\"mlflow\"\r\n", unauthorized)],
            REFUSED,
            "password_env",
        ),
        (
            vec![plain(403, "text/plain", "", "Permission denied")],
            REFUSED,
            "403 Forbidden: Permission denied",
        ),
        (vec![plain(403, "text/plain", "", "Invalid Host header")], REFUSED, "Invalid Host header"),
        (vec![plain(404, "text/html", "", html)], UNAVAILABLE, "does the address lead to the registry?"),
        (vec![error(404, "ENDPOINT_NOT_FOUND")], UNAVAILABLE, "said the server"),
        (vec![error(409, "CONFLICT")], REFUSED, "409 Conflict: said the server"),
        (vec![error(400, "INVALID_PARAMETER_VALUE")], INVALID, "INVALID_PARAMETER_VALUE"),
        (vec![response(429, "retry-after: 90\r\n", "{}")], UNAVAILABLE, "in 90 s"),
        (vec![error(500, "INTERNAL_ERROR"), error(500, "a"), error(500, "b")], UNAVAILABLE, "code b"),
        (vec![plain(200, "text/html", "", html)], UNAVAILABLE, "the answer is text/html, not JSON"),
        (
            vec![plain(200, "application/json", "", "{\"model_version\": {")],
            UNAVAILABLE,
            "not the expected JSON",
        ),
        (vec![ok(&json!({}))], UNAVAILABLE, "missing field `model_version`"),
        (
            vec![plain(307, "text/plain", "location: http://elsewhere.invalid/\r\n", "")],
            UNAVAILABLE,
            "was not sent there",
        ),
        (vec![Reaction::Reset, Reaction::Reset, Reaction::Reset], UNAVAILABLE, "GET localhost"),
    ];
    for (script, is_kind, expected) in cases {
        let requests = script.len();
        let (server, mlflow) = start(script).await;
        let error = mlflow.get(&name(), &"1".to_owned()).await.unwrap_err();
        assert!(is_kind(&error) && message_of(&error).contains(expected), "{expected}: {error:?}");
        assert!(server.received().len() <= requests, "{expected}");
    }
}

#[tokio::test]
async fn silent_and_absent_servers_are_unavailable() {
    let server = Server::start([Reaction::Hang]).await;
    let limits = Limits { timeout: Duration::from_millis(150), first_wait: Duration::ZERO };
    let mlflow = Mlflow::with_limits(options(&server.base_url()), limits).unwrap();
    let error = mlflow.labels(&name()).await.unwrap_err();
    assert!(UNAVAILABLE(&error) && message_of(&error).contains("within 0.15 s"), "{error:?}");
    assert_eq!(server.received().len(), 1);
    let address = server.base_url();
    drop(server);
    let mlflow = Mlflow::with_limits(options(&address), QUICK).unwrap();
    let error = mlflow.labels(&name()).await.unwrap_err();
    assert!(UNAVAILABLE(&error), "{error:?}");
    message_of(&error);
}

#[tokio::test]
async fn absent_prompts_and_versions_are_none() {
    let absent = || error(404, "RESOURCE_DOES_NOT_EXIST");
    let (server, mlflow) = start([absent(), absent(), ok(&json!({})), ok(&json!({}))]).await;
    assert_eq!(mlflow.get(&name(), &"1".to_owned()).await.unwrap(), None);
    assert!(mlflow.labels(&name()).await.unwrap().is_empty());
    assert_eq!(mlflow.versions(&name()).await.unwrap(), []);
    assert_eq!(mlflow.find_by_digest(&name(), &numbered(1).digest).await.unwrap(), None);
    assert!(server.received()[0].head.contains("authorization: basic "));
}

#[tokio::test]
async fn every_page_is_searched_for_a_digest() {
    let page = |numbers: [u32; 2], token: &str| {
        let versions = numbers.map(|number| stored(&numbered(number), number));
        ok(&json!({"model_versions": versions, "next_page_token": token}))
    };
    let (server, mlflow) = start([page([4, 3], "second"), page([2, 1], "")]).await;
    let found = mlflow.find_by_digest(&name(), &numbered(1).digest).await.unwrap().unwrap();
    assert_eq!((found.id.as_str(), found.content), ("1", numbered(1).content));
    let received = server.received();
    assert_eq!(received.len(), 2);
    assert!(line(&received[1]).contains("&page_token=second"), "{}", line(&received[1]));
    // A server that repeats a token does not keep the search going.
    let (_server, mlflow) = start([page([4, 3], "again"), page([2, 1], "again")]).await;
    assert_eq!(mlflow.versions(&name()).await.unwrap().len(), 4);
}

#[tokio::test]
async fn created_version_with_a_lost_answer_is_found() {
    let record = numbered(1);
    let list = ok(&json!({"model_versions": [stored(&record, 1)]}));
    let alias = json!([{"alias": "v1-0-0", "version": "1"}]);
    let closed = Reaction::WriteAndClose(Vec::new());
    let script =
        [model(&json!([])), closed.clone(), list, ok(&json!({})), version(&record, 1), model(&alias)];
    let (server, mlflow) = start(script).await;
    assert_eq!(mlflow.create_version(&record).await.unwrap(), "1");
    let creations = |server: &Server| {
        let received = server.received();
        received.iter().filter(|request| line(request).contains("model-versions/create")).count()
    };
    assert_eq!(creations(&server), 1);

    let (server, mlflow) = start([model(&json!([])), closed, ok(&json!({}))]).await;
    let error = mlflow.create_version(&record).await.unwrap_err();
    assert!(UNAVAILABLE(&error) && message_of(&error).contains("looks for its digest first"), "{error:?}");
    assert_eq!(creations(&server), 1);
}

#[tokio::test]
async fn prompt_created_by_another_writer_meanwhile_is_used() {
    let record = numbered(1);
    let alias = json!([{"alias": "v1-0-0", "version": "1"}]);
    let script = [
        error(404, "RESOURCE_DOES_NOT_EXIST"),
        error(400, "RESOURCE_ALREADY_EXISTS"),
        version(&record, 1),
        ok(&json!({})),
        version(&record, 1),
        model(&alias),
    ];
    let (_server, mlflow) = start(script).await;
    assert_eq!(mlflow.create_version(&record).await.unwrap(), "1");
}

#[tokio::test]
async fn version_label_on_another_version_is_a_conflict() {
    let record = numbered(1);
    let alias = json!([{"alias": "v1-0-0", "version": "2"}]);
    let script = [model(&json!([])), version(&record, 1), ok(&json!({})), version(&record, 1), model(&alias)];
    let (_server, mlflow) = start(script).await;
    let error = mlflow.create_version(&record).await.unwrap_err();
    assert_eq!(error, PortError::Conflict("label in the registry"));
}

#[tokio::test]
async fn label_that_moved_meanwhile_is_a_conflict() {
    let moved = json!([{"alias": "production", "version": "2"}]);
    let (server, mlflow) = start([version(&numbered(1), 1), ok(&json!({})), model(&moved)]).await;
    let error = mlflow.set_label(&name(), &Label::Production, &"1".to_owned()).await.unwrap_err();
    assert_eq!(error, PortError::Conflict("label in the registry"));
    let body: Value = serde_json::from_slice(&server.received()[1].body).unwrap();
    assert_eq!(body, json!({"name": PROMPT, "alias": "production", "version": "1"}));
}

#[tokio::test]
async fn label_created_at_the_same_time_is_a_conflict() {
    // As the real server answered one of two writers.
    let message = "(sqlite3.IntegrityError) UNIQUE constraint failed: registered_model_aliases.workspace";
    let refused = response(400, "", &json!({"error_code": "BAD_REQUEST", "message": message}).to_string());
    let (_server, mlflow) = start([version(&numbered(1), 1), refused]).await;
    let error = mlflow.set_label(&name(), &Label::Production, &"1".to_owned()).await.unwrap_err();
    assert_eq!(error, PortError::Conflict("label in the registry"));
}

#[tokio::test]
async fn mutated_version_is_an_error_and_gets_no_label() {
    let changes = [
        ("mlflow.prompt.text", "Text 2."),
        ("_mlflow_prompt_type", "chat"),
        (
            "_mlflow_prompt_model_config",
            "{\"model_name\": \"gpt-y\", \"temperature\": 0.2, \"max_tokens\": 800}",
        ),
        ("_mlflow_prompt_model_config", "not JSON"),
        ("_mlflow_prompt_response_format", "{}"),
        ("promptgate.user", "A: {{question}}"),
    ];
    for (key, value) in changes {
        let mut mutated = stored(&numbered(1), 1);
        let tags = mutated["tags"].as_array_mut().unwrap();
        tags.retain(|tag| tag["key"] != key);
        tags.push(json!({"key": key, "value": value}));
        let reply = ok(&json!({"model_version": mutated}));
        let (server, mlflow) = start([reply.clone(), reply]).await;
        let read = mlflow.get(&name(), &"1".to_owned()).await.unwrap_err();
        let set = mlflow.set_label(&name(), &Label::Production, &"1".to_owned()).await.unwrap_err();
        for error in [read, set] {
            // Messages that are no list of messages cannot be read at all.
            let is_unreadable = key == "_mlflow_prompt_type" && INVALID(&error);
            assert!(matches!(error, PortError::Mutated(_)) || is_unreadable, "{key}: {error:?}");
        }
        assert!(server.received().iter().all(|request| request.head.starts_with("GET ")));
    }
}

#[tokio::test]
async fn ordinary_models_are_left_alone() {
    let ordinary = ok(&json!({"registered_model": {"name": PROMPT, "tags": []}}));
    let (server, mlflow) = start([ordinary]).await;
    let error = mlflow.create_version(&numbered(1)).await.unwrap_err();
    assert!(INVALID(&error) && message_of(&error).contains("name: support-reply-prompt}}"), "{error:?}");
    assert_eq!(server.received().len(), 1);
    let mut version = stored(&numbered(1), 1);
    version["tags"] = json!([]);
    let (_server, mlflow) = start([ok(&json!({"model_version": version}))]).await;
    assert_eq!(mlflow.get(&name(), &"1".to_owned()).await.unwrap(), None);
}

#[tokio::test]
async fn long_text_is_refused_before_a_call() {
    let (server, mlflow) = start([]).await;
    let error = mlflow.create_version(&record(PROMPT, 1, text(&"ä".repeat(100_001)))).await.unwrap_err();
    assert!(
        INVALID(&error) && message_of(&error).contains("mlflow.prompt.text would have 100001"),
        "{error:?}"
    );
    assert!(server.received().is_empty());
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let https = "https://mlflow.example";
    for (options, expected) in [
        (options("http://mlflow.example"), "without encryption"),
        (options("databricks"), "not a valid URL"),
        (options("sqlite:///mlflow.db"), "expected http or https"),
        (MlflowOptions { password: None, ..options(https) }, "without a password"),
        (MlflowOptions { user: None, ..options(https) }, "without a user"),
        (MlflowOptions { name: Some("support/reply".into()), ..options(https) }, "invalid prompt name"),
    ] {
        let text = Mlflow::new(options).unwrap_err().to_string();
        assert!(text.contains(expected) && !text.contains(PASSWORD), "{text}");
    }
    let open = MlflowOptions { user: None, password: None, ..options("http://mlflow.example") };
    assert!(Mlflow::new(open).is_ok());
}

#[test]
fn names_and_labels_that_do_not_fit_come_with_a_suggestion() {
    let mlflow = Mlflow::new(options("https://mlflow.example")).unwrap();
    let error = mlflow.name(&"support/reply".parse().unwrap()).unwrap_err();
    assert!(INVALID(&error) && error.to_string().contains("mlflow: {…, name: support-reply}}"), "{error}");
    for label in ["v2", "V17", "Latest", "a.b", "ä"] {
        assert!(INVALID(&mlflow.label(label).unwrap_err()), "{label}");
    }
    assert_eq!(mlflow.label("v2.4.0").unwrap(), "v2-4-0");
    assert_eq!(mlflow.label("Production").unwrap(), "Production");
}
