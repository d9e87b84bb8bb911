//! The content of a variant, as it is published.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::config::Placed;
use promptgate_adapters::files::{FILE_LIMIT, ParsedPrompt, Tree, decode};
use promptgate_core::model::{PromptFacts, PublishedVersion, ReleaseLevel, Variant, VariantFacts};
use promptgate_core::text::json;
use promptgate_release::{Content, Level, PromptKind, Record};

/// The check whose schema answers have to match.
const SCHEMA_CHECK: &str = "json_schema";

/// The content of a prompt. `schema` is that of the suite; one that the requests ask for comes before it.
pub(in crate::app) fn of_prompt(prompt: &ParsedPrompt, schema: Option<&Value>) -> Content {
    of_variant(&prompt.variant, prompt.kind, schema)
}

/// The content of a variant of a kind.
fn of_variant(variant: &Variant, kind: PromptKind, schema: Option<&Value>) -> Content {
    let facts = &variant.facts;
    let requested = facts.parameters.get("response_format").and_then(requested_schema);
    Content {
        kind,
        messages: variant.messages.clone(),
        model: facts.model.clone(),
        parameters: facts.parameters.clone(),
        answer_schema: requested.or(schema).cloned(),
    }
}

/// The variant of a published version.
pub(in crate::app) fn variant_of(record: &Record) -> Variant {
    let (name, version) = (record.name.to_string(), record.version.to_string());
    let digest = record.digest.to_string();
    let prompt = PromptFacts {
        source: format!("registry:{name}@{version}"),
        name: name.clone(),
        version: version.clone(),
        digest: digest.clone(),
        commit: record.change.commit.clone(),
    };
    let content = &record.content;
    let facts = VariantFacts {
        protocol: Default::default(),
        prompt,
        model: content.model.clone(),
        parameters: content.parameters.clone(),
        content_digest: Some(digest),
        published: Some(PublishedVersion { name, version, level: reported_level(record.level) }),
        application: None,
        messages: Vec::new(),
    };
    Variant {
        facts,
        messages: content.messages.clone(),
        lines: vec![0; content.messages.len()],
        application: None,
    }
}

/// The content of an application without a prompt.
pub(in crate::app) fn empty(model: &str) -> Content {
    Content {
        kind: PromptKind::Chat,
        messages: Vec::new(),
        model: model.to_owned(),
        parameters: Map::new(),
        answer_schema: None,
    }
}

/// A variant that sends no messages.
pub(in crate::app) fn variant_without_messages(prompt: PromptFacts, model: String) -> Variant {
    let facts = VariantFacts {
        protocol: Default::default(),
        prompt,
        model,
        parameters: Map::new(),
        content_digest: None,
        published: None,
        application: None,
        messages: Vec::new(),
    };
    Variant { facts, messages: Vec::new(), lines: Vec::new(), application: None }
}

/// A level as reports write it.
pub(in crate::app) fn reported_level(level: Level) -> ReleaseLevel {
    match level {
        Level::Patch => ReleaseLevel::Patch,
        Level::Minor => ReleaseLevel::Minor,
        Level::Major => ReleaseLevel::Major,
    }
}

/// The schema of a `response_format`: `{type: json_schema, json_schema: {schema: …}}`.
fn requested_schema(format: &Value) -> Option<&Value> {
    format.get("json_schema")?.get("schema")
}

/// The schema of the first `json_schema` check of a configuration, whose files are in `tree`; `None` without one, and where
/// it cannot be read, which is an error of the check.
pub(in crate::app) fn schema_of_suite(checks: &[Placed<Value>], tree: &Tree) -> Option<Value> {
    let read = |path: &str| {
        let bytes = tree.find(path, FILE_LIMIT).ok()??;
        decode(path, &bytes).ok().map(Cow::into_owned)
    };
    schema_of_checks(checks, &read)
}

/// The file with the schema of the first `json_schema` check; `None` without one, and where the schema is written in place.
pub(in crate::app) fn schema_file(checks: &[Placed<Value>]) -> Option<&str> {
    match checks.iter().find_map(|check| check.value.get(SCHEMA_CHECK))? {
        Value::String(path) => Some(path),
        map if map.get("schema").is_some() => None,
        map => map.get("path")?.as_str(),
    }
}

