//! Faults, other writers and prompts of others, with the fake server of `promptgate-simulated`.

use std::time::Duration;

use promptgate_core::model::MessageRole;
use promptgate_core::text::Secret;
use promptgate_release::ports::Registry;
use promptgate_release::{Content, Label, Name, PortError, PromptKind, Record};
use promptgate_simulated::fake_langfuse::{
    FakeLangfuse, Fault, FaultAction, PUBLIC_KEY, SECRET_KEY, VIEWER_SECRET_KEY,
};
use promptgate_testing::registry::{message, record, text};
use serde_json::{Value, json};

use super::{Langfuse, LangfuseOptions, Limits};
use crate::http::test_server::{Server, response};

const QUICK: Limits = Limits { timeout: Duration::from_secs(5), first_wait: Duration::ZERO };
const PROMPT: &str = "support/reply";

fn options(base_url: String, secret_key: &str) -> LangfuseOptions {
    let (public_key, secret_key) = (Secret::new(PUBLIC_KEY), Secret::new(secret_key));
    LangfuseOptions { base_url, public_key, secret_key, name: None }
}

fn client(server: &FakeLangfuse) -> Langfuse {
    Langfuse::with_limits(options(server.base_url(), SECRET_KEY), QUICK).unwrap()
}

async fn start() -> (FakeLangfuse, Langfuse) {
    let server = FakeLangfuse::start().await.unwrap();
    let langfuse = client(&server);
    (server, langfuse)
}

/// A server with two versions, the first of which holds `production`.
async fn with_versions() -> (FakeLangfuse, Langfuse) {
    let (server, langfuse) = start().await;
    for number in [1, 2] {
        langfuse.create_version(&numbered(number)).await.unwrap();
    }
    langfuse.set_label(&name(), &Label::Production, &"1".to_owned()).await.unwrap();
    (server, langfuse)
}

fn numbered(number: u32) -> Record {
    record(PROMPT, number, text(&format!("Text {number}.")))
}

fn name() -> Name {
    PROMPT.parse().unwrap()
}

fn sent(server: &FakeLangfuse, method: &str) -> usize {
    server.requests().iter().filter(|request| request.method == method).count()
}

/// The message of an error; it contains no secret.
fn message_of(error: &PortError) -> String {
    let text = format!("{error} {error:?}");
    let encoded = "cGstbGYtZmFrZS0wMTIzNDU2Nzg5"; // the start of the header's value
    for secret in [SECRET_KEY, VIEWER_SECRET_KEY, encoded] {
        assert!(!text.contains(secret), "{text}");
    }
    error.to_string()
}

/// Whether an error has a kind.
type IsKind = fn(&PortError) -> bool;

const UNAVAILABLE: IsKind = |error| matches!(error, PortError::Unavailable(_));
const REFUSED: IsKind = |error| matches!(error, PortError::Refused(_));
const INVALID: IsKind = |error| matches!(error, PortError::Invalid(_));

#[tokio::test]
async fn failed_reads_are_clear_errors() {
    let status = |status, retry_after| FaultAction::Status { status, retry_after };
    let cases: [(FaultAction, usize, usize, IsKind, &str); 8] = [
        // The action, how often it is injected, the requests that follow, the error.
        (status(500, None), 3, 3, UNAVAILABLE, "500 Internal Server Error"),
        (status(503, Some(0)), 3, 3, UNAVAILABLE, "503 Service Unavailable"),
        (status(429, Some(120)), 1, 1, UNAVAILABLE, "run the command again in 120 s"),
        (status(409, None), 1, 1, REFUSED, "409 Conflict"),
        (status(400, None), 1, 1, INVALID, "400 Bad Request: injected"),
        (FaultAction::Html, 1, 1, UNAVAILABLE, "the answer is text/html, not JSON"),
        (FaultAction::CutJson, 1, 1, UNAVAILABLE, "not the expected JSON"),
        (FaultAction::CutBody, 3, 3, UNAVAILABLE, "cut off"),
    ];
    for (action, times, requests, is_kind, expected) in cases {
        let (server, langfuse) = start().await;
        for _ in 1..times {
            let again = match &action {
                FaultAction::Status { status, retry_after } => {
                    FaultAction::Status { status: *status, retry_after: *retry_after }
                }
                _ => FaultAction::CutBody,
            };
            server.inject(Fault { method: "GET", action: again });
        }
        server.inject(Fault { method: "GET", action });
        let error = langfuse.get(&name(), &"1".to_owned()).await.unwrap_err();
        assert!(is_kind(&error) && message_of(&error).contains(expected), "{expected}: {error:?}");
        assert!(message_of(&error).contains("/api/public/v2/prompts/support%2Freply"), "{error:?}");
        assert_eq!(server.requests().len(), requests, "{expected}");
    }
}

