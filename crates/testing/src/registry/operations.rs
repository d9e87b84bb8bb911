//! The operations that every registry has to support.

use std::collections::BTreeMap;

use futures::FutureExt as _;
use promptgate_core::model::MessageRole::{Assistant, Developer, System, User};
use promptgate_release::ports::{Registry, RegistryId};
use promptgate_release::{Content, Label, PortError, PromptKind, Record};
use serde_json::{Map, Value, json};

use super::conformance::{Operation, OperationResult};
use super::{message, name, record, text};

/// Versions that are created to see that a list is complete and in order.
const MANY: u32 = 12;

/// Lists operations by their functions.
macro_rules! operations {
    ($($title:literal => $function:ident),+ $(,)?) => {
        pub(super) const OPERATIONS: &[Operation] =
            &[$(Operation { name: $title, run: |registry, prompt| $function(registry, prompt).boxed() }),+];
    };
}

operations! {
    "names and labels are checked before a call" => names_and_labels,
    "an unknown prompt has nothing" => unknown_prompt,
    "create a text prompt, read it back" => create_text,
    "create a text prompt without a user template" => create_bare_text,
    "create a chat prompt, read it back" => create_chat,
    "parameters, schema and characters survive" => exact_content,
    "parameters with the registry's own names survive" => reserved_parameters,
    "a new version serves nobody" => new_version_serves_nobody,
    "a long reason does not prevent a version" => long_reason,
    "a record with another digest is refused" => wrong_digest,
    "find by digest" => find_by_digest,
    "unknown and malformed ids find nothing" => unknown_ids,
    "versions, the newest first" => many_versions,
    "set a new label" => set_label,
    "move a label: one holder" => move_label,
    "move a label back" => move_back,
    "two labels on one version" => two_labels,
    "set a label twice" => set_twice,
    "a label on an unknown version is refused" => label_on_unknown,
    "a label outlives a newer version" => label_outlives_new_version,
}

/// Fails with a message unless a condition holds.
fn ensure(condition: bool, message: impl FnOnce() -> String) -> Result<(), String> {
    if condition { Ok(()) } else { Err(message()) }
}

fn same<T: PartialEq + std::fmt::Debug>(subject: &str, found: &T, expected: &T) -> Result<(), String> {
    ensure(found == expected, || format!("{subject}: found {found:?}, expected {expected:?}"))
}

fn failed(error: PortError) -> String {
    format!("{error:?}")
}

async fn create(registry: &dyn Registry, record: &Record) -> Result<RegistryId, String> {
    registry.create_version(record).await.map_err(failed)
}

/// Creates versions 1 to `count`.
async fn create_some(registry: &dyn Registry, prompt: &str, count: u32) -> Result<Vec<RegistryId>, String> {
    let mut ids = Vec::new();
    for number in 1..=count {
        ids.push(create(registry, &record(prompt, number, text(&format!("Text {number}.")))).await?);
    }
    Ok(ids)
}

/// Creates a version and compares everything that is read back.
async fn round_trip(registry: &dyn Registry, record: &Record) -> OperationResult {
    let id = create(registry, record).await?;
    let stored = registry.get(&record.name, &id).await.map_err(failed)?;
    let Some(stored) = stored else { return Err("the version cannot be read".to_owned()) };
    same("id", &stored.id, &id)?;
    same("content", &stored.content, &record.content)?;
    stored.verify(&record.digest).map_err(failed)?;
    same("published", &stored.published, &Some((record.version, record.digest.clone())))?;
    ensure(stored.message.is_some(), || "the message is lost".to_owned())?;
    Ok("yes")
}

async fn set(registry: &dyn Registry, prompt: &str, label: Label, id: &RegistryId) -> Result<(), String> {
    registry.set_label(&name(prompt), &label, id).await.map_err(failed)
}

async fn expect_labels(
    registry: &dyn Registry,
    prompt: &str,
    expected: &[(Label, &RegistryId)],
) -> Result<(), String> {
    let labels = registry.labels(&name(prompt)).await.map_err(failed)?;
    let expected = expected.iter().map(|(label, id)| (label.clone(), vec![(*id).clone()]));
    same("labels", &labels, &expected.collect::<BTreeMap<_, _>>())
}

async fn names_and_labels(registry: &dyn Registry, prompt: &str) -> OperationResult {
    registry.name(&name(prompt)).map_err(failed)?;
    for label in ["production", "staging", "canary"] {
        let written = registry.label(label).map_err(failed)?;
        same("label", &written.as_str(), &label)?;
    }
    let version = registry.label("2.4.0").map_err(failed)?;
    same("with and without v", &registry.label("v2.4.0").map_err(failed)?, &version)?;
    ensure(version == "v2.4.0" || version == "v2-4-0", || format!("version as label: {version}"))?;
    for label in ["latest", "", "a b", "a/b"] {
        let refused = registry.label(label);
        ensure(matches!(refused, Err(PortError::Invalid(_))), || format!("label {label:?}: {refused:?}"))?;
    }
    Ok(if version.contains('.') { "v2.4.0" } else { "v2-4-0" })
}

