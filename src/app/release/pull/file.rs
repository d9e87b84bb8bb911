//! The prompt's file with the content of a version from a registry.

use serde_json::{Map, Value, json};

use promptgate_core::document::Document;
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

/// The front matter always comes first: a content that starts with `---` would otherwise become one, and bring a model,
/// parameters and a version of its own.
fn text(before: &str, system: &Message, version: &StoredVersion) -> String {
    let mut lines: Vec<String> = front_matter(before).into_iter().map(str::to_owned).collect();
    if let Some(reason) = &version.message {
        lines.push(format!("reason: {}", Value::from(reason.as_str())));
    }
    let body = system.content.trim_end_matches('\n');
    if lines.is_empty() && !body.trim_start_matches('\u{feff}').starts_with("---") {
        return format!("{body}\n");
    }
    let head: String = lines.iter().map(|line| format!("{line}\n")).collect();
    format!("---\n{head}---\n{body}\n")
}

/// The lines of the front matter that are kept; none of one that is never closed.
fn front_matter(text: &str) -> Vec<&str> {
    let mut lines = text.lines();
    if lines.next().is_none_or(|line| line.trim_end() != "---") {
        return Vec::new();
    }
    let mut kept = Vec::new();
    let mut skipping = false;
    for line in lines {
        if line.trim_end() == "---" {
            return kept;
        }
        let indented = line.starts_with([' ', '\t']);
        if !indented {
            let key = line.split(':').next().unwrap_or_default().trim();
            skipping = REPLACED.contains(&key.trim_matches(['"', '\'']));
        }
        if !skipping {
            kept.push(line);
        }
    }
    Vec::new()
}

/// A map in JSON, which a YAML file may hold as well.
fn chat(before: &str, messages: &[Message], version: &StoredVersion) -> String {
    let known = match Document::yaml_from("", 1, before) {
        Ok(document) => document.value().as_object().cloned().unwrap_or_default(),
        Err(_) => Map::new(),
    };
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
                messages: vec![Message::new(MessageRole::System, content.to_owned())],
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
    fn content_never_becomes_front_matter() {
        for body in [
            "---\nmodel: evil\nversion: 9.0.0\n---\nHello.",
            "--- \nlevel: patch\n---",
            "---\r\nmodel: evil\r\n---\r\nHello.",
            "\u{feff}---\nmodel: evil\n---\nHello.",
            "---",
        ] {
            for (before, head) in [
                ("Old.\n", ""),
                ("---\nversion: 1.0.0\n---\nOld.\n", ""),
                ("---\r\n\"version\": 1.0.0\r\nmodel: m\r\n---\r\nOld.\r\n", "model: m\n"),
            ] {
                let after = rewritten("p.md", before, &stored(PromptKind::Text, body, None)).unwrap();
                assert_eq!(after, format!("---\n{head}---\n{body}\n"), "{before:?}");
            }
        }
    }

    #[test]
    fn reason_is_one_value_of_the_front_matter() {
        let reason = "x\"\n---\nmodel: evil\n::set-output name=a::b\nversion: 9.0.0";
        let after = rewritten("p.md", "Old.\n", &stored(PromptKind::Text, "New.", Some(reason))).unwrap();
        let (head, body) = after.strip_prefix("---\n").unwrap().split_once("\n---\n").unwrap();
        let document = Document::yaml_from("p.md", 2, head).unwrap();
        assert_eq!((document.value(), body), (&json!({"reason": reason}), "New.\n"));
    }

    #[test]
    fn chat_file_in_yaml_keeps_its_settings() {
        let before = "model: m\nversion: 1.0.0\nmessages:\n  - {role: user, content: x}\n";
        let after = rewritten("p.yaml", before, &stored(PromptKind::Chat, "Hello.", None)).unwrap();
        let expected = json!({"model": "m", "messages": [{"role": "system", "content": "Hello."}]});
        assert_eq!(serde_json::from_str::<Value>(&after).unwrap(), expected);
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