#[tokio::test]
async fn short_failures_are_retried() {
    let (server, langfuse) = with_versions().await;
    for method in ["GET", "PATCH"] {
        server.inject(Fault { method, action: FaultAction::Status { status: 429, retry_after: Some(0) } });
        server.inject(Fault::status(method, 502));
    }
    langfuse.set_label(&name(), &Label::Production, &"2".to_owned()).await.unwrap();
    assert_eq!(sent(&server, "PATCH"), 1 + 3);
    // The creation was not processed, so it is sent again.
    server
        .inject(Fault { method: "POST", action: FaultAction::Status { status: 429, retry_after: Some(0) } });
    assert_eq!(langfuse.create_version(&numbered(3)).await.unwrap(), "3");
}

#[tokio::test]
async fn wrong_keys_are_refused() {
    let (server, _) = with_versions().await;
    let stranger =
        Langfuse::with_limits(options(server.base_url(), "sk-lf-wrong-0123456789"), QUICK).unwrap();
    let error = stranger.labels(&name()).await.unwrap_err();
    let text = message_of(&error);
    assert!(REFUSED(&error) && text.contains("401") && text.contains("secret_key_env"), "{text}");

    let viewer = Langfuse::with_limits(options(server.base_url(), VIEWER_SECRET_KEY), QUICK).unwrap();
    assert_eq!(viewer.labels(&name()).await.unwrap()[&Label::Production], ["1"]);
    for result in [
        viewer.create_version(&numbered(3)).await.map(|_| ()),
        viewer.set_label(&name(), &Label::Production, &"2".to_owned()).await,
    ] {
        let error = result.unwrap_err();
        let text = message_of(&error);
        assert!(REFUSED(&error) && text.contains("403") && text.contains("write access"), "{text}");
    }
    assert_eq!(viewer.labels(&name()).await.unwrap()[&Label::Production], ["1"]);
}

#[tokio::test]
async fn silent_absent_and_wrong_servers_are_unavailable() {
    let (server, _) = start().await;
    let limits = Limits { timeout: Duration::from_millis(150), first_wait: Duration::ZERO };
    let slow = Langfuse::with_limits(options(server.base_url(), SECRET_KEY), limits).unwrap();
    server.inject(Fault { method: "GET", action: FaultAction::Hang });
    let error = slow.get(&name(), &"1".to_owned()).await.unwrap_err();
    assert!(
        UNAVAILABLE(&error) && message_of(&error).contains("no complete answer within 0.15 s"),
        "{error:?}"
    );
    assert_eq!(server.requests().len(), 1);

    let elsewhere = options(format!("{}/langfuse", server.base_url()), SECRET_KEY);
    let elsewhere = Langfuse::with_limits(elsewhere, QUICK).unwrap();
    let error = elsewhere.get(&name(), &"1".to_owned()).await.unwrap_err();
    assert!(UNAVAILABLE(&error) && message_of(&error).contains("does the address lead to"), "{error:?}");

    let address = server.base_url();
    drop(server);
    let absent = Langfuse::with_limits(options(address, SECRET_KEY), QUICK).unwrap();
    let error = absent.find_by_digest(&name(), &numbered(1).digest).await.unwrap_err();
    assert!(UNAVAILABLE(&error), "{error:?}");
    message_of(&error);
}

#[tokio::test]
async fn created_version_with_a_lost_answer_is_found() {
    let (server, langfuse) = with_versions().await;
    server.inject(Fault { method: "POST", action: FaultAction::LostAnswer });
    assert_eq!(langfuse.create_version(&numbered(3)).await.unwrap(), "3");

    // The same, and the server fails while the digest is looked for.
    server.inject(Fault { method: "POST", action: FaultAction::LostAnswer });
    for _ in 0..3 {
        server.inject(Fault::status("GET", 500));
    }
    let error = langfuse.create_version(&numbered(4)).await.unwrap_err();
    assert!(UNAVAILABLE(&error) && message_of(&error).contains("looks for its digest first"), "{error:?}");
    let found = langfuse.find_by_digest(&name(), &numbered(4).digest).await.unwrap().unwrap();
    assert_eq!(found.id, "4");
    assert_eq!(sent(&server, "POST"), 4);

    // Not processed: no version, and the request is not repeated.
    server.inject(Fault::status("POST", 500));
    let error = langfuse.create_version(&numbered(5)).await.unwrap_err();
    assert!(UNAVAILABLE(&error), "{error:?}");
    assert_eq!(langfuse.versions(&name()).await.unwrap().len(), 4);
}