async fn unknown_prompt(registry: &dyn Registry, prompt: &str) -> OperationResult {
    let name = name(prompt);
    let digest = text("absent").digest();
    same("find", &registry.find_by_digest(&name, &digest).await.map_err(failed)?, &None)?;
    same("get", &registry.get(&name, &"1".to_owned()).await.map_err(failed)?, &None)?;
    same("versions", &registry.versions(&name).await.map_err(failed)?, &Vec::new())?;
    expect_labels(registry, prompt, &[]).await?;
    let refused = registry.set_label(&name, &Label::Production, &"1".to_owned()).await;
    ensure(refused.is_err(), || "a label was set".to_owned())?;
    Ok("yes")
}

async fn create_text(registry: &dyn Registry, prompt: &str) -> OperationResult {
    round_trip(registry, &record(prompt, 1, text("Help {{company}}."))).await
}

async fn create_bare_text(registry: &dyn Registry, prompt: &str) -> OperationResult {
    let content = Content {
        messages: vec![message(System, "Help.")],
        model: String::new(),
        parameters: Map::new(),
        ..text("")
    };
    round_trip(registry, &record(prompt, 1, content)).await
}

async fn create_chat(registry: &dyn Registry, prompt: &str) -> OperationResult {
    let messages = vec![
        message(Developer, "Be brief."),
        message(User, "Hi"),
        message(Assistant, ""),
        message(User, "{{question}}"),
    ];
    let content = Content { kind: PromptKind::Chat, messages, ..text("") };
    round_trip(registry, &record(prompt, 1, content)).await
}

fn map(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

async fn exact_content(registry: &dyn Registry, prompt: &str) -> OperationResult {
    let system =
        " \t{{ a }} {{b}} \"quoted\" \\n \\u0041 <b>&amp;</b> %2F 'x' ünï-码 🙂 e\u{301}\r\n\n last line\n";
    let content = Content {
        messages: vec![message(System, system), message(User, "")],
        model: "openai/gpt-x:2026-11-01".to_owned(),
        parameters: map(json!({
            "temperature": 0.1, "top_p": 1.0, "seed": 9_007_199_254_740_991_u64, "n": -1, "tiny": 1e-7,
            "stop": ["\n", "🙂"], "logit_bias": {"50256": -100}, "nothing": null, "on": true, "": "empty key",
        })),
        answer_schema: Some(json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object", "properties": {"z": {"const": null}, "a": {"enum": [1.5, "x"]}}, "required": ["z"],
        })),
        ..text("")
    };
    let record = record(prompt, 1, content);
    let id = create(registry, &record).await?;
    let stored = registry.get(&record.name, &id).await.map_err(failed)?;
    let Some(stored) = stored else { return Err("the version cannot be read".to_owned()) };
    // A number may come back in another form, such as 1 for 1.0; the digest does not see that.
    stored.verify(&record.digest).map_err(failed)?;
    same("messages", &stored.content.messages, &record.content.messages)?;
    Ok("yes")
}

