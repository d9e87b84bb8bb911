//! `prompts`: texts, files and patterns, with labels.

use serde_json::Value;

use promptgate_core::document::{Document, pointer};
use promptgate_core::model::{Diagnostics, Place};

use super::super::draft::{DraftMessage, DraftPrompt, slug, text_place, unique};
use super::super::sources::{extension, normal, parse, stem, text_of};
use super::Reader;

/// Extensions of programs that make a prompt.
const PROGRAMS: [&str; 7] = ["js", "mjs", "cjs", "ts", "mts", "py", "rb"];
/// Extensions of files that a path without `file://` may have.
const TEXTS: [&str; 8] = ["txt", "md", "j2", "json", "yaml", "yml", "jsonl", "njk"];
const ROLES: [&str; 4] = ["system", "developer", "user", "assistant"];
/// A line that separates the prompts of a text file.
const SEPARATOR: &str = "\n---\n";

impl Reader<'_> {
    /// The prompts that can be carried.
    pub(super) fn prompts(&mut self) -> Result<Vec<DraftPrompt>, Diagnostics> {
        let mut prompts = Vec::new();
        match self.root.get("prompts") {
            None | Some(Value::Null) => {}
            Some(Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.prompt(item, &format!("/prompts/{index}"), None, &mut prompts)?;
                }
            }
            // A map of paths to labels.
            Some(Value::Object(map)) if !map.contains_key("raw") && !map.contains_key("id") => {
                for (path, label) in map {
                    let path = format!("file://{}", path.strip_prefix("file://").unwrap_or(path));
                    self.prompt(
                        &Value::from(path.as_str()),
                        &pointer("/prompts", path.as_str()),
                        label.as_str(),
                        &mut prompts,
                    )?;
                }
            }
            Some(one) => self.prompt(one, "/prompts", None, &mut prompts)?,
        }
        let mut taken = Vec::new();
        for prompt in &mut prompts {
            let name = slug(&prompt.label);
            prompt.label = unique(if name.is_empty() { "prompt" } else { &name }, &mut taken);
        }
        Ok(prompts)
    }

    fn prompt(
        &mut self,
        value: &Value,
        at: &str,
        label: Option<&str>,
        prompts: &mut Vec<DraftPrompt>,
    ) -> Result<(), Diagnostics> {
        match value {
            Value::String(text) => self.prompt_text(text, at, label, prompts),
            Value::Object(map) => {
                let text = |key: &str| map.get(key).and_then(Value::as_str);
                let label = text("label").or_else(|| text("id").filter(|id| !id.contains("://"))).or(label);
                if map.contains_key("config") || map.contains_key("function") {
                    let help = "parameters belong to the configuration: `parameters: {temperature: 0}`";
                    self.note(at, "the `config` of a prompt has no counterpart", help);
                }
                match text("raw").map(|raw| (raw, "raw")).or(text("id").map(|id| (id, "id"))) {
                    Some((raw, key)) => self.prompt_text(raw, &pointer(at, key), label, prompts),
                    None => {
                        self.note(at, "a prompt has neither `raw` nor `id`", "write its text into a file");
                        Ok(())
                    }
                }
            }
            _ => {
                self.note(at, "a prompt must be a text or a map", "write its text into a file");
                Ok(())
            }
        }
    }

    fn prompt_text(
        &mut self,
        text: &str,
        at: &str,
        label: Option<&str>,
        prompts: &mut Vec<DraftPrompt>,
    ) -> Result<(), Diagnostics> {
        let path = text.strip_prefix("file://").or_else(|| {
            let is_path = !text.contains(['\n', ' ', '{']) && TEXTS.contains(&extension(text).as_str());
            (is_path || is_program(text)).then_some(text)
        });
        if text.starts_with("exec:") || path.is_some_and(is_program) {
            let help = "write the text that it makes into prompts/NAME.yaml, with variables for what differs between cases";
            self.note(at, format!("the prompt `{text}` is made by a program"), help);
            return Ok(());
        }
        let Some(path) = path else {
            let place = text_place(self.document, at);
            let label = label.map_or_else(|| inline_label(text), str::to_owned);
            prompts.extend(parsed(label, text, place));
            return Ok(());
        };
        let path = normal(path);
        if !path.contains('*') {
            return self.prompt_file(&path, at, label, prompts);
        }
        let place = self.place(at);
        let paths = (self.sources.list)(&path)
            .map_err(|error| promptgate_core::model::Diagnostic::new(error).at(place.clone()))?;
        if paths.is_empty() {
            let message = format!("no file matches `{}`", self.sources.shown(&path));
            return Err(promptgate_core::model::Diagnostic::new(message)
                .at(place)
                .help("correct the pattern")
                .into());
        }
        for path in paths {
            if is_program(&path) {
                self.note(
                    at,
                    format!("the prompt `{path}` is made by a program"),
                    "write its text into a file",
                );
                continue;
            }
            self.prompt_file(&path, at, None, prompts)?;
        }
        Ok(())
    }

    fn prompt_file(
        &mut self,
        path: &str,
        at: &str,
        label: Option<&str>,
        prompts: &mut Vec<DraftPrompt>,
    ) -> Result<(), Diagnostics> {
        let text = self.sources.text(path, &self.place(at))?;
        let shown = self.sources.shown(path);
        let label = label.map_or_else(|| stem(path), str::to_owned);
        match extension(path).as_str() {
            "json" | "yaml" | "yml" => match chat(&shown, &text) {
                Some(messages) => {
                    let original = Some(self.sources.original(path));
                    prompts.push(DraftPrompt { label, messages, original, ..DraftPrompt::default() });
                }
                None => {
                    let prompt = DraftPrompt::of_user(label, text.trim().to_owned(), Place::line(shown, 1));
                    prompts.push(DraftPrompt { original: Some(self.sources.original(path)), ..prompt });
                }
            },
            "csv" | "jsonl" => {
                self.note(
                    at,
                    format!("prompts in a table: `{path}`"),
                    "write each into a file prompts/NAME.yaml",
                );
            }
            _ => {
                let mut line = 1;
                for part in text.split(SEPARATOR) {
                    let place = Place::line(shown.clone(), line + part.len().min(leading_lines(part)));
                    let found = parsed(label.clone(), part.trim(), place);
                    prompts.extend(
                        found.map(|prompt| DraftPrompt {
                            original: Some(self.sources.original(path)),
                            ..prompt
                        }),
                    );
                    line += part.matches('\n').count() + 2;
                }
            }
        }
        Ok(())
    }
}

