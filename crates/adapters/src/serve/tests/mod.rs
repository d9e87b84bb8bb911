mod connections;
mod discarding;
mod langfuse;
mod ledger;
mod ofrep;
mod own;
mod reload;
mod rollout;

use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::{HeaderMap, Method, Request};
use ledger::FaultyLedger;
use promptgate_core::model::{Message, MessageRole};
use promptgate_release::{Content, PromptKind};
use serde_json::{Map, Value, json};

use super::{Notice, Options, PromptServer, routes};

/// The content of a text prompt.
fn text(system: &str) -> Content {
    let parameters = json!({"temperature": 0.2});
    Content {
        kind: PromptKind::Text,
        messages: vec![message(MessageRole::System, system), message(MessageRole::User, "{{query}}")],
        model: "gpt-5-mini".to_owned(),
        parameters: parameters.as_object().cloned().unwrap_or_default(),
        answer_schema: None,
    }
}

/// The content of a chat prompt.
fn chat(system: &str) -> Content {
    Content {
        kind: PromptKind::Chat,
        messages: vec![
            message(MessageRole::System, system),
            message(MessageRole::User, "{{example}}"),
            message(MessageRole::Assistant, "Yes."),
            message(MessageRole::User, "{{question}}"),
        ],
        model: "gpt-5".to_owned(),
        parameters: Map::new(),
        answer_schema: Some(json!({"type": "object", "properties": {"b": {}, "a": {}}})),
    }
}

fn message(role: MessageRole, content: &str) -> Message {
    Message::new(role, content.to_owned())
}

/// A ledger with `support/reply` in three versions and `triage` in one.
fn ledger() -> Arc<FaultyLedger> {
    let ledger = FaultyLedger::default();
    ledger.publish("support/reply", "2.3.1", text("Hello {{name}}."));
    ledger.publish("support/reply", "2.4.0", text("Hi {{name}}!"));
    ledger.publish("support/reply", "2.4.1", text("Hi, {{name}}!"));
    ledger.set_label("support/reply", "production", "2.3.1");
    ledger.set_label("support/reply", "canary", "2.3.1");
    ledger.set_label("support/reply", "staging", "2.4.0");
    ledger.publish("triage", "0.1.0", chat("Sort for {{company}}."));
    ledger.set_label("triage", "production", "0.1.0");
    Arc::new(ledger)
}

/// A server over a ledger, with the notices that it gave.
struct Served {
    ledger: Arc<FaultyLedger>,
    server: Arc<PromptServer>,
    notices: Arc<Mutex<Vec<Notice>>>,
}

impl Served {
    async fn new(ledger: Arc<FaultyLedger>, options: Options) -> Self {
        let notices = Arc::<Mutex<Vec<Notice>>>::default();
        let list = Arc::clone(&notices);
        let on_notice = Box::new(move |notice| list.lock().expect("a list").push(notice));
        let server = PromptServer::open(Arc::clone(&ledger) as _, options, on_notice).await;
        Self { ledger, server: server.expect("a server"), notices }
    }

    async fn standard() -> Self {
        Self::new(ledger(), Options::default()).await
    }

    async fn refresh(&self) {
        super::refresh::refresh(&self.server).await;
    }

    /// The notices since the last call, as text.
    fn notices(&self) -> Vec<String> {
        let notices = std::mem::take(&mut *self.notices.lock().expect("a list"));
        notices
            .into_iter()
            .map(|notice| match notice {
                Notice::Degraded(problem) => problem.to_string(),
                other => format!("{other:?}"),
            })
            .collect()
    }

    async fn get(&self, uri: &str) -> Answer {
        self.send(Method::GET, uri, &[], "").await
    }

    async fn send(&self, method: Method, uri: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = Full::new(Bytes::from(body.to_owned()));
        let reply = routes::respond(&self.server, request.body(body).expect("a request")).await;
        let (head, body) = reply.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        Answer { status: head.status.as_u16(), headers: head.headers, body }
    }

    async fn health(&self) -> Value {
        let answer = self.get("/healthz").await;
        assert_eq!(answer.status, 200);
        answer.json()
    }
}

/// A response.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    /// Asserts an error in the form that all routes share.
    #[track_caller]
    fn expect_error(&self, status: u16, code: &str, part: &str) {
        assert_eq!(self.status, status, "{self:?}");
        let body = self.json();
        assert_eq!(body["error"], code, "{body}");
        let message = body["message"].as_str().expect("a message");
        assert!(message.contains(part), "no {part:?} in {message:?}");
    }
}
