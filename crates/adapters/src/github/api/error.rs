//! What can go wrong between here and GitHub, in words.

use std::fmt;

use reqwest::StatusCode;

/// What kind of failure, for whoever has to choose what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiErrorKind {
    /// The token may not write (403): that of a pull request from a fork, or of a job without the permission.
    Forbidden,
    /// What the caller set is wrong: address, token, repository, number, text.
    Usage,
    /// GitHub, or the way to it, is not well; it may be later.
    Unavailable,
}

/// A call that came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// Its kind.
    pub kind: ApiErrorKind,
    /// The status of the response; `None` where there was none.
    pub status: Option<u16>,
    /// What happened; text of the server in it is short, on one line, and without the token.
    pub message: String,
    /// The next step.
    pub help: Option<String>,
}

impl ApiError {
    /// A failure without a next step.
    pub fn new(kind: ApiErrorKind, message: impl Into<String>) -> Self {
        Self { kind, status: None, message: message.into(), help: None }
    }

    /// The same with a next step.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// The failure of a response that is no success; `said` is the server's message.
    pub(super) fn status(what: &str, status: StatusCode, said: &str) -> Self {
        let code = status.as_u16();
        let said = if said.is_empty() { String::new() } else { format!(": {said}") };
        let message = format!("{what}: {code}{said}");
        let (kind, help) = match code {
            401 => {
                (ApiErrorKind::Usage, "the token is not accepted: it may be of another server, or expired")
            }
            403 => (
                ApiErrorKind::Forbidden,
                "give the job the permission `pull-requests: write`; the token of a pull request from a fork only reads",
            ),
            404 => (
                ApiErrorKind::Usage,
                "the token does not reach this repository or pull request: check GITHUB_REPOSITORY and the permissions \
                 of the job",
            ),
            410 => (ApiErrorKind::Usage, "comments are switched off there"),
            422 => (
                ApiErrorKind::Usage,
                "the text is not accepted: a comment holds at most 65,536 characters, and one that is locked or spam \
                 is refused",
            ),
            _ => (ApiErrorKind::Unavailable, "run the step again later"),
        };
        Self { kind, status: Some(code), message, help: Some(help.to_owned()) }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ApiError {}
