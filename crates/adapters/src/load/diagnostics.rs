//! Collecting mistakes, and the error of loading a dataset.

use std::fmt;

use promptgate_core::model::{Diagnostic, Diagnostics};

/// How many mistakes of one dataset are shown.
const SHOWN: usize = 20;

/// Why there is no dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadError {
    /// Something in the files is wrong: all of it, up to the first twenty.
    Diagnostics(Diagnostics),
    /// The files are fine and hold no row: there is nothing to evaluate.
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

/// Takes mistakes, keeps the first twenty and counts the rest.
#[derive(Debug, Default)]
pub(super) struct Sink {
    kept: Vec<Diagnostic>,
    more: usize,
}

impl Sink {
    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        if self.kept.len() < SHOWN {
            self.kept.push(diagnostic);
        } else {
            self.more += 1;
        }
    }

    pub(super) fn extend(&mut self, diagnostics: Diagnostics) {
        for diagnostic in diagnostics.0 {
            self.push(diagnostic);
        }
    }

    /// The mistakes, if there are any; the last one says how many are left out.
    pub(super) fn into_result(mut self) -> Result<(), Diagnostics> {
        if self.kept.is_empty() {
            return Ok(());
        }
        if self.more > 0 {
            let (more, plural) = (self.more, if self.more == 1 { "" } else { "s" });
            self.kept.push(Diagnostic::new(format!("and {more} more mistake{plural}")));
        }
        Err(Diagnostics(self.kept))
    }
}
