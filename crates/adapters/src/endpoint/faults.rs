//! Typed faults: the classification of error statuses, and of exchanges that failed.
//!
//! Whether a fault is worth another attempt is decided by the retry layer.

use std::sync::Arc;

use reqwest::StatusCode;
use serde_json::Value;

use super::wire::InvalidReply;
use crate::http::{self, ErrorKind, Resets, Response, ServerError, server_text};
use promptgate_core::model::{Fault, FaultKind, FinishReason};
use promptgate_core::text::Redactor;

/// Attempts at a reply whose form cannot be read.
const MAX_UNREADABLE: u32 = 2;

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
        fault.help = self.help(kind, response.status, &error);
        fault.status = Some(response.status.as_u16());
        if matches!(kind, FaultKind::RateLimited | FaultKind::Unavailable) {
            let is_limited = response.status == StatusCode::TOO_MANY_REQUESTS;
            let resets = if is_limited { Resets::Any } else { Resets::Ignore };
            let wait = response.retry_after(resets).or(error.retry_delay);
            fault.retry_after = wait.filter(|wait| !wait.is_zero());
        }
        fault
    }

    /// Returns the fault of a reply with a status of success.
    pub(super) fn reply(&self, status: StatusCode, invalid: &InvalidReply) -> Fault {
        let clean = |text: &str| server_text(&self.redactor, text);
        match invalid {
            InvalidReply::Truncated(reason) | InvalidReply::Failed(reason) => {
                self.fault(FaultKind::InvalidAnswer, clean(reason))
            }
            // The form of replies seldom changes, and each is paid for.
            InvalidReply::Malformed(reason) => Fault {
                max_attempts: Some(MAX_UNREADABLE),
                ..self.fault(FaultKind::InvalidAnswer, clean(reason))
            },
            InvalidReply::Blocked(reason) => Fault {
                help: self.help(FaultKind::ContentFilter, status, &ServerError::default()),
                ..self.fault(FaultKind::ContentFilter, clean(reason))
            },
            InvalidReply::Error(error) => {
                let kind = classify_embedded(error);
                let reason = format!("{} with an error: {}", status.as_u16(), clean(&error.summary()));
                Fault { help: self.help(kind, status, error), ..self.fault(kind, reason) }
            }
        }
    }

    fn help(&self, kind: FaultKind, status: StatusCode, error: &ServerError) -> Option<String> {
        let key = &self.api_key_env;
        Some(match kind {
            FaultKind::Unauthorized if self.has_key => format!("check the key in {key}"),
            FaultKind::Unauthorized => format!("the endpoint requires a key: set {key}"),
            FaultKind::Forbidden => {
                format!("check that the key in {key} may use this model, and from this network")
            }
            // The path exists: only the model does not.
            FaultKind::NotFound if names_model(error) => {
                "check the model's name, and that the key may use it".to_owned()
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
            FaultKind::Rejected => match error.param.as_deref().filter(|param| is_name(param)) {
                Some("model") => "check the model's name".to_owned(),
                Some(param) => format!("remove or change `{param}`, which this endpoint or model refuses"),
                None => "check model and parameters".to_owned(),
            },
            _ => return None,
        })
    }
}

fn classify(response: &Response, error: &ServerError) -> FaultKind {
    match response.status.as_u16() {
        401 => FaultKind::Unauthorized,
        402 => FaultKind::QuotaSpent,
        404 => FaultKind::NotFound,
        429 if quota_is_spent(names_a_wait(response), error) => FaultKind::QuotaSpent,
        // Anthropic's account without credit.
        400 if quota_is_spent(false, error) => FaultKind::QuotaSpent,
        429 => FaultKind::RateLimited,
        408 | 409 | 425 => FaultKind::Unavailable,
        501 | 505 => FaultKind::Rejected,
        500..=599 => FaultKind::Unavailable,
        // Filters come first: they are of the row alone, whatever the status.
        _ if is_filtered(error) => FaultKind::ContentFilter,
        403 => FaultKind::Forbidden,
        400 if is_invalid_key(error) => FaultKind::Unauthorized,
        400 | 413 | 422 if is_too_long(error) => FaultKind::ContextLength,
        // One request that is larger than what a minute allows, or than any may be.
        413 if has_code(error, &["rate_limit_exceeded", "request_too_large"]) => FaultKind::ContextLength,
        _ => FaultKind::Rejected,
    }
}

fn names_a_wait(response: &Response) -> bool {
    ["retry-after", "llm_provider-retry-after"].iter().any(|name| response.headers.contains_key(*name))
}

