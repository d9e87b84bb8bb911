//! Replays recorded traffic of the registries' own clients (`tests/fixtures/registries`): the adapter reads the answers of
//! MLflow and sends the requests of its client, and the fake Langfuse answers as the SDKs expect.

use promptgate_core::model::MessageRole;
use promptgate_core::text::Secret;
use promptgate_release::ports::Registry;
use promptgate_release::{Content, Label, PromptKind, Record};
use promptgate_simulated::fake_langfuse::{FakeLangfuse, PUBLIC_KEY, SECRET_KEY};
use promptgate_testing::registry::{message, record, text};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::{Langfuse, LangfuseOptions, Mlflow, MlflowOptions};
use crate::http::test_server::{Server, response};
use crate::http::{Request, SettingNames};
use crate::rest::{Basic, Effect, Limits, Names, Rest};

const MLFLOW: &str = include_str!("../../../../tests/fixtures/registries/mlflow.json");
const LANGFUSE_PYTHON: &str = include_str!("../../../../tests/fixtures/registries/langfuse_sdk_py.json");
const LANGFUSE_JS: &str = include_str!("../../../../tests/fixtures/registries/langfuse_sdk_js.json");

fn exchanges(recording: &str) -> Vec<Value> {
    let recording: Value = serde_json::from_str(recording).unwrap();
    recording["exchanges"].as_array().unwrap().clone()
}

/// The recorded exchange of a method whose path starts so; the `index`-th of them.
fn recorded(method: &str, path: &str, index: usize) -> Value {
    let matches = |exchange: &Value| {
        exchange["method"] == method
            && exchange["path"].as_str().unwrap().starts_with(&format!("/api/2.0/mlflow/{path}"))
    };
    exchanges(MLFLOW).into_iter().filter(matches).nth(index).unwrap()
}

/// The recorded prompt, as a version of ours.
fn recorded_prompt() -> Record {
    let parameters = json!({"temperature": 0.2, "max_tokens": 800});
    let content = Content {
        messages: vec![message(MessageRole::System, "Hello {{ name }}, answer {{question}}.")],
        parameters: parameters.as_object().cloned().unwrap_or_default(),
        ..text("")
    };
    Record { reason: "first".to_owned(), ..record("support-reply", 1, content) }
}

/// A body without the tags that each client sets for itself, and with the model configuration as JSON.
fn without_own_tags(body: &Value) -> Value {
    let mut body = body.clone();
    let tags = body["tags"].as_array().cloned().unwrap_or_default();
    let tags = tags.into_iter().filter_map(|tag| {
        let key = tag["key"].as_str()?.to_owned();
        let value = match key.as_str() {
            "_mlflow_prompt_model_config" => {
                let mut config: Map<String, Value> = serde_json::from_str(tag["value"].as_str()?).unwrap();
                config.remove("provider"); // a content has none
                Value::Object(config)
            }
            _ => tag["value"].clone(),
        };
        (key != "author" && !key.starts_with("promptgate.")).then_some((key, value))
    });
    body["tags"] = Value::Object(tags.collect());
    body
}

fn path_and_query(head: &str) -> String {
    let path = head.split(' ').nth(1).unwrap();
    path.strip_prefix("/v1").unwrap().to_owned()
}

#[tokio::test]
async fn mlflow_requests_equal_those_of_its_client() {
    let create_prompt = recorded("POST", "registered-models/create", 0);
    let create = recorded("POST", "model-versions/create", 0);
    let set = recorded("POST", "registered-models/alias", 0);
    let search = recorded("GET", "model-versions/search", 0);
    let prompt = recorded_prompt();
    let aliases = |alias: &str| {
        let mut model = recorded("GET", "registered-models/get", 1)["response"].clone();
        model["registered_model"]["aliases"] = json!([{"alias": alias, "version": "1"}]);
        model
    };
    let mut stored = create["response"].clone();
    stored["model_version"]["tags"] =
        super::mlflow::create_version_body(&prompt, "support-reply").unwrap()["tags"].clone();
    let script = [
        (404, recorded("GET", "registered-models/get", 0)["response"].clone()),
        (200, create_prompt["response"].clone()),
        (200, stored.clone()),
        (200, set["response"].clone()),
        (200, stored.clone()),
        (200, aliases("v1-0-0")),
        // set_label
        (200, stored.clone()),
        (200, set["response"].clone()),
        (200, aliases("production")),
        (200, stored.clone()),
        // versions
        (200, search["response"].clone()),
    ];
    let server = Server::start(script.map(|(status, body)| response(status, "", &body.to_string()))).await;
    let mlflow = Mlflow::new(MlflowOptions {
        tracking_uri: server.base_url(),
        name: None,
        user: None,
        password: None,
    });
    let mlflow = mlflow.unwrap();
    let id = mlflow.create_version(&prompt).await.unwrap();
    mlflow.set_label(&prompt.name, &Label::Production, &id).await.unwrap();
    let versions = mlflow.versions(&prompt.name).await.unwrap();
    assert!(!versions.is_empty() && versions.iter().all(|version| version.published.is_none()));

    let received = server.received();
    let body = |index: usize| serde_json::from_slice::<Value>(&received[index].body).unwrap();
    let path = |index: usize| path_and_query(&received[index].head);
    let recorded_path = |exchange: &Value| exchange["path"].as_str().unwrap().to_owned();
    assert_eq!(path(0), recorded_path(&recorded("GET", "registered-models/get", 0)));
    assert_eq!(path(1), recorded_path(&create_prompt));
    assert_eq!(without_own_tags(&body(1)), without_own_tags(&create_prompt["body"]));
    assert_eq!(path(2), recorded_path(&create));
    assert_eq!(without_own_tags(&body(2)), without_own_tags(&create["body"]));
    assert_eq!(path(4), recorded_path(&recorded("GET", "model-versions/get", 0)));
    assert_eq!(path(7), recorded_path(&set));
    assert_eq!(body(7), set["body"]);
    assert_eq!(path(10), recorded_path(&search));
}

