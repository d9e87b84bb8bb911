//! The behavior of Langfuse's server that surprises, as the fake has it.

use serde_json::json;

use super::FakeLangfuse;
use super::store::{Filter, Prompts};

fn with_versions(count: u64) -> Prompts {
    let mut prompts = Prompts::default();
    for number in 1..=count {
        let body = json!({"name": "a/b", "prompt": format!("v{number}"), "labels": [], "tags": null, "commitMessage": null});
        assert_eq!(prompts.create(&body).unwrap()["version"], number);
    }
    prompts
}

fn labels(prompts: &Prompts, version: u64) -> serde_json::Value {
    let filter = Filter { version: Some(version), ..Filter::default() };
    prompts.get("a/b", &filter).unwrap()["labels"].clone()
}

#[test]
fn labels_are_added_and_moved_and_never_removed() {
    let mut prompts = with_versions(3);
    prompts.patch("a/b", 1, &json!({"newLabels": ["production", "staging"]})).unwrap();
    prompts.patch("a/b", 2, &json!({"newLabels": ["production"]})).unwrap();
    assert_eq!(labels(&prompts, 1), json!(["staging"]));
    assert_eq!(labels(&prompts, 2), json!(["production"]));
    prompts.patch("a/b", 2, &json!({"newLabels": []})).unwrap();
    assert_eq!(labels(&prompts, 2), json!(["production"]));
    assert_eq!(labels(&prompts, 3), json!(["latest"]));
    // Characters are checked at creation only.
    prompts.patch("a/b", 2, &json!({"newLabels": ["Production"]})).unwrap();
    assert_eq!(
        prompts.create(&json!({"name": "a/b", "prompt": "x", "labels": ["Staging"]})).unwrap_err().status,
        400
    );
    assert_eq!(prompts.patch("a/b", 2, &json!({"newLabels": ["latest"]})).unwrap_err().status, 400);
    assert_eq!(prompts.patch("a/b", 9, &json!({"newLabels": ["x"]})).unwrap_err().status, 404);
}

#[test]
fn label_at_creation_is_a_deployment() {
    let mut prompts = with_versions(1);
    prompts.patch("a/b", 1, &json!({"newLabels": ["production"]})).unwrap();
    prompts.create(&json!({"name": "a/b", "prompt": "x", "labels": ["production"]})).unwrap();
    assert_eq!(prompts.holders("a/b", "production"), [2]);
}

#[test]
fn two_holders_are_possible_and_only_the_list_shows_both() {
    let mut prompts = with_versions(3);
    prompts.force_label("a/b", 1, "production");
    prompts.force_label("a/b", 3, "production");
    assert_eq!(prompts.get("a/b", &Filter::default()).unwrap()["version"], 1);
    let filter = Filter { name: Some("a/b".into()), label: Some("production".into()), ..Filter::default() };
    assert_eq!(prompts.list(&filter, 1, 10)["data"][0]["versions"], json!([1, 3]));
}

#[test]
fn delete_with_a_label_deletes_versions() {
    let mut prompts = with_versions(3);
    prompts.force_label("a/b", 3, "production");
    prompts.delete("a/b", &Filter { label: Some("production".into()), ..Filter::default() }).unwrap();
    let filter = Filter { name: Some("a/b".into()), ..Filter::default() };
    assert_eq!(prompts.list(&filter, 1, 10)["data"][0]["versions"], json!([1, 2]));
    assert_eq!(labels(&prompts, 2), json!(["latest"]));
}

#[test]
fn bodies_of_the_sdks_are_taken_and_wrong_ones_refused() {
    let mut prompts = Prompts::default();
    let chat = json!([{"role": "system", "content": "a", "type": "chatmessage"}, {"type": "placeholder", "name": "h"}]);
    prompts.create(&json!({"name": "c", "type": "chat", "prompt": chat})).unwrap();
    for (body, reason) in [
        (json!({"name": "c", "type": "chat", "prompt": "text"}), "a text as chat"),
        (json!({"name": "c", "prompt": "text"}), "another type than before"),
        (json!({"name": "d", "prompt": null}), "no prompt"),
        (json!({"name": "a|b", "prompt": "x"}), "a name with |"),
        (json!({"prompt": "x"}), "no name"),
        (json!({"name": "d", "prompt": "x", "labels": "production"}), "labels as text"),
        (json!({"name": "d", "prompt": "x", "labels": ["a".repeat(37)]}), "a long label"),
        (json!({"name": "d", "prompt": "x", "commitMessage": "a".repeat(501)}), "a long message"),
    ] {
        assert_eq!(prompts.create(&body).unwrap_err().status, 400, "{reason}");
    }
}

#[test]
fn tags_belong_to_the_prompt_and_null_keeps_them() {
    let mut prompts = Prompts::default();
    prompts.create(&json!({"name": "a/b", "prompt": "x", "tags": ["support"]})).unwrap();
    let second = prompts.create(&json!({"name": "a/b", "prompt": "y", "tags": null})).unwrap();
    assert_eq!(second["tags"], json!(["support"]));
    let third = prompts.create(&json!({"name": "a/b", "prompt": "z", "tags": []})).unwrap();
    assert_eq!(third["tags"], json!([]));
}

#[tokio::test]
async fn server_listens_on_loopback_and_ends_when_dropped() {
    let server = FakeLangfuse::start().await.unwrap();
    let address = server.base_url().replace("http://", "");
    assert!(address.starts_with("127.0.0.1:"));
    tokio::net::TcpStream::connect(&address).await.unwrap();
    drop(server);
    // The listener is closed once the aborted task was dropped.
    while tokio::net::TcpStream::connect(&address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}
