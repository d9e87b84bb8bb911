//! A fault of the endpoint: no answer came, or none that is whole. Says nothing about quality.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What kind of fault; decides whether the run can go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// No key in the environment where the endpoint needs one.
    MissingCredentials,
    /// 401.
    Unauthorized,
    /// 403.
    Forbidden,
    /// 404: no such path or model.
    NotFound,
    /// 402, or a 429 that says the quota is spent.
    QuotaSpent,
    /// 429 beyond the patience of the call.
    RateLimited,
    /// 408, 409, 425, 5xx beyond the patience of the call.
    Unavailable,
    /// Any other status: 400, 422, …
    Rejected,
    /// 400: the request is longer than the model's context.
    ContextLength,
    /// 400: a filter refused the request.
    ContentFilter,
    /// The connection could not be made, or was reset.
    Connection,
    /// The certificate was not accepted.
    Certificate,
    /// No answer in time.
    Timeout,
    /// A redirect to another origin.
    Redirected,
    /// 2xx, but not a whole, valid answer.
    InvalidAnswer,
    /// The body was larger than allowed.
    TooLarge,
    /// Too many calls in a row failed; the endpoint is taken for dead.
    Dead,
    /// The judge failed its self-test, or is not calibrated as the configuration wants.
    UnfitJudge,
    /// Only cached answers were wanted, and this one is not in the cache.
    NotCached,
    /// The cache cannot be read.
    CacheDamaged,
    /// A ceiling of the budget was reached.
    BudgetSpent,
    /// The user or the system asked to stop.
    Interrupted,
}

impl FaultKind {
    /// Whether nothing more can come of this run: the run ends as incomplete.
    pub fn ends_run(self) -> bool {
        matches!(
            self,
            Self::MissingCredentials
                | Self::Unauthorized
                | Self::Forbidden
                | Self::NotFound
                | Self::QuotaSpent
                | Self::Redirected
                | Self::Certificate
                | Self::Dead
                | Self::UnfitJudge
                | Self::CacheDamaged
                | Self::BudgetSpent
                | Self::Interrupted
        )
    }

    /// The stable name used in reports.
    pub fn code(self) -> &'static str {
        match self {
            Self::MissingCredentials => "missing_credentials",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::QuotaSpent => "quota_spent",
            Self::RateLimited => "rate_limited",
            Self::Unavailable => "unavailable",
            Self::Rejected => "rejected",
            Self::ContextLength => "context_length",
            Self::ContentFilter => "content_filter",
            Self::Connection => "connection",
            Self::Certificate => "certificate",
            Self::Timeout => "timeout",
            Self::Redirected => "redirected",
            Self::InvalidAnswer => "invalid_answer",
            Self::TooLarge => "too_large",
            Self::Dead => "dead",
            Self::UnfitJudge => "unfit_judge",
            Self::NotCached => "not_cached",
            Self::CacheDamaged => "cache_damaged",
            Self::BudgetSpent => "budget_spent",
            Self::Interrupted => "interrupted",
        }
    }
}

/// A fault with the words to show for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its kind.
    pub kind: FaultKind,
    /// What happened, with the server's message (bounded, redacted) where there is one.
    pub message: String,
    /// The next step.
    pub help: Option<String>,
    /// How long the endpoint asked to wait before the next try, where it did.
    pub retry_after: Option<Duration>,
}

impl Fault {
    /// A fault without help.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), help: None, retry_after: None }
    }

    /// The same fault with the next step.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}