#[tokio::test]
async fn second_holder_of_a_label_is_removed_or_reported() {
    let (server, langfuse) = with_versions().await;
    let second = "2".to_owned();
    server.inject(Fault::then("PATCH", |prompts| prompts.force_label(PROMPT, 1, "production")));
    langfuse.set_label(&name(), &Label::Production, &second).await.unwrap();
    assert_eq!(server.edit(|prompts| prompts.holders(PROMPT, "production")), [2]);

    for _ in 0..2 {
        server.inject(Fault::then("PATCH", |prompts| prompts.force_label(PROMPT, 1, "staging")));
    }
    let error = langfuse.set_label(&name(), &Label::Staging, &second).await.unwrap_err();
    let text = message_of(&error);
    assert!(matches!(error, PortError::Damaged(_)) && text.contains("on the versions 2 and 1"), "{text}");
    assert_eq!(langfuse.labels(&name()).await.unwrap()[&Label::Staging], ["2", "1"]);
}

#[tokio::test]
async fn label_that_moved_meanwhile_is_a_conflict() {
    let (server, langfuse) = with_versions().await;
    server.inject(Fault::then("PATCH", |prompts| prompts.move_label(PROMPT, 1, "production")));
    let error = langfuse.set_label(&name(), &Label::Production, &"2".to_owned()).await.unwrap_err();
    assert_eq!(error, PortError::Conflict("label in the registry"));
    assert_eq!(sent(&server, "PATCH"), 2, "the other writer's move is not undone");

    server.inject(Fault::status("PATCH", 409));
    let error = langfuse.set_label(&name(), &Label::Production, &"2".to_owned()).await.unwrap_err();
    assert_eq!(error, PortError::Conflict("registry"));
}

#[tokio::test]
async fn creations_at_the_same_time_are_a_conflict() {
    let message =
        "Invalid `prisma.prompt.create()`: unique constraint failure, too many concurrent prompt creations";
    let body = json!({"message": message, "error": "InvalidRequestError"}).to_string();
    let server = Server::start([response(400, "", &body)]).await;
    let langfuse = Langfuse::with_limits(options(server.base_url(), SECRET_KEY), QUICK).unwrap();
    assert_eq!(langfuse.create_version(&numbered(1)).await, Err(PortError::Conflict("registry")));
}

#[tokio::test]
async fn mutated_version_is_an_error_and_gets_no_label() {
    let edits: [fn(&mut Value, &mut Value); 5] = [
        |prompt, _| *prompt = json!("Text 2!"),
        |_, config| config["model"] = json!("gpt-y"),
        |_, config| config["temperature"] = json!(0.3),
        |_, config| config["added"] = json!(1),
        |_, config| config["promptgate"]["user"] = json!("A: {{question}}"),
    ];
    for edit in edits {
        let (server, langfuse) = with_versions().await;
        server.edit(|prompts| {
            let stored = prompts.version_mut(PROMPT, 2).unwrap();
            edit(&mut stored.prompt, &mut stored.config);
        });
        let patches = sent(&server, "PATCH");
        for result in [
            langfuse.get(&name(), &"2".to_owned()).await.map(|_| ()),
            langfuse.set_label(&name(), &Label::Production, &"2".to_owned()).await,
        ] {
            let error = result.unwrap_err();
            assert!(matches!(error, PortError::Mutated(_)), "{error:?}");
        }
        assert_eq!(sent(&server, "PATCH"), patches);
        // Found all the same, so that it can be reported.
        let found = langfuse.find_by_digest(&name(), &numbered(2).digest).await.unwrap().unwrap();
        assert!(found.verify(&numbered(2).digest).is_err());
    }
}

#[tokio::test]
async fn creation_that_changes_the_content_is_an_error() {
    let (server, langfuse) = start().await;
    server.inject(Fault::then("POST", |prompts| {
        prompts.version_mut(PROMPT, 1).unwrap().prompt = json!("Text");
    }));
    let error = langfuse.create_version(&numbered(1)).await.unwrap_err();
    assert!(matches!(error, PortError::Mutated(_)), "{error:?}");
    server.inject(Fault::then("POST", |prompts| {
        prompts.version_mut(PROMPT, 2).unwrap().config = json!({});
    }));
    let error = langfuse.create_version(&numbered(2)).await.unwrap_err();
    assert!(matches!(error, PortError::Damaged(_)), "{error:?}");
}

