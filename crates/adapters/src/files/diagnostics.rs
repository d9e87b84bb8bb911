//! Collects diagnostics up to a limit, and defines the error of loading a dataset.

use std::fmt;

use promptgate_core::model::{Diagnostic, Diagnostics};

/// Diagnostics shown for one dataset.
const MAX_DIAGNOSTICS: usize = 20;

/// An error of loading a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadError {
    /// The files contain errors, of which the first twenty are listed.
    Diagnostics(Diagnostics),
    /// The files are valid but contain no rows.
    Empty(Diagnostic),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Diagnostics(diagnostics) => write!(f, "{diagnostics}"),
            Self::Empty(diagnostic) => write!(f, "{diagnostic}"),
        }
    }
}

impl std::error::Error for LoadError {}

impl From<Diagnostics> for LoadError {
    fn from(diagnostics: Diagnostics) -> Self {
        Self::Diagnostics(diagnostics)
    }
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