async fn reserved_parameters(registry: &dyn Registry, prompt: &str) -> OperationResult {
    let schema = json!({"type": "object"});
    let own = json!({"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}});
    for (number, answer_schema) in [(1, None), (2, Some(json!({"type": "string"})))] {
        let parameters = map(json!({
            "model": "m", "model_name": "n", "provider": "p", "extra_params": {"a": 1}, "promptgate": {"version": "x"},
            "response_format": own,
        }));
        round_trip(registry, &record(prompt, number, Content { parameters, answer_schema, ..text("") }))
            .await?;
    }
    let requested =
        json!({"type": "json_schema", "json_schema": {"name": "a", "strict": true, "schema": schema}});
    for (number, format, answer_schema) in [
        (3, json!({"type": "json_object"}), None),
        (4, json!({"type": "json_object"}), Some(schema.clone())),
        (5, requested.clone(), Some(schema.clone())),
        (6, requested, None),
        (7, own, Some(schema)),
    ] {
        let parameters = map(json!({"response_format": format}));
        round_trip(registry, &record(prompt, number, Content { parameters, answer_schema, ..text("") }))
            .await?;
    }
    Ok("yes")
}

async fn new_version_serves_nobody(registry: &dyn Registry, prompt: &str) -> OperationResult {
    create_some(registry, prompt, 2).await?;
    expect_labels(registry, prompt, &[]).await?;
    Ok("yes")
}

async fn long_reason(registry: &dyn Registry, prompt: &str) -> OperationResult {
    let record = Record { reason: "Größer 🙂 ".repeat(900), ..record(prompt, 1, text("Help.")) };
    round_trip(registry, &record).await
}

async fn wrong_digest(registry: &dyn Registry, prompt: &str) -> OperationResult {
    let record = Record { digest: text("other").digest(), ..record(prompt, 1, text("Help.")) };
    let refused = registry.create_version(&record).await;
    ensure(matches!(refused, Err(PortError::Mutated(_))), || format!("{refused:?}"))?;
    same("versions", &registry.versions(&record.name).await.map_err(failed)?, &Vec::new())?;
    Ok("refused")
}

async fn find_by_digest(registry: &dyn Registry, prompt: &str) -> OperationResult {
    let ids = create_some(registry, prompt, 3).await?;
    for (number, id) in (1..).zip(&ids) {
        let digest = text(&format!("Text {number}.")).digest();
        let found = registry.find_by_digest(&name(prompt), &digest).await.map_err(failed)?;
        same("found", &found.map(|stored| stored.id), &Some(id.clone()))?;
    }
    let absent = registry.find_by_digest(&name(prompt), &text("absent").digest()).await.map_err(failed)?;
    same("another digest", &absent, &None)?;
    Ok("yes")
}

async fn unknown_ids(registry: &dyn Registry, prompt: &str) -> OperationResult {
    create_some(registry, prompt, 1).await?;
    for id in [
        "99",
        "9.9.9",
        "",
        "0",
        "-1",
        "+1",
        "01",
        "production",
        "1e0",
        "../1",
        "99999999999999999999",
        "1?label=x",
        "١",
    ] {
        let found = registry.get(&name(prompt), &id.to_owned()).await.map_err(failed)?;
        ensure(found.is_none(), || format!("{id:?} is a version: {found:?}"))?;
    }
    Ok("yes")
}

async fn many_versions(registry: &dyn Registry, prompt: &str) -> OperationResult {
    let mut ids = create_some(registry, prompt, MANY).await?;
    ids.reverse();
    let versions = registry.versions(&name(prompt)).await.map_err(failed)?;
    same("ids", &versions.iter().map(|stored| stored.id.clone()).collect(), &ids)?;
    for stored in &versions {
        let Some((_, digest)) = &stored.published else { return Err("no digest".to_owned()) };
        stored.verify(digest).map_err(failed)?;
    }
    Ok("yes")
}

async fn set_label(registry: &dyn Registry, prompt: &str) -> OperationResult {
    let ids = create_some(registry, prompt, 2).await?;
    set(registry, prompt, Label::Staging, &ids[1]).await?;
    expect_labels(registry, prompt, &[(Label::Staging, &ids[1])]).await?;
    Ok("yes")
}

async fn move_label(registry: &dyn Registry, prompt: &str) -> OperationResult {
    let ids = create_some(registry, prompt, 3).await?;
    for id in &ids {
        set(registry, prompt, Label::Production, id).await?;
        expect_labels(registry, prompt, &[(Label::Production, id)]).await?;
    }
    Ok("yes")
}

async fn move_back(registry: &dyn Registry, prompt: &str) -> OperationResult {
    let ids = create_some(registry, prompt, 2).await?;
    for id in [&ids[0], &ids[1], &ids[0]] {
        set(registry, prompt, Label::Production, id).await?;
    }
    expect_labels(registry, prompt, &[(Label::Production, &ids[0])]).await?;
    Ok("yes")
}

async fn two_labels(registry: &dyn Registry, prompt: &str) -> OperationResult {
    let ids = create_some(registry, prompt, 2).await?;
    set(registry, prompt, Label::Production, &ids[0]).await?;
    set(registry, prompt, Label::Canary, &ids[0]).await?;
    expect_labels(registry, prompt, &[(Label::Production, &ids[0]), (Label::Canary, &ids[0])]).await?;
    set(registry, prompt, Label::Canary, &ids[1]).await?;
    expect_labels(registry, prompt, &[(Label::Production, &ids[0]), (Label::Canary, &ids[1])]).await?;
    Ok("yes")
}

async fn set_twice(registry: &dyn Registry, prompt: &str) -> OperationResult {
    let ids = create_some(registry, prompt, 1).await?;
    for _ in 0..2 {
        set(registry, prompt, Label::Production, &ids[0]).await?;
        expect_labels(registry, prompt, &[(Label::Production, &ids[0])]).await?;
    }
    Ok("yes")
}

async fn label_on_unknown(registry: &dyn Registry, prompt: &str) -> OperationResult {
    let ids = create_some(registry, prompt, 1).await?;
    set(registry, prompt, Label::Production, &ids[0]).await?;
    for id in ["99", "9.9.9", "x"] {
        let refused = registry.set_label(&name(prompt), &Label::Production, &id.to_owned()).await;
        ensure(matches!(refused, Err(PortError::Refused(_))), || format!("{id}: {refused:?}"))?;
    }
    expect_labels(registry, prompt, &[(Label::Production, &ids[0])]).await?;
    Ok("refused")
}

async fn label_outlives_new_version(registry: &dyn Registry, prompt: &str) -> OperationResult {
    let first = create(registry, &record(prompt, 1, text("One."))).await?;
    set(registry, prompt, Label::Production, &first).await?;
    create(registry, &record(prompt, 2, text("Two."))).await?;
    expect_labels(registry, prompt, &[(Label::Production, &first)]).await?;
    Ok("yes")
}
