//! Failed attempts at an answer, which the retry layer replaced.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultKind};

/// One failed attempt before an answer, or before a fault that is final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// The kind of its fault.
    pub kind: FaultKind,
    /// The HTTP status; absent without a response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Its duration in milliseconds.
    pub ms: u64,
}

impl Attempt {
    /// The attempt that ended with a fault.
    pub fn new(fault: &Fault, ms: u64) -> Self {
        Self { kind: fault.kind, status: None, ms }
    }

    /// Whether the model may have written an answer that the fault hid, so that a later answer may be a selected one. Free
    /// of this suspicion is what never reached a model: no connection, a refused certificate or credential, an unknown
    /// path, a rate limit, a refused request: nothing asks again after that.
    pub fn is_contested(&self) -> bool {
        let reached_model = !matches!(
            self.kind,
            FaultKind::MissingCredentials
                | FaultKind::Unauthorized
                | FaultKind::Forbidden
                | FaultKind::NotFound
                | FaultKind::Rejected
                | FaultKind::ContextLength
                | FaultKind::QuotaSpent
                | FaultKind::RateLimited
                | FaultKind::Connection
                | FaultKind::Certificate
                | FaultKind::Redirected
                | FaultKind::Dead
                | FaultKind::NotCached
                | FaultKind::CacheDamaged
                | FaultKind::BudgetSpent
                | FaultKind::UnfitJudge
                | FaultKind::Interrupted
        );
        reached_model && !matches!(self.status, Some(401 | 403 | 404 | 429))
    }
}

/// The first attempt of a trial that reached the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum FirstAttempt {
    /// Answered, or known not to have reached the model.
    #[default]
    Clean,
    /// Failed, and the model may have written an answer.
    Contested,
    /// No answer in time.
    TimedOut,
}

impl FirstAttempt {
    /// The first contested attempt of a list.
    pub fn of(attempts: &[Attempt]) -> Self {
        match attempts.iter().find(|attempt| attempt.is_contested()) {
            None => Self::Clean,
            Some(attempt) if attempt.kind == FaultKind::Timeout => Self::TimedOut,
            Some(_) => Self::Contested,
        }
    }

    /// Whether it was contested.
    pub fn is_contested(self) -> bool {
        self != Self::Clean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(kind: FaultKind, status: Option<u16>) -> Attempt {
        Attempt { kind, status, ms: 1 }
    }

    #[test]
    fn attempts_are_contested_unless_no_model_was_reached() {
        let contested = [
            (FaultKind::Timeout, None),
            (FaultKind::Unavailable, Some(500)),
            (FaultKind::Unavailable, Some(502)),
            (FaultKind::Unavailable, Some(503)),
            (FaultKind::Unavailable, Some(529)),
            (FaultKind::Unavailable, Some(408)),
            (FaultKind::Unavailable, None),
            (FaultKind::Disconnected, None),
            (FaultKind::InvalidAnswer, Some(200)),
            (FaultKind::TooLarge, None),
            (FaultKind::ContentFilter, Some(400)),
        ];
        for (kind, status) in contested {
            assert!(attempt(kind, status).is_contested(), "{kind:?} {status:?}");
        }
        let free = [
            (FaultKind::Connection, None),
            (FaultKind::Certificate, None),
            (FaultKind::Unauthorized, Some(401)),
            (FaultKind::Forbidden, Some(403)),
            (FaultKind::NotFound, Some(404)),
            (FaultKind::Rejected, Some(400)),
            (FaultKind::ContextLength, Some(400)),
            (FaultKind::RateLimited, Some(429)),
            (FaultKind::QuotaSpent, Some(429)),
            (FaultKind::BudgetSpent, None),
        ];
        for (kind, status) in free {
            assert!(!attempt(kind, status).is_contested(), "{kind:?} {status:?}");
        }
    }

    #[test]
    fn first_attempt_ignores_what_never_reached_the_model() {
        let limited = attempt(FaultKind::RateLimited, Some(429));
        let timeout = attempt(FaultKind::Timeout, None);
        let error = attempt(FaultKind::Unavailable, Some(500));
        assert_eq!(FirstAttempt::of(&[]), FirstAttempt::Clean);
        assert_eq!(FirstAttempt::of(&[limited]), FirstAttempt::Clean);
        assert_eq!(FirstAttempt::of(&[limited, timeout]), FirstAttempt::TimedOut);
        assert_eq!(FirstAttempt::of(&[error, timeout]), FirstAttempt::Contested);
    }

    #[test]
    fn attempt_json_has_no_status_without_a_response() {
        let json = |attempt: Attempt| serde_json::to_string(&attempt).expect("JSON");
        assert_eq!(
            json(attempt(FaultKind::Unavailable, Some(500))),
            r#"{"kind":"unavailable","status":500,"ms":1}"#
        );
        assert_eq!(json(attempt(FaultKind::Timeout, None)), r#"{"kind":"timeout","ms":1}"#);
    }
}