#[tokio::test]
async fn mlflow_answers_are_read() {
    let get = recorded("GET", "model-versions/get", 0);
    let missing = recorded("GET", "model-versions/get?name=support-reply&version=99", 0);
    let unknown = recorded("GET", "registered-models/get", 0);
    let script = [&get, &missing, &unknown].map(|exchange| {
        let status = u16::try_from(exchange["status"].as_u64().unwrap()).unwrap();
        response(status, "", &exchange["response"].to_string())
    });
    let server = Server::start(script).await;
    let options = MlflowOptions { tracking_uri: server.base_url(), name: None, user: None, password: None };
    let mlflow = Mlflow::new(options).unwrap();
    let name = "support-reply".parse().unwrap();
    // Made by somebody else, who set a tag of ours: without a digest it was not published by promptgate.
    let stored = mlflow.get(&name, &"1".to_owned()).await.unwrap().unwrap();
    assert_eq!((stored.id.as_str(), &stored.published), ("1", &None));
    assert_eq!(stored.message.as_deref(), Some("first"));
    assert_eq!(stored.content.kind, PromptKind::Text);
    assert_eq!(stored.content.model, "gpt-x");
    assert_eq!(
        Value::Object(stored.content.parameters),
        json!({"provider": "openai", "temperature": 0.2, "max_tokens": 800})
    );
    assert_eq!(mlflow.get(&name, &"99".to_owned()).await.unwrap(), None);
    assert!(mlflow.labels(&name).await.unwrap().is_empty());
}

/// Fields that no two servers share, and the order of labels.
fn comparable(response: &Value) -> Value {
    let mut response = response.clone();
    if let Some(map) = response.as_object_mut() {
        for key in ["id", "createdAt", "updatedAt"] {
            map.remove(key);
        }
        // A recording server returned null where the real one leaves it out.
        if map.get("resolutionGraph").is_some_and(Value::is_null) {
            map.remove("resolutionGraph");
        }
        if let Some(labels) = map.get_mut("labels").and_then(Value::as_array_mut) {
            labels.sort_by_key(Value::to_string);
        }
    }
    response
}

/// Sends the recorded requests to a server and compares the answers.
async fn replay(server: &FakeLangfuse, recording: &str) {
    let names = Names {
        service: "the registry",
        http: SettingNames { url: "base_url", ca_cert: None, timeout_help: "", credential: "key" },
        credentials: "keys",
        permission: "writing needs a key or user with write access",
        example: "https://langfuse.example",
    };
    let password = Secret::new(SECRET_KEY);
    let basic = Basic { user: PUBLIC_KEY, password: &password };
    let rest = Rest::new(&server.base_url(), &names, Some(&basic), Limits::DEFAULT).unwrap();
    let exchanges = exchanges(recording);
    assert!(exchanges.len() > 10);
    for exchange in &exchanges {
        let path = exchange["path"].as_str().unwrap();
        let method: Method = exchange["method"].as_str().unwrap().parse().unwrap();
        let mut request = Request::new(method, rest.url(&[]).join(path).unwrap());
        if !exchange["body"].is_null() {
            request = request.json(exchange["body"].to_string());
        }
        let (is_success, answer) = match rest.call::<Value>(&request, Effect::Once).await {
            Ok(answer) => (true, answer),
            Err(failure) => {
                assert_eq!(u64::from(failure.status.unwrap().as_u16()), exchange["status"], "{path}");
                (false, failure.body)
            }
        };
        assert_eq!(is_success, exchange["status"].as_u64().unwrap() < 300, "{path}");
        assert_eq!(comparable(&answer), comparable(&exchange["response"]), "{path}");
    }
}

#[tokio::test]
async fn fake_langfuse_answers_the_recorded_sdks_and_their_prompts_are_read() {
    for (recording, name, messages) in [
        (LANGFUSE_PYTHON, "support/reply", "Hello {{name}}: {{question}}"),
        (LANGFUSE_JS, "js/reply", "Hello {{name}}: {{question}}"),
    ] {
        let server = FakeLangfuse::start().await.unwrap();
        replay(&server, recording).await;
        let options = LangfuseOptions {
            base_url: server.base_url(),
            public_key: Secret::new(PUBLIC_KEY),
            secret_key: Secret::new(SECRET_KEY),
            name: None,
        };
        let langfuse = Langfuse::new(options).unwrap();
        let name = name.parse().unwrap();
        let stored = langfuse.get(&name, &"1".to_owned()).await.unwrap().unwrap();
        assert_eq!(stored.content.messages, [message(MessageRole::System, messages)]);
        // The SDK set a version of ours; without a digest it was not published by promptgate.
        assert_eq!((stored.content.model.as_str(), stored.published), ("gpt-x", None));
        let labels = langfuse.labels(&name).await.unwrap();
        assert_eq!(labels[&Label::Production], ["1"]);
        assert_eq!(labels[&Label::Staging], ["1"]);
    }
}
