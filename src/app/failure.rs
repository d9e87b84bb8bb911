//! Errors that end a use case before it has a result.

use std::io;

use promptgate_core::model::{Diagnostic, Diagnostics};

/// A use case that came to no result.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Errors in what the user wrote.
    Diagnostics(Diagnostics),
    /// Shards that do not make a run, or a service that is unavailable.
    Incomplete(Diagnostics),
    /// Nothing to evaluate.
    Nothing(Diagnostic),
    /// An error of the machine: disk full, no permission.
    Internal(String),
    /// The reader of standard output is gone.
    BrokenPipe,
}

impl Failure {
    /// An error while writing `target`.
    pub(crate) fn writing(target: &str, error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::BrokenPipe
        } else {
            Self::Internal(format!("could not write {target}: {error}"))
        }
    }

    /// Its diagnostics, for readers who do not see the log.
    pub(crate) fn diagnostics(&self) -> Vec<Diagnostic> {
        match self {
            Self::Diagnostics(Diagnostics(diagnostics)) | Self::Incomplete(Diagnostics(diagnostics)) => {
                diagnostics.clone()
            }
            Self::Nothing(diagnostic) => vec![diagnostic.clone()],
            Self::Internal(message) => vec![Diagnostic::new(message)],
            Self::BrokenPipe => Vec::new(),
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
