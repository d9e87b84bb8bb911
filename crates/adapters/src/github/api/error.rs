//! Failed API calls.

use reqwest::StatusCode;

use crate::http;
use promptgate_core::model::Diagnostic;

/// The kind of a failed call, from which the caller chooses the next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiErrorKind {
    /// The token may not write (403), as in a pull request from a fork or a job without the permission.
    Forbidden,
    /// A wrong setting: address, token, repository, number or text.
    Usage,
    /// GitHub or the network failed; a later attempt may succeed.
    Unavailable,
}

/// A failed call. Server text in the message is redacted, short and on one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// The kind.
    pub kind: ApiErrorKind,
    /// The status of the response; `None` where there was none.
    pub status: Option<u16>,
    /// The reason.
    pub message: String,
    /// The next step.
    pub help: Option<String>,
}

impl ApiError {
    pub(super) fn new(kind: ApiErrorKind, message: impl Into<String>) -> Self {
        Self { kind, status: None, message: message.into(), help: None }
    }

    #[must_use]
    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// Returns the error of a response with an error status.
    pub(super) fn status(status: StatusCode, message: String) -> Self {
        let (kind, help) = match status.as_u16() {
            401 => (
                ApiErrorKind::Usage,
                "the token is not accepted: it may have expired or belong to another server",
            ),
            403 => (
                ApiErrorKind::Forbidden,
                "give the job the permission `pull-requests: write`; the token of a pull request from a fork is \
                 read-only",
            ),
            404 => (
                ApiErrorKind::Usage,
                "the token has no access to this repository or pull request: check GITHUB_REPOSITORY and the \
                 permissions of the job",
            ),
            410 => (ApiErrorKind::Usage, "comments are disabled there"),
            422 => (
                ApiErrorKind::Usage,
                "the text is not accepted: a comment has at most 65,536 characters, and locked conversations and spam \
                 are rejected",
            ),
            _ => (ApiErrorKind::Unavailable, "run the step again later"),
        };
        Self { kind, status: Some(status.as_u16()), message, help: Some(help.to_owned()) }
    }
}

impl From<http::Error> for ApiError {
    fn from(error: http::Error) -> Self {
        Self::new(ApiErrorKind::Unavailable, error.message).help(error.help)
    }
}

impl From<Diagnostic> for ApiError {
    fn from(diagnostic: Diagnostic) -> Self {
        let place = diagnostic.place.map(|place| format!("{place}: ")).unwrap_or_default();
        let error = Self::new(ApiErrorKind::Usage, format!("{place}{}", diagnostic.message));
        Self { help: diagnostic.help, ..error }
    }
}
