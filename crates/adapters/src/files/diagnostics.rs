//! Collects diagnostics up to a limit, and defines the error of loading a dataset.

use promptgate_core::document::suggest;
use promptgate_core::model::{Diagnostic, Diagnostics, Place};

use super::field::Field;

/// Diagnostics shown for one dataset.
const MAX_DIAGNOSTICS: usize = 20;

/// An error of loading a dataset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The files contain errors, of which the first twenty are listed.
    #[error(transparent)]
    Diagnostics(#[from] Diagnostics),
    /// The files are valid but contain no rows.
    #[error("{0}")]
    Empty(Diagnostic),
}

impl From<Diagnostic> for LoadError {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Diagnostics(diagnostic.into())
    }
}

/// Keeps the first [`MAX_DIAGNOSTICS`] diagnostics and counts the rest.
#[derive(Debug, Default)]
pub(super) struct DiagnosticSink {
    diagnostics: Vec<Diagnostic>,
    omitted: usize,
}

impl DiagnosticSink {
    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        if self.diagnostics.len() < MAX_DIAGNOSTICS {
            self.diagnostics.push(diagnostic);
        } else {
            self.omitted += 1;
        }
    }

    /// Number of diagnostics so far.
    pub(super) fn count(&self) -> usize {
        self.diagnostics.len() + self.omitted
    }

    pub(super) fn extend(&mut self, diagnostics: Diagnostics) {
        for diagnostic in diagnostics.0 {
            self.push(diagnostic);
        }
    }

    /// Fails if there are diagnostics; the last one gives the number of those omitted.
    pub(super) fn into_result(mut self) -> Result<(), Diagnostics> {
        if self.diagnostics.is_empty() {
            return Ok(());
        }
        if self.omitted > 0 {
            let (count, plural) = (self.omitted, if self.omitted == 1 { "" } else { "s" });
            self.diagnostics.push(Diagnostic::new(format!("and {count} more error{plural}")));
        }
        Err(Diagnostics(self.diagnostics))
    }
}

/// Help for an unknown name: the known one that it resembles, else `otherwise`.
pub(super) fn did_you_mean<'a>(
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
    otherwise: impl FnOnce() -> String,
) -> String {
    suggest(name, known).map_or_else(otherwise, |known| format!("did you mean `{known}`?"))
}

/// Names in backticks, the first fifteen.
pub(super) fn join_names<'n>(names: impl Iterator<Item = &'n String>) -> String {
    const MAX_NAMES: usize = 15;
    let mut names: Vec<String> = names.take(MAX_NAMES + 1).map(|name| format!("`{name}`")).collect();
    if names.len() > MAX_NAMES {
        names.truncate(MAX_NAMES);
        names.push("…".to_owned());
    }
    names.join(", ")
}

/// The error of two columns that are read as one field.
pub(super) fn conflicting_columns(field: Field, first: &str, second: &str, place: Place) -> Diagnostic {
    let name = field.name();
    Diagnostic::new(format!("both `{first}` and `{second}` map to `{name}`")).at(place).help(format!(
        "rename or remove one of them, or keep both: `fields: {{{name}: \"{first}\", \"vars.other\": \"{second}\"}}`"
    ))
}