#[tokio::test]
async fn creation_sends_no_serving_label_and_what_applications_read() {
    let (server, langfuse) = start().await;
    let content = Content { answer_schema: Some(json!({"type": "object"})), ..text("Help {{company}}.") };
    let record = Record { reason: "x".repeat(600), ..record(PROMPT, 1, content) };
    langfuse.create_version(&record).await.unwrap();
    let body = &server.requests()[0].body;
    assert_eq!(body["labels"], json!(["v1.0.0"]));
    assert_eq!(body["type"], "text");
    assert_eq!(body["prompt"], "Help {{company}}.");
    assert_eq!(body["commitMessage"].as_str().unwrap().chars().count(), 500);
    assert_eq!(
        body["config"],
        json!({
            "model": "gpt-x", "temperature": 0.2, "max_tokens": 800,
            "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}},
            "promptgate": {
                "version": "1.0.0", "digest": record.digest, "level": "minor",
                "commit": "0123456789abcdef0123456789abcdef01234567", "pull_request": 7, "user": "Q: {{question}}",
            },
        })
    );
    assert!(server.edit(|prompts| prompts.holders(PROMPT, "production")).is_empty());
}

#[tokio::test]
async fn requested_response_format_is_sent_as_it_is() {
    let (server, langfuse) = start().await;
    let schema = json!({"type": "object"});
    let format =
        json!({"type": "json_schema", "json_schema": {"name": "a", "strict": true, "schema": schema}});
    let mut content = Content { answer_schema: Some(schema), ..text("Help.") };
    content.parameters.insert("response_format".to_owned(), format.clone());
    let id = langfuse.create_version(&record(PROMPT, 1, content.clone())).await.unwrap();
    assert_eq!(server.requests()[0].body["config"]["response_format"], format);
    assert_eq!(langfuse.get(&name(), &id).await.unwrap().unwrap().content, content);
}

#[tokio::test]
async fn content_that_cannot_be_stored_is_refused_before_a_call() {
    let (server, langfuse) = start().await;
    let chat = |messages| Content { kind: PromptKind::Chat, messages, ..text("") };
    let lone = |role| Content { messages: vec![message(role, "a")], ..text("") };
    for (content, expected) in [
        (text("See @@@langfusePrompt:name=a|label=production@@@"), "refers to another prompt"),
        (text("a\0b"), "U+0000"),
        (chat(vec![]), "no messages"),
        (lone(MessageRole::User), "begins with its system message"),
        (
            Content { messages: [text("a").messages, text("b").messages].concat(), ..text("") },
            "one system message",
        ),
    ] {
        let error = langfuse.create_version(&record(PROMPT, 1, content)).await.unwrap_err();
        assert!(INVALID(&error) && message_of(&error).contains(expected), "{error:?}");
    }
    assert_eq!(server.requests(), []);
}

#[tokio::test]
async fn change_of_the_type_is_explained_by_the_server() {
    let (_server, langfuse) = with_versions().await;
    let chat = Content { kind: PromptKind::Chat, ..text("Text 3.") };
    let error = langfuse.create_version(&record(PROMPT, 3, chat)).await.unwrap_err();
    assert!(INVALID(&error) && message_of(&error).contains("different prompt type"), "{error:?}");
}

/// A version that somebody made with an SDK or in the web interface.
fn foreign(version: u64, fields: &Value) -> Value {
    let mut row = json!({
        "id": "c1", "name": PROMPT, "version": version, "type": "text", "prompt": "Hi", "config": null, "labels": null,
        "tags": null, "commitMessage": null, "createdBy": "user-1", "resolutionGraph": null, "unknown": [1],
    });
    for (key, value) in fields.as_object().unwrap() {
        row[key] = value.clone();
    }
    row
}

#[tokio::test]
async fn prompts_of_others_are_read() {
    let chat = json!([
        {"role": "system", "content": "Help.", "type": "chatmessage"}, {"role": "user", "content": "{{q}}"},
    ]);
    let rows = [
        foreign(1, &json!({})),
        foreign(
            2,
            &json!({"type": "chat", "prompt": chat, "config": {"model": "m", "top_p": 1, "list": ["a"]}}),
        ),
        foreign(
            3,
            &json!({"config": {"model": {"a": 1}, "promptgate": "x"}, "createdBy": "API", "commitMessage": "m"}),
        ),
    ];
    let server = Server::start(rows.map(|row| response(200, "", &row.to_string()))).await;
    let langfuse = Langfuse::with_limits(options(server.base_url(), SECRET_KEY), QUICK).unwrap();
    let mut read = Vec::new();
    for id in 1..=3 {
        read.push(langfuse.get(&name(), &id.to_string()).await.unwrap().unwrap());
    }
    assert!(read.iter().all(|stored| stored.published.is_none()));
    assert_eq!(read[0].author.as_deref(), Some("user-1"));
    assert_eq!(read[0].content.messages, [message(MessageRole::System, "Hi")]);
    assert_eq!((read[0].content.model.as_str(), read[0].message.as_deref()), ("", None));
    assert_eq!(read[1].content.kind, PromptKind::Chat);
    assert_eq!(read[1].content.messages.len(), 2);
    assert_eq!(json!(read[1].content.parameters), json!({"top_p": 1, "list": ["a"]}));
    assert_eq!((read[2].author.as_deref(), read[2].message.as_deref()), (None, Some("m")));
}