/// The kind of an error that came with a status of success.
fn classify_embedded(error: &ServerError) -> FaultKind {
    if is_filtered(error) {
        FaultKind::ContentFilter
    } else if is_too_long(error) {
        FaultKind::ContextLength
    } else if has_code(error, &["402"]) || quota_is_spent(false, error) {
        FaultKind::QuotaSpent
    } else if has_code(error, &["429", "rate_limit_error", "RESOURCE_EXHAUSTED"]) {
        FaultKind::RateLimited
    } else if has_code(error, &["503", "529", "overloaded_error", "UNAVAILABLE"]) {
        FaultKind::Unavailable
    } else {
        FaultKind::InvalidAnswer
    }
}

/// Whether an error says that the endpoint answers as a stream only.
pub(super) fn requires_stream(response: &Response) -> bool {
    if !matches!(response.status.as_u16(), 400 | 405 | 406 | 422 | 501) {
        return false;
    }
    let error = response.server_error();
    let demands = ["only", "must", "requir", "enable", "need", "stream=true", "stream: true"];
    error.param.as_deref() == Some("stream")
        || (has_phrase(&error, &["stream"])
            && !has_phrase(&error, &["upstream"])
            && has_phrase(&error, &demands))
}

/// The text that a server refuses to return because it is not the JSON that the request asked for.
pub(super) fn failed_generation(response: &Response) -> Option<String> {
    if !has_code(&response.server_error(), &[FinishReason::INVALID_JSON]) {
        return None;
    }
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let text = body.pointer("/error/failed_generation").and_then(Value::as_str);
    Some(text.unwrap_or_default().to_owned())
}

fn has_code(error: &ServerError, codes: &[&str]) -> bool {
    error.codes.iter().any(|code| codes.iter().any(|known| code.eq_ignore_ascii_case(known)))
}

/// Whether an error is about the model that was asked for.
fn names_model(error: &ServerError) -> bool {
    error.param.as_deref() == Some("model")
        || has_code(error, &["model_not_found", "model_not_available", "unknown_model", "invalid_model"])
        || has_phrase(error, &["the model `", "the model '", "model not found", "model does not exist"])
}

/// Whether a text is short and made of the characters of parameters: `response_format.json_schema`, `messages[0].role`.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 60
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '[' | ']'))
}

fn has_phrase(error: &ServerError, phrases: &[&str]) -> bool {
    let message = error.message.to_lowercase();
    phrases.iter().any(|phrase| message.contains(phrase))
}

/// Codes decide. Phrases count only where the server names no time to retry: some say "quota" for a limit that resets
/// within a minute.
fn quota_is_spent(names_a_wait: bool, error: &ServerError) -> bool {
    let codes = [
        "insufficient_quota",
        "billing_hard_limit_reached",
        "billing_not_active",
        "insufficient_balance",
        "insufficient_credits",
        "payment_required",
        "billing_error",
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
        "api usage limits",
    ];
    let resets_soon = names_a_wait
        || error.retry_delay.is_some()
        || has_phrase(error, &["retry in", "try again in", "per minute"]);
    // Google names a wait of seconds for the quota of a day too.
    let is_daily = error.quotas.iter().any(|quota| quota.contains("PerDay"));
    is_daily || has_code(error, &codes) || (!resets_soon && has_phrase(error, &phrases))
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
        "exceed context limit",
    ];
    has_code(error, &codes) || has_phrase(error, &phrases)
}

/// Codes and phrases of content filters, in lower case: OpenAI and Azure, Anthropic, Bedrock, Gemini, DeepSeek,
/// DashScope, Moonshot, Zhipu, Volcengine, StepFun, xAI, OpenRouter, LiteLLM.
fn is_filtered(error: &ServerError) -> bool {
    let codes = [
        "content_filter",
        "content_policy_violation",
        "ResponsibleAIPolicyViolation",
        "moderation_blocked",
        "invalid_prompt",
        "data_inspection_failed",
        "DataInspectionFailed",
        "contentFilter",
        "content_filtered",
        "guardrail_intervened",
        "guardrail_violation",
        "SensitiveContentDetected",
        "InputTextSensitiveContentDetected",
        "OutputTextSensitiveContentDetected",
        "censorship_blocked",
        "1301",
    ];
    let phrases = [
        "content management policy",
        "content filter",
        "content policy",
        "content filtering policy",
        "content violates usage guidelines",
        "safety system",
        "content exists risk",
        "inappropriate content",
        "potentially violating our usage policy",
        "blocked by guardrail",
        "guardrail policy",
        "guardrail intervened",
        "requires moderation",
        "input was flagged",
        "flagged by moderation",
        "considered high risk",
        "sensitive content",
    ];
    has_code(error, &codes) || has_phrase(error, &phrases)
}

/// Whether the key is invalid though the status says otherwise, as with Gemini.
fn is_invalid_key(error: &ServerError) -> bool {
    let codes = ["API_KEY_INVALID", "invalid_api_key"];
    has_code(error, &codes) || has_phrase(error, &["api key not valid", "api key expired", "invalid api key"])
}

#[cfg(test)]
mod tests;
