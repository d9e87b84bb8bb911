//! Reading a JSON document of a known schema, with diagnostics that name the place.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::error::Category;

use promptgate_core::model::{Diagnostic, Place};
use promptgate_core::text::neutral;

/// A document while it is read.
pub(super) struct Document<'a> {
    /// Its name in messages: `report`.
    pub(super) noun: &'static str,
    /// The value of its `schema`.
    pub(super) schema: &'static str,
    /// Its file.
    pub(super) file: &'a str,
    /// The next step for a document that cannot be used.
    pub(super) help: &'a str,
}

/// The field that identifies a document.
#[derive(Deserialize)]
struct Header {
    schema: Option<Value>,
}

impl Document<'_> {
    /// Parses the text of the file.
    ///
    /// # Errors
    /// The text is empty, cut off, not JSON, of another version, or another document.
    pub(super) fn parse<T: DeserializeOwned>(&self, text: &str) -> Result<T, Diagnostic> {
        if text.trim().is_empty() {
            return Err(self.refuse(format!("the {} is empty", self.noun)));
        }
        let header: Header = serde_json::from_str(text).map_err(|error| self.unreadable(&error))?;
        match &header.schema {
            Some(Value::String(name)) if name == self.schema => {}
            Some(Value::String(name)) => return Err(self.other_schema(name)),
            _ => return Err(self.refuse(format!("{}: no `schema`", self.mismatch()))),
        }
        serde_json::from_str(text).map_err(|error| self.unreadable(&error))
    }

    /// A diagnostic about the file.
    pub(super) fn refuse(&self, message: String) -> Diagnostic {
        Diagnostic::new(message).at(Place::file(self.file)).help(self.help)
    }

    fn mismatch(&self) -> String {
        format!("not a promptgate {}", self.noun)
    }

    fn other_schema(&self, name: &str) -> Diagnostic {
        let shown = neutral::terminal(name);
        let family = |schema: &str| schema.rsplit_once('/').map(|(family, _)| family.to_owned());
        if family(name) == family(self.schema) {
            let message =
                format!("the {} has version `{shown}`, this promptgate reads `{}`", self.noun, self.schema);
            let help = "use the promptgate version that wrote it, or write it again with this one";
            return self.refuse(message).help(help);
        }
        if family(name) == family(super::shard::SCHEMA) {
            return self.refuse("this is one shard of a run, not a report".to_owned()).help(
                "join all shards with `promptgate merge DIR`, and name the report.json that it writes",
            );
        }
        self.refuse(format!("{}: its `schema` is `{shown}`, expected `{}`", self.mismatch(), self.schema))
    }

    fn unreadable(&self, error: &serde_json::Error) -> Diagnostic {
        let place =
            Place { column: Some(error.column().max(1)), ..Place::line(self.file, error.line().max(1)) };
        let message = match error.classify() {
            Category::Eof => format!("the {} is cut off", self.noun),
            Category::Syntax | Category::Io => format!("the {} is damaged: {}", self.noun, described(error)),
            Category::Data => format!("{}: {}", self.mismatch(), described(error)),
        };
        Diagnostic::new(message).at(place).help(self.help)
    }
}

/// The message of an error without its position. It may quote the file, so it is neutralized.
pub(super) fn described(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let bare = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    neutral::terminal(bare)
}