fn schema_of_checks(checks: &[Placed<Value>], read: &dyn Fn(&str) -> Option<String>) -> Option<Value> {
    let check = checks.iter().find_map(|check| check.value.get(SCHEMA_CHECK))?;
    let path = match check {
        Value::String(path) => path,
        map => match map.get("schema") {
            Some(schema) => return Some(schema.clone()),
            None => map.get("path")?.as_str()?,
        },
    };
    json::parse(read(path)?.trim_start_matches('\u{feff}')).ok()
}

#[cfg(test)]
mod tests {
    use promptgate_adapters::files::{PromptBytes, PromptSource, parse_prompt};
    use serde_json::json;

    use super::*;

    fn parsed(path: &str, text: &str, parameters: Value) -> ParsedPrompt {
        let bytes = PromptBytes {
            file: path.to_owned(),
            commit: None,
            bytes: text.as_bytes().to_vec(),
            ..PromptBytes::default()
        };
        let source = PromptSource {
            path: path.to_owned(),
            inline: None,
            user: "Question: {{query}}".to_owned(),
            model: Some("gpt-4o-mini".to_owned()),
            parameters: parameters.as_object().cloned().unwrap(),
        };
        parse_prompt(&bytes, &source).unwrap().value
    }

    #[test]
    fn text_prompt_is_its_system_message_and_the_template_of_the_user_message() {
        let prompt = parsed(
            "p.md",
            "---\nversion: 2.4.0\nreason: Shorter.\n---\nBe brief.\n",
            json!({"temperature": 0}),
        );
        let content = of_prompt(&prompt, None);
        let written = serde_json::to_value(&content).unwrap();
        assert_eq!(
            written,
            json!({"kind": "text", "model": "gpt-4o-mini", "parameters": {"temperature": 0}, "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Question: {{query}}"},
            ]})
        );
        // The digest of the canonical JSON: keys sorted, no white space.
        let canonical = r#"{"kind":"text","messages":[{"content":"Be brief.","role":"system"},{"content":"Question: {{query}}","role":"user"}],"model":"gpt-4o-mini","parameters":{"temperature":0}}"#;
        let digest = promptgate_adapters::files::digest_of_bytes(canonical.as_bytes());
        assert_eq!(content.digest().as_str(), digest);
        let others = parsed("p.md", "---\nlevel: major\n---\nBe brief.\n", json!({"temperature": 0}));
        assert_eq!(of_prompt(&others, None), content, "front matter is not content");
    }

    #[test]
    fn chat_prompt_of_the_same_messages_is_another_content() {
        let text = "- {role: system, content: Be brief.}\n- {role: user, content: 'Question: {{query}}'}\n";
        let chat = of_prompt(&parsed("p.yaml", text, json!({})), None);
        let text = of_prompt(&parsed("p.md", "Be brief.", json!({})), None);
        assert_eq!((chat.kind, text.kind), (PromptKind::Chat, PromptKind::Text));
        assert_eq!(chat.messages, text.messages);
        assert_ne!(chat.digest(), text.digest());
    }

    #[test]
    fn requested_schema_comes_before_the_schema_of_the_suite() {
        let requested = json!({"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}});
        let of_suite = json!({"type": "array"});
        let schema = |parameters| of_prompt(&parsed("p.md", "x", parameters), Some(&of_suite)).answer_schema;
        assert_eq!(schema(requested), Some(json!({"type": "object"})));
        assert_eq!(schema(json!({"response_format": {"type": "json_object"}})), Some(of_suite.clone()));
        assert_eq!(schema(json!({})), Some(of_suite.clone()));
        assert_eq!(of_prompt(&parsed("p.md", "x", json!({})), None).answer_schema, None);
    }

    #[test]
    fn schema_of_a_check_is_read_in_every_form() {
        let read = |path: &str| (path == "a.json").then(|| "\u{feff}{\"type\": \"object\"}".to_owned());
        let schema = |check: Value| {
            let checks = [json!({"contains": "x"}), check, json!({"json_schema": "other.json"})];
            let placed = checks.map(|value| Placed { value, ..Placed::default() });
            schema_of_checks(&placed, &read)
        };
        let object = Some(json!({"type": "object"}));
        assert_eq!(schema(json!({"json_schema": "a.json"})), object);
        assert_eq!(schema(json!({"json_schema": {"path": "a.json", "extract": "fenced"}})), object);
        assert_eq!(schema(json!({"json_schema": {"schema": {"type": "object"}}})), object);
        assert_eq!(schema(json!({"json_schema": "missing.json"})), None);
        assert_eq!(schema_of_checks(&[], &read), None);
    }
}
