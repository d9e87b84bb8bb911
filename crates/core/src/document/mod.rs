//! YAML and JSON documents whose values have a location in the text.
//!
//! Errors in a configuration or a dataset are shown with their line. The module parses YAML 1.2 (core schema) and strict
//! JSON, rejects ambiguous input (duplicate keys, tags, merge keys, several documents, numbers that cannot be represented
//! exactly), and converts violations of a JSON Schema into diagnostics with locations.
//!
//! It does no I/O and does not interpret documents.

mod advice;
mod expected;
mod explain;
mod foreign;
mod json;
mod lines;
mod missing_colon;
mod secret;
mod suggest;
mod unexpanded;
mod validate;
mod yaml;

#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::model::{Diagnostics, Place};

pub(crate) use advice::advice_for;
pub(crate) use expected::{forms, type_names, type_words};
pub(crate) use explain::shortened;
pub use explain::shown;
pub use secret::{is_auth_header, is_secret_header, looks_like_secret};
pub use suggest::suggest;
pub use unexpanded::unexpanded;
pub use validate::{Violation, sort_by_place, validate, violations};

use crate::text::json::Node;
use lines::Lines;

/// Maximum depth of nested lists and maps, so that recursion cannot exhaust the stack.
const MAX_DEPTH: usize = 64;

/// A parsed text with the location of each value.
#[derive(Debug, Clone)]
pub struct Document {
    lines: Lines,
    value: Value,
    root: Node,
    layers: Option<Box<Layers>>,
}

/// A document below another one.
#[derive(Debug, Clone)]
struct Layers {
    below: Document,
    merged: Value,
}

impl Document {
    /// Parses one YAML document. Scalars follow the YAML 1.2 core schema; an empty text is `null`.
    ///
    /// # Errors
    /// The syntax error, or every duplicate key, tag, merge key and unusable number with its location.
    pub fn yaml(file: &str, text: &str) -> Result<Self, Diagnostics> {
        Self::yaml_from(file, 1, text)
    }

    /// Parses a YAML document that is part of a file; `first_line` is the number of its first line in the file.
    ///
    /// # Errors
    /// As [`Document::yaml`].
    pub fn yaml_from(file: &str, first_line: usize, text: &str) -> Result<Self, Diagnostics> {
        let lines = Lines::new(file, first_line, text);
        let (value, root) = yaml::parse(&lines)?;
        Ok(Self { lines, value, root, layers: None })
    }

    /// Parses one strict JSON value: no comments, no trailing comma, no duplicate key.
    ///
    /// # Errors
    /// The syntax error, or every duplicate key and unusable number with its location.
    pub fn json(file: &str, text: &str) -> Result<Self, Diagnostics> {
        Self::json_from(file, 1, text)
    }

    /// Parses a JSON value that is part of a file, such as a line of JSONL; `first_line` is the number of its first line
    /// in the file.
    ///
    /// # Errors
    /// As [`Document::json`].
    pub fn json_from(file: &str, first_line: usize, text: &str) -> Result<Self, Diagnostics> {
        let lines = Lines::new(file, first_line, text);
        let (value, root) = json::parse(&lines)?;
        Ok(Self { lines, value, root, layers: None })
    }

    /// Returns this document over another one. `merged` is the value of both together; each value in it has the location
    /// where it is written: in this document, else in the one below.
    ///
    /// [`Document::part`], [`Document::text`] and [`Document::value_as_written`] remain those of this document alone.
    #[must_use]
    pub fn over(self, below: Self, merged: Value) -> Self {
        Self { layers: Some(Box::new(Layers { below, merged })), ..self }
    }

    /// Returns the value, with keys in the order of the text.
    pub fn value(&self) -> &Value {
        self.layers.as_ref().map_or(&self.value, |layers| &layers.merged)
    }

    /// Returns the value at a JSON pointer, in which numbers whose value would be written differently are texts: `007`,
    /// `1.20` and `1e3` are rather codes and versions than amounts.
    pub fn value_as_written(&self, pointer: &str) -> Option<Value> {
        let value = self.value.pointer(pointer)?;
        let (node, exists) = self.find_here(pointer);
        exists.then(|| self.as_written(node, value))
    }

