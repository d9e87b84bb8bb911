//! Errors that end a use case before it has a result.

use std::io;

use promptgate_core::model::{Diagnostic, Diagnostics};
use promptgate_core::text::{is_out_of_space, write_error};

/// A use case that came to no result.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Errors in what the user wrote.
    Diagnostics(Diagnostics),
    /// Shards that do not make a run, or a service that is unavailable.
    Incomplete(Diagnostics),
    /// A state that only a person can settle.
    Unsettled(Diagnostic),
    /// Nothing to evaluate.
    Nothing(Diagnostic),
    /// A result that cannot be written: disk full, no permission.
    Unwritten(Diagnostic),
    /// An error of the machine or a bug.
    Internal(String),
}

impl Failure {
    /// An error while writing `target`.
    pub(crate) fn writing(target: &str, error: &io::Error) -> Self {
        let diagnostic = Diagnostic::new(format!("could not write {target}: {}", write_error(error)));
        Self::Unwritten(if is_out_of_space(error) {
            diagnostic.help("free disk space and run again")
        } else {
            diagnostic
        })
    }

    /// Its diagnostics, for readers who do not see the log.
    pub(crate) fn diagnostics(&self) -> Vec<Diagnostic> {
        match self {
            Self::Diagnostics(Diagnostics(diagnostics)) | Self::Incomplete(Diagnostics(diagnostics)) => {
                diagnostics.clone()
            }
            Self::Unsettled(diagnostic) | Self::Nothing(diagnostic) | Self::Unwritten(diagnostic) => {
                vec![diagnostic.clone()]
            }
            Self::Internal(message) => vec![Diagnostic::new(message)],
        }
    }
}

impl From<Diagnostics> for Failure {
    fn from(diagnostics: Diagnostics) -> Self {
        Self::Diagnostics(diagnostics)
    }
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Diagnostics(diagnostic.into())
    }
}
