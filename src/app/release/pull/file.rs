//! The prompt's file with the content of a version from a registry.

use serde_json::{Map, Value, json};

use promptgate_core::model::{Diagnostic, Message, Place};
use promptgate_release::PromptKind;
use promptgate_release::ports::StoredVersion;

/// Keys of the front matter that are about the version before.
const REPLACED: [&str; 3] = ["version", "level", "reason"];

/// The text of the file `path` with the content of `version`; what else its front matter says is kept.
///
/// # Errors
/// A chat prompt for a text file, and the reverse.
pub(super) fn rewritten(path: &str, before: &str, version: &StoredVersion) -> Result<String, Diagnostic> {
    let is_chat_file = [".json", ".yaml", ".yml"].iter().any(|end| path.ends_with(end));
    let messages = &version.content.messages;
    match (version.content.kind, messages.as_slice()) {
        (PromptKind::Text, [system, ..]) if is_text_file(path) => Ok(text(before, system, version)),
        (PromptKind::Chat, _) if is_chat_file => Ok(chat(before, messages, version)),
        (kind, _) => {
            let form = match kind {
                PromptKind::Text => "a text prompt",
                PromptKind::Chat => "a chat prompt",
            };
            Err(Diagnostic::new(format!("version {} is {form}, which this file cannot hold", version.id))
                .at(Place::file(path))
                .help("name a .md or .txt file for a text prompt, a .json or .yaml file for a chat prompt: `prompt:`"))
        }
    }
}

fn is_text_file(path: &str) -> bool {
    [".md", ".txt"].iter().any(|end| path.ends_with(end))
}

fn text(before: &str, system: &Message, version: &StoredVersion) -> String {
    let mut lines: Vec<String> = front_matter(before).into_iter().map(str::to_owned).collect();
    if let Some(reason) = &version.message {
        lines.push(format!("reason: {}", Value::from(reason.as_str())));
    }
    let body = system.content.trim_end_matches('\n');
    if lines.is_empty() { format!("{body}\n") } else { format!("---\n{}\n---\n{body}\n", lines.join("\n")) }
}

/// The lines of the front matter that are kept.
fn front_matter(text: &str) -> Vec<&str> {
    let Some(rest) = text.strip_prefix("---\n") else { return Vec::new() };
    let Some((head, _)) = rest.split_once("\n---") else { return Vec::new() };
    let mut kept = Vec::new();
    let mut skipping = false;
    for line in head.lines() {
        let indented = line.starts_with([' ', '\t']);
        if !indented {
            let key = line.split(':').next().unwrap_or_default().trim();
            skipping = REPLACED.contains(&key);
        }
        if !skipping {
            kept.push(line);
        }
    }
    kept
}

/// A map in JSON, which a YAML file may hold as well.
fn chat(before: &str, messages: &[Message], version: &StoredVersion) -> String {
    let known = serde_json::from_str::<Map<String, Value>>(before).unwrap_or_default();
    let mut map: Map<String, Value> =
        known.into_iter().filter(|(key, _)| key != "messages" && !REPLACED.contains(&key.as_str())).collect();
    if let Some(reason) = &version.message {
        map.insert("reason".to_owned(), json!(reason));
    }
    map.insert("messages".to_owned(), json!(messages));
    format!("{:#}\n", Value::Object(map))
}

#[cfg(test)]
mod tests {
    use promptgate_core::model::MessageRole;
    use promptgate_release::Content;

    use super::*;

    fn stored(kind: PromptKind, content: &str, message: Option<&str>) -> StoredVersion {
        StoredVersion {
            id: "3".to_owned(),
            published: None,
            content: Content {
                kind,
                messages: vec![Message { role: MessageRole::System, content: content.to_owned() }],
                model: String::new(),
                parameters: Map::new(),
                answer_schema: None,
            },
            author: None,
            message: message.map(str::to_owned),
        }
    }

    #[test]
    fn text_file_keeps_what_is_not_about_the_version_before() {
        let before =
            "---\nname: support\nversion: 2.3.1\nreason: |\n  Old.\n  Words.\nmodel: m\n---\nOld text.\n";
        let after =
            rewritten("p.md", before, &stored(PromptKind::Text, "New text.\n", Some("Say \"please\".")));
        assert_eq!(
            after.unwrap(),
            "---\nname: support\nmodel: m\nreason: \"Say \\\"please\\\".\"\n---\nNew text.\n"
        );
        let plain = rewritten("p.md", "Old text.\n", &stored(PromptKind::Text, "New text.", None));
        assert_eq!(plain.unwrap(), "New text.\n");
    }

    #[test]
    fn chat_file_keeps_its_settings() {
        let before = r#"{"model": "m", "version": "1.0.0", "messages": []}"#;
        let after = rewritten("p.json", before, &stored(PromptKind::Chat, "Hello.", Some("Greet."))).unwrap();
        let expected =
            json!({"model": "m", "reason": "Greet.", "messages": [{"role": "system", "content": "Hello."}]});
        assert_eq!(serde_json::from_str::<Value>(&after).unwrap(), expected);
    }

    #[test]
    fn other_form_is_refused() {
        let refused = rewritten("p.md", "x", &stored(PromptKind::Chat, "Hello.", None)).unwrap_err();
        assert!(refused.message.contains("a chat prompt"), "{refused:?}");
        assert!(rewritten("p.yaml", "x", &stored(PromptKind::Text, "Hello.", None)).is_err());
    }
}