    fn as_written(&self, node: &Node, value: &Value) -> Value {
        match value {
            Value::Number(number) => {
                let span = node.span.start as usize..node.span.end as usize;
                let written = self.lines.text().get(span).unwrap_or_default().trim();
                // The text of an alias is its name.
                let is_number = written.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
                match is_number && written != number.to_string() {
                    true => Value::from(written),
                    false => value.clone(),
                }
            }
            Value::Array(items) => {
                node.children.iter().zip(items).map(|(node, item)| self.as_written(node, item)).collect()
            }
            Value::Object(map) => {
                let entries = node.children.iter().zip(map);
                entries.map(|(node, (key, value))| (key.clone(), self.as_written(node, value))).collect()
            }
            other => other.clone(),
        }
    }

    /// Returns the value at a JSON pointer as a document of its own, with the locations that it has here.
    pub fn part(&self, pointer: &str) -> Option<Self> {
        let value = self.value.pointer(pointer)?.clone();
        let (node, exists) = self.find_here(pointer);
        exists.then(|| Self { lines: self.lines.clone(), value, root: node.clone(), layers: None })
    }

    /// Returns the text without byte order mark; that of the whole document for a part.
    pub fn text(&self) -> &str {
        self.lines.text()
    }

    /// Returns the number of the last line of the value at a JSON pointer, or of its nearest existing parent.
    pub fn last_line(&self, pointer: &str) -> usize {
        fn end(node: &Node) -> u32 {
            // The span of a map may include comments behind it.
            node.children.iter().map(end).max().unwrap_or(node.span.end)
        }
        let (lines, node, _) = self.find(pointer);
        lines.last_line(end(node) as usize)
    }

    /// Returns the value without locations.
    pub fn into_value(self) -> Value {
        self.layers.map_or(self.value, |layers| layers.merged)
    }

    /// Returns the location of the value at a JSON pointer (`/checks/0/name`; empty for the root), or of its nearest
    /// existing parent.
    ///
    /// The excerpt is the line, at most 200 characters; it is omitted if the line may contain a secret or the column is
    /// beyond it. Columns after 16 KiB of a line that is not plain ASCII are omitted.
    pub fn place(&self, pointer: &str) -> Place {
        let (lines, node, _) = self.find(pointer);
        lines.place(node.span)
    }

    /// Returns the location of the last key of a JSON pointer; for a list item or the root, that of the value.
    pub fn key_place(&self, pointer: &str) -> Place {
        let (lines, node, exists) = self.find(pointer);
        let span = if exists { node.key.unwrap_or(node.span) } else { node.span };
        lines.place(span)
    }

    /// Returns the node at the pointer with the text that holds it, or its nearest existing parent and `false`.
    fn find(&self, pointer: &str) -> (&Lines, &Node, bool) {
        let Some(layers) = &self.layers else {
            let (node, exists) = self.find_here(pointer);
            return (&self.lines, node, exists);
        };
        let exists = layers.merged.pointer(pointer).is_some();
        let mut at = pointer;
        loop {
            for document in [self, &layers.below] {
                let (node, found) = document.find_here(at);
                if found && layers.merged.pointer(at).is_some() {
                    return (&document.lines, node, exists);
                }
            }
            let Some((parent, _)) = at.rsplit_once('/') else { return (&self.lines, &self.root, exists) };
            at = parent;
        }
    }

    /// Returns the node of this document alone at the pointer, or its nearest existing parent and `false`.
    fn find_here(&self, pointer: &str) -> (&Node, bool) {
        let (mut node, mut value) = (&self.root, &self.value);
        for token in pointer.split('/').skip(1) {
            let token = token.replace("~1", "/").replace("~0", "~");
            let index = match value {
                Value::Object(map) => map.keys().position(|key| *key == token),
                Value::Array(_) => token.parse().ok(),
                _ => None,
            };
            let next = index.and_then(|index: usize| {
                let child = match value {
                    Value::Object(map) => map.get(&token),
                    Value::Array(items) => items.get(index),
                    _ => None,
                };
                node.children.get(index).zip(child)
            });
            let Some((child, child_value)) = next else { return (node, false) };
            (node, value) = (child, child_value);
        }
        (node, true)
    }
}

/// Appends an escaped token to a JSON pointer.
pub fn pointer(parent: &str, token: &str) -> String {
    format!("{parent}/{}", token.replace('~', "~0").replace('/', "~1"))
}