#[tokio::test]
async fn placeholder_messages_are_listed_and_refused() {
    let prompt = json!([{"role": "system", "content": "a"}, {"type": "placeholder", "name": "history"}]);
    let row = foreign(1, &json!({"type": "chat", "prompt": prompt})).to_string();
    let list = json!({"data": [{"name": PROMPT, "versions": [1]}], "meta": {"totalPages": 1}}).to_string();
    let script = [response(200, "", &row), response(200, "", &list), response(200, "", &row)];
    let server = Server::start(script).await;
    let langfuse = Langfuse::with_limits(options(server.base_url(), SECRET_KEY), QUICK).unwrap();
    let error = langfuse.get(&name(), &"1".to_owned()).await.unwrap_err();
    assert!(INVALID(&error) && message_of(&error).contains("placeholder"), "{error:?}");
    let versions = langfuse.versions(&name()).await.unwrap();
    assert_eq!(versions[0].content.messages, []);
}

#[tokio::test]
async fn every_page_and_row_of_the_list_counts() {
    let page = |versions: Value| json!({"data": versions, "meta": {"totalPages": 2}}).to_string();
    // A prompt whose versions differ in type or tags has several rows.
    let one = page(json!([{"name": PROMPT, "versions": [1, 3]}, {"name": "other", "versions": [9]}]));
    let two = page(json!([{"name": PROMPT, "versions": [2, 3]}]));
    let server = Server::start([response(200, "", &one), response(200, "", &two)]).await;
    let langfuse = Langfuse::with_limits(options(server.base_url(), SECRET_KEY), QUICK).unwrap();
    assert_eq!(langfuse.numbers(PROMPT, Some("production")).await.unwrap(), [3, 2, 1]);
    let received = server.received();
    let line = received[1].head.lines().next().unwrap().to_owned();
    let expected = "name=support%2Freply&page=2&limit=100&label=production";
    assert!(line.contains(expected), "{line}");
}

#[test]
fn settings_that_cannot_work_are_refused() {
    for (base_url, name, expected) in [
        ("http://langfuse.example", None, "without encryption"),
        ("https://langfuse.example?x=1", None, "query"),
        ("langfuse.example", None, "not a valid URL"),
        ("https://user:hush@langfuse.example", None, "user name or a password"),
        ("https://langfuse.example", Some("a|b"), "`|`"),
        ("https://langfuse.example", Some("new"), "reserved"),
        ("https://langfuse.example", Some(""), "1 to 255"),
    ] {
        let options =
            LangfuseOptions { name: name.map(str::to_owned), ..options(base_url.into(), SECRET_KEY) };
        let text = Langfuse::new(options).unwrap_err().to_string();
        assert!(text.contains(expected) && !text.contains("hush") && !text.contains(SECRET_KEY), "{text}");
    }
    let broken = LangfuseOptions {
        public_key: Secret::new("pk\nlf"),
        ..options("https://x.example".into(), SECRET_KEY)
    };
    assert!(Langfuse::new(broken).is_ok(), "a line break is encoded");
}

#[test]
fn names_and_labels_that_do_not_fit_come_with_a_suggestion() {
    let base = "https://langfuse.example";
    let langfuse = Langfuse::new(options(base.into(), SECRET_KEY)).unwrap();
    let error = langfuse.name(&"metrics".parse().unwrap()).unwrap_err();
    assert!(INVALID(&error) && error.to_string().contains("name: metrics-prompt}}"), "{error}");
    let named = LangfuseOptions { name: Some("Support Reply".into()), ..options(base.into(), SECRET_KEY) };
    assert_eq!(Langfuse::new(named).unwrap().name(&name()).unwrap(), "Support Reply");
    for label in ["Production", &"a".repeat(37), "ä", "v2.4.0+build"] {
        assert!(INVALID(&langfuse.label(label).unwrap_err()), "{label}");
    }
    assert_eq!(langfuse.label("4294967295.0.0").unwrap(), "v4294967295.0.0");
}