fn leading_lines(text: &str) -> usize {
    text.chars().take_while(|c| c.is_whitespace()).filter(|c| *c == '\n').count()
}

fn is_program(path: &str) -> bool {
    let path = path.rsplit_once(':').map_or(path, |(path, _)| path);
    !path.contains(['\n', ' ']) && PROGRAMS.contains(&extension(path).as_str())
}

/// A label from the first words of a prompt.
fn inline_label(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).take(4).collect();
    words.join(" ")
}

/// Messages where the text is a conversation in JSON or YAML, else a message of the user; `None` for an empty text.
fn parsed(label: String, text: &str, place: Place) -> Option<DraftPrompt> {
    if text.trim().is_empty() {
        return None;
    }
    let looks_like_chat = text.starts_with('[') || text.starts_with("- role:");
    let messages = looks_like_chat.then(|| chat("prompt", text)).flatten();
    Some(match messages {
        Some(mut messages) => {
            for message in &mut messages {
                message.place = place.clone();
            }
            DraftPrompt { label, messages, ..DraftPrompt::default() }
        }
        None => DraftPrompt::of_user(label, text.trim_end().to_owned(), place),
    })
}

/// The messages of a conversation; `None` where the text is none.
fn chat(file: &str, text: &str) -> Option<Vec<DraftMessage>> {
    let document = document(file, text)?;
    let (parent, items) = match document.value() {
        Value::Array(items) => ("", items),
        Value::Object(map) => ("/messages", map.get("messages")?.as_array()?),
        _ => return None,
    };
    let mut messages = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let role = item.get("role")?.as_str().filter(|role| ROLES.contains(role))?;
        let text = match item.get("content")? {
            Value::String(text) => text.clone(),
            Value::Array(parts) => {
                let texts: Option<Vec<&str>> = parts.iter().map(|part| part.get("text")?.as_str()).collect();
                texts?.join("\n")
            }
            other => text_of(other),
        };
        let at = format!("{parent}/{index}/content");
        messages.push(DraftMessage { role: role.to_owned(), text, place: text_place(&document, &at) });
    }
    (!messages.is_empty()).then_some(messages)
}

/// A document in which `{{x | dump}}`, JSON's form of a variable, is a text.
fn document(file: &str, text: &str) -> Option<Document> {
    if let Ok(document) = parse(file, text).or_else(|_| Document::yaml(file, text)) {
        return Some(document);
    }
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (inside, behind) = after.split_once("}}")?;
        plain.push_str(before);
        match inside.split_once('|') {
            Some((name, filter)) if matches!(filter.trim(), "dump" | "dump | safe" | "tojson") => {
                plain.push_str(&format!("\"{{{{{}}}}}\"", name.trim()));
            }
            _ => plain.push_str(&format!("{{{{{inside}}}}}")),
        }
        rest = behind;
    }
    plain.push_str(rest);
    Document::json(file, &plain).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversations_are_recognized() {
        let chat = |text: &str| parsed("x".to_owned(), text, Place::line("f", 1)).unwrap().messages;
        let roles = |text: &str| {
            chat(text).into_iter().map(|message| (message.role, message.text)).collect::<Vec<_>>()
        };
        let user = |text: &str| ("user".to_owned(), text.to_owned());
        assert_eq!(roles("[{\"role\": \"user\", \"content\": \"{{a}}\"}]"), [user("{{a}}")]);
        assert_eq!(roles("[{\"role\": \"user\", \"content\": {{ a | dump }}}]"), [user("{{a}}")]);
        assert_eq!(roles("- role: user\n  content: |\n    Hi {{a}}\n"), [user("Hi {{a}}\n")]);
        assert_eq!(roles("[\"a\"]"), [user("[\"a\"]")]);
        assert_eq!(parsed("x".to_owned(), "  \n", Place::line("f", 1)), None);
    }
}
