//! Text with places: YAML and JSON read into a value that still knows where each part stands.
//!
//! Every mistake in a configuration or a dataset is to be shown at its line. So this room parses YAML 1.2
//! (core schema) and strict JSON itself, from events and bytes, refuses what two readers could read in two ways
//! (duplicate keys, tags, merge keys, several documents, numbers that cannot be kept), and turns the violations
//! of a JSON Schema into sentences at their places.
//!
//! It opens no file and knows no key of ours; the meaning of a document is the matter of its caller.

mod expected;
mod explain;
mod json;
mod lines;
mod secret;
mod suggest;
mod tree;
mod validate;
mod yaml;

#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::model::{Diagnostics, Place};

pub use explain::shown;
pub use secret::looks_like_secret;
pub use suggest::suggest;
pub use validate::{Violation, sort_by_place, validate, violations};

use lines::Lines;
use tree::{Node, Span};

/// Containers deeper than this are refused, so that no later recursion can exhaust the stack.
const MAX_DEPTH: usize = 64;

/// A parsed text and the place of each of its parts.
#[derive(Debug, Clone)]
pub struct Document {
    lines: Lines,
    value: Value,
    root: Node,
}

impl Document {
    /// Parses one YAML document. Scalars follow the YAML 1.2 core schema; an empty text is `null`.
    ///
    /// # Errors
    /// The syntax error, or every duplicate key, tag, merge key and unusable number with its place.
    pub fn yaml(file: &str, text: &str) -> Result<Self, Diagnostics> {
        Self::yaml_from(file, 1, text)
    }

    /// [`Document::yaml`] of a part of a file: `first_line` is the number of its first line in the file.
    ///
    /// # Errors
    /// As [`Document::yaml`].
    pub fn yaml_from(file: &str, first_line: usize, text: &str) -> Result<Self, Diagnostics> {
        let lines = Lines::new(file, first_line, text);
        let (value, root) = yaml::parse(&lines)?;
        Ok(Self { lines, value, root })
    }

    /// Parses one strict JSON value: no comments, no trailing comma, no duplicate key.
    ///
    /// # Errors
    /// The syntax error, or every duplicate key and unusable number with its place.
    pub fn json(file: &str, text: &str) -> Result<Self, Diagnostics> {
        Self::json_from(file, 1, text)
    }

    /// [`Document::json`] of a part of a file, such as a line of JSONL: `first_line` is the number of its first
    /// line in the file.
    ///
    /// # Errors
    /// As [`Document::json`].
    pub fn json_from(file: &str, first_line: usize, text: &str) -> Result<Self, Diagnostics> {
        let lines = Lines::new(file, first_line, text);
        let (value, root) = json::parse(&lines)?;
        Ok(Self { lines, value, root })
    }

    /// The value. Keys are in the order of the text.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The value, without its places.
    pub fn into_value(self) -> Value {
        self.value
    }

    /// The place of the value at a JSON pointer (`/checks/0/name`; empty is the root). A pointer that leads
    /// nowhere gives the place of the nearest value above.
    ///
    /// The excerpt is the line, at most 200 characters; it is left out where the line seems to hold a secret or
    /// the column lies beyond it. Past 16 KiB in a line that is not plain ASCII there is no column.
    pub fn place(&self, pointer: &str) -> Place {
        self.lines.place(self.find(pointer).0.span)
    }

    /// The place of the key that a JSON pointer ends in; of an item of a list or of the root, of the value.
    pub fn key_place(&self, pointer: &str) -> Place {
        let (node, found) = self.find(pointer);
        let span = if found { node.key.unwrap_or(node.span) } else { node.span };
        self.lines.place(span)
    }

    /// The node at the pointer and whether the whole pointer was followed.
    fn find(&self, pointer: &str) -> (&Node, bool) {
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

/// Appends a token to a JSON pointer, escaped.
pub fn pointer(parent: &str, token: &str) -> String {
    format!("{parent}/{}", token.replace('~', "~0").replace('/', "~1"))
}

impl Span {
    /// The span from `start` to `end`, in bytes.
    fn new(start: usize, end: usize) -> Self {
        let small = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { start: small(start), end: small(end.max(start)) }
    }
}
