//! Diagnostics of an entry.

use serde_json::Value;

use crate::document::{advice_for, pointer, suggest};

/// An error in an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryDiagnostic {
    /// JSON pointer within the entry: `/contains/any/0`; empty for the entry as a whole.
    pub pointer: String,
    /// The message: lower case, without a full stop.
    pub message: String,
    /// The next step.
    pub help: Option<String>,
}

impl EntryDiagnostic {
    /// A diagnostic without help.
    pub(crate) fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into(), help: None }
    }

    /// Sets the next step.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Reports an unknown key, and suggests a similar key or lists all keys.
    pub(crate) fn unknown_key(parent: &str, key: &str, value: &Value, known: &[&str]) -> Self {
        let diagnostic =
            Self::new(pointer(parent, key), format!("unknown key {}", super::reason::quoted(key)));
        if let Some(advice) = advice_for(key, Some(value), known) {
            return diagnostic.help(advice);
        }
        match suggest(key, known.iter().copied()) {
            Some(suggestion) => diagnostic.help(format!("did you mean `{suggestion}`?")),
            None => diagnostic.help(format!("known keys: {}", known.join(", "))),
        }
    }

    /// Prepends `parent` to the pointer.
    pub(crate) fn below(mut self, parent: &str) -> Self {
        self.pointer.insert_str(0, parent);
        self
    }
}

/// Returns the diagnostics as an error if there are any.
pub(crate) fn no_errors(diagnostics: Vec<EntryDiagnostic>) -> Result<(), Vec<EntryDiagnostic>> {
    if diagnostics.is_empty() { Ok(()) } else { Err(diagnostics) }
}
