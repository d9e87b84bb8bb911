//! A prompt that is the value of `prompt` in a configuration: `{text: …}` or `{messages: […]}`.
//!
//! The bytes of the prompt are those of the whole configuration, so that errors have their lines in it. Its digest is that of
//! the prompt alone.

use serde_json::Value;

use promptgate_core::document::Document;
use promptgate_core::model::{Diagnostic, Diagnostics, Place};

use super::chat;
use super::front_matter::settings;
use super::{Parts, text_parts};

/// Parses a configuration and returns its prompt.
pub(super) fn document(file: &str, configuration: &str) -> Result<Document, Diagnostics> {
    Document::yaml(file, configuration)?.part("/prompt").ok_or_else(|| {
        Diagnostic::new("`prompt` is missing")
            .at(Place::file(file))
            .help("write `prompt: {text: …}` or `prompt: prompts/NAME.md`")
            .into()
    })
}

/// Reads the prompt; `user` is the template of the user message for a text.
pub(super) fn read(file: &str, document: &Document, user: &str) -> Result<Parts, Diagnostics> {
    let Some(text) = document.value().get("text").and_then(Value::as_str) else {
        return chat::read(file, document);
    };
    let mut diagnostics = Vec::new();
    let empty = serde_json::Map::new();
    let map = document.value().as_object().unwrap_or(&empty);
    let settings = settings(document, map, "parameters", &mut diagnostics);
    if text.trim().is_empty() {
        let diagnostic = Diagnostic::new("the prompt is empty").at(document.place("/text"));
        diagnostics.push(diagnostic.help("write the prompt"));
    }
    if !diagnostics.is_empty() {
        return Err(Diagnostics(diagnostics));
    }
    // The place of a block of text is its first line that is not blank.
    let blank: usize =
        text.split_inclusive('\n').take_while(|line| line.trim().is_empty()).map(str::len).sum();
    let body = text.get(blank..).unwrap_or_default();
    Ok(text_parts(file, settings, body, chat::content_line(document, "/text"), user))
}

/// Returns the text, or the messages as a JSON list.
pub(super) fn text(document: &Document) -> String {
    let value = document.value();
    match value.get("text") {
        Some(Value::String(text)) => text.clone(),
        _ => value.get("messages").unwrap_or(&Value::Null).to_string(),
    }
}
