//! Typed faults: the classification of error statuses, and of exchanges that failed.
//!
//! Whether a fault is worth another attempt is decided by the retry layer.

use std::sync::Arc;

use reqwest::StatusCode;

use crate::http::{self, ErrorKind, Resets, Response, ServerError};
use promptgate_core::model::{Fault, FaultKind};
use promptgate_core::text::Redactor;

/// The parts of messages that all faults of one endpoint share.
#[derive(Debug, Clone)]
pub(super) struct FaultContext {
    /// `POST host/path`.
    pub(super) label: String,
    /// The environment variable with the key.
    pub(super) api_key_env: String,
    /// Whether a key is sent.
    pub(super) has_key: bool,
    /// Removes secrets from server text.
    pub(super) redactor: Arc<Redactor>,
}

impl From<http::Error> for Fault {
    fn from(error: http::Error) -> Self {
        let kind = match error.kind {
            ErrorKind::Connection => FaultKind::Connection,
            ErrorKind::Disconnected => FaultKind::Disconnected,
            ErrorKind::Timeout => FaultKind::Timeout,
            ErrorKind::Certificate => FaultKind::Certificate,
            ErrorKind::Redirected => FaultKind::Redirected,
            ErrorKind::TooLarge => FaultKind::TooLarge,
            ErrorKind::Truncated | ErrorKind::InvalidBody => FaultKind::InvalidAnswer,
        };
        Self::new(kind, error.message).help(error.help)
    }
}

impl FaultContext {
    pub(super) fn fault(&self, kind: FaultKind, reason: impl AsRef<str>) -> Fault {
        Fault::new(kind, format!("{}: {}", self.label, reason.as_ref()))
    }

    /// Returns the fault of a response with an error status.
    pub(super) fn status(&self, response: &Response) -> Fault {
        let error = response.server_error();
        let kind = classify(response, &error);
        let mut fault = self.fault(kind, error.describe(response.status, &self.redactor));
        fault.help = self.help(kind, response.status);
        if matches!(kind, FaultKind::RateLimited | FaultKind::Unavailable) {
            let is_limited = response.status == StatusCode::TOO_MANY_REQUESTS;
            let resets = if is_limited { Resets::Any } else { Resets::Ignore };
            fault.retry_after = response.retry_after(resets).filter(|wait| !wait.is_zero());
        }
        fault
    }

    fn help(&self, kind: FaultKind, status: StatusCode) -> Option<String> {
        let key = &self.api_key_env;
        Some(match kind {
            FaultKind::Unauthorized if self.has_key => format!("check the key in {key}"),
            FaultKind::Unauthorized => format!("the endpoint requires a key: set {key}"),
            FaultKind::Forbidden => {
                format!("check that the key in {key} may use this model, and from this network")
            }
            FaultKind::NotFound => {
                "check endpoint.base_url (it often ends with /v1) and the model's name".to_owned()
            }
            FaultKind::QuotaSpent => "check the plan and the balance of the key's account".to_owned(),
            FaultKind::RateLimited => {
                "lower endpoint.max_concurrency, or set endpoint.rpm and endpoint.tpm".to_owned()
            }
            FaultKind::ContextLength => "shorten the case's context or the prompt".to_owned(),
            FaultKind::ContentFilter => {
                "the endpoint's filter rejected this request; see the case's texts".to_owned()
            }
            FaultKind::Rejected if status == StatusCode::METHOD_NOT_ALLOWED => {
                "check endpoint.base_url: this path does not accept POST".to_owned()
            }
            FaultKind::Rejected if status == StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                "check the user and password in the proxy variables (HTTPS_PROXY)".to_owned()
            }
            FaultKind::Rejected => "check model and parameters".to_owned(),
            _ => return None,
        })
    }
}

fn classify(response: &Response, error: &ServerError) -> FaultKind {
    match response.status.as_u16() {
        401 => FaultKind::Unauthorized,
        402 => FaultKind::QuotaSpent,
        403 => FaultKind::Forbidden,
        404 => FaultKind::NotFound,
        429 if quota_is_spent(response, error) => FaultKind::QuotaSpent,
        429 => FaultKind::RateLimited,
        408 | 409 | 425 => FaultKind::Unavailable,
        501 | 505 => FaultKind::Rejected,
        500..=599 => FaultKind::Unavailable,
        400 | 413 | 422 if is_too_long(error) => FaultKind::ContextLength,
        400 | 422 if is_filtered(error) => FaultKind::ContentFilter,
        _ => FaultKind::Rejected,
    }
}

fn has_code(error: &ServerError, codes: &[&str]) -> bool {
    error.codes.iter().any(|code| codes.iter().any(|known| code.eq_ignore_ascii_case(known)))
}

fn has_phrase(error: &ServerError, phrases: &[&str]) -> bool {
    let message = error.message.to_lowercase();
    phrases.iter().any(|phrase| message.contains(phrase))
}

/// Codes decide. Phrases count only where the server names no time to retry: some say "quota" for a limit that resets
/// within a minute.
fn quota_is_spent(response: &Response, error: &ServerError) -> bool {
    let codes = [
        "insufficient_quota",
        "billing_hard_limit_reached",
        "billing_not_active",
        "insufficient_balance",
        "insufficient_credits",
        "payment_required",
    ];
    let phrases = [
        "exceeded your current quota",
        "quota has been exhausted",
        "insufficient quota",
        "insufficient credit",
        "insufficient balance",
        "insufficient funds",
        "out of credits",
        "credit balance",
        "billing hard limit",
        "billing details",
        "billing is not active",
    ];
    let resets_soon =
        ["retry-after", "llm_provider-retry-after"].iter().any(|name| response.headers.contains_key(*name))
            || has_phrase(error, &["retry in", "try again in", "per minute"]);
    has_code(error, &codes) || (!resets_soon && has_phrase(error, &phrases))
}

fn is_too_long(error: &ServerError) -> bool {
    let codes = ["context_length_exceeded", "exceed_context_size_error", "string_above_max_length"];
    let phrases = [
        "context length",
        "context window",
        "context size",
        "maximum context",
        "prompt is too long",
        "input is too long",
        "too many input tokens",
        "reduce the length of the messages",
        "exceeds the maximum number of tokens",
    ];
    has_code(error, &codes) || has_phrase(error, &phrases)
}

fn is_filtered(error: &ServerError) -> bool {
    let codes =
        ["content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation", "moderation_blocked"];
    let phrases = ["content management policy", "content filter", "content policy", "safety system"];
    has_code(error, &codes) || has_phrase(error, &phrases)
}

#[cfg(test)]
mod tests;
