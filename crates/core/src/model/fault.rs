//! Faults of the endpoint, which are not findings about quality.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Attempt, named};

named! {
    /// The kind of an endpoint's fault.
    pub enum FaultKind {
        /// No key in the environment where the endpoint needs one.
        MissingCredentials = "missing_credentials",
        /// 401.
        Unauthorized = "unauthorized",
        /// 403.
        Forbidden = "forbidden",
        /// 404: no such path or model.
        NotFound = "not_found",
        /// 402, or a 429 that reports an exhausted quota.
        QuotaSpent = "quota_spent",
        /// 429 after all retries.
        RateLimited = "rate_limited",
        /// 408, 409, 425 or 5xx after all retries.
        Unavailable = "unavailable",
        /// Any other status.
        Rejected = "rejected",
        /// The request is longer than the model's context.
        ContextLength = "context_length",
        /// A content filter refused the request.
        ContentFilter = "content_filter",
        /// The connection could not be made.
        Connection = "connection",
        /// The connection ended before a response.
        Disconnected = "disconnected",
        /// The certificate was not accepted.
        Certificate = "certificate",
        /// No response in time.
        Timeout = "timeout",
        /// A redirect to another origin.
        Redirected = "redirected",
        /// 2xx with an incomplete or invalid response.
        InvalidAnswer = "invalid_answer",
        /// The body was larger than allowed.
        TooLarge = "too_large",
        /// Too many calls in a row failed.
        Dead = "dead",
        /// `--cached-only`, and the answer is not in the cache.
        NotCached = "not_cached",
        /// The cache cannot be read.
        CacheDamaged = "cache_damaged",
        /// A limit of the budget was reached.
        BudgetSpent = "budget_spent",
        /// The change removes cases of the base, or makes them unusable.
        DatasetChanged = "dataset_changed",
        /// The change evaluates another kind of target than the base.
        TargetChanged = "target_changed",
        /// The judge failed its self-test, or lacks the calibration that the configuration requires.
        UnfitJudge = "unfit_judge",
        /// Ctrl-C or a request of the system to stop.
        Interrupted = "interrupted",
    }
}

impl FaultKind {
    /// Whether the run cannot go on and ends as incomplete.
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
                | Self::DatasetChanged
                | Self::TargetChanged
                | Self::UnfitJudge
                | Self::CacheDamaged
                | Self::BudgetSpent
                | Self::Interrupted
        )
    }
}

/// A fault with a message for the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// Its kind.
    pub kind: FaultKind,
    /// One sentence, with the server's message (shortened and redacted) where there is one.
    pub message: String,
    /// The next step.
    pub help: Option<String>,
    /// The delay before the next attempt that the endpoint requested.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
    /// All failed attempts of the call, this one last; in reports they belong to the trial.
    #[serde(skip)]
    pub attempts: Vec<Attempt>,
    /// The status of the response, where there was an error status.
    #[serde(skip)]
    pub status: Option<u16>,
    /// Maximum number of attempts that can help; `None` for as many as configured.
    #[serde(skip)]
    pub max_attempts: Option<u32>,
}

impl Fault {
    /// A fault without help.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            help: None,
            retry_after: None,
            attempts: Vec::new(),
            status: None,
            max_attempts: None,
        }
    }

    /// Adds the next step.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
