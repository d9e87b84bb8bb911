//! From what went wrong to a typed fault: status codes, bodies of errors, and errors of the transport.
//!
//! Every message starts with method, host and path. Nothing of a key, a query or a proxy is ever in it. Whether
//! a fault is worth another attempt is the retry layer's question.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use super::wait;
use super::wire::{self, ServerError};
use promptgate_core::model::{Fault, FaultKind};
use promptgate_core::text::Redactor;

/// Characters of a server's message that are kept.
const MESSAGE_LENGTH: usize = 300;

/// What every fault of one endpoint is told with.
#[derive(Debug, Clone)]
pub(super) struct Teller {
    /// `POST host/path`.
    pub(super) label: String,
    /// Name of the variable the key is read from.
    pub(super) api_key_env: String,
    /// Whether a key is sent.
    pub(super) has_key: bool,
    /// Time for one attempt.
    pub(super) timeout: Duration,
    /// Time for the connection to be made.
    pub(super) connect_timeout: Duration,
    /// Removes secrets that the server sends back.
    pub(super) redactor: Arc<Redactor>,
}

impl Teller {
    /// A fault with this endpoint's name in front.
    pub(super) fn fault(&self, kind: FaultKind, what: impl AsRef<str>) -> Fault {
        Fault::new(kind, format!("{}: {}", self.label, what.as_ref()))
    }

    /// Text of a server: without secrets, on one line, and short.
    pub(super) fn clean(&self, text: &str) -> String {
        let redacted = self.redactor.redact(text);
        let mut clean = String::new();
        let mut length = 0;
        for character in redacted.chars() {
            let character = if is_printable(character) { character } else { ' ' };
            if character.is_whitespace() && (clean.is_empty() || clean.ends_with(' ')) {
                continue;
            }
            if length == MESSAGE_LENGTH {
                clean.push('…');
                break;
            }
            clean.push(if character.is_whitespace() { ' ' } else { character });
            length += 1;
        }
        clean.truncate(clean.trim_end().len());
        clean
    }

    /// The fault of a response with a status other than 2xx and 3xx.
    pub(super) fn status(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Fault {
        let error = wire::parse_error(body);
        let asked = wait::asked(headers, status == StatusCode::TOO_MANY_REQUESTS, SystemTime::now());
        let kind = classify(status, headers, &error);
        let mut what = match status.canonical_reason() {
            Some(reason) => format!("{} {reason}", status.as_u16()),
            None => status.as_u16().to_string(),
        };
        let message = self.clean(&error.message);
        if !message.is_empty() {
            what.push_str(": ");
            what.push_str(&message);
        }
        let named = |code: &String| {
            let name = if error.kind.as_ref() == Some(code) { "type" } else { "code" };
            format!("{name} {}", self.clean(code))
        };
        let mut extras: Vec<String> = error.codes.iter().map(named).collect();
        extras.extend(error.param.iter().map(|param| format!("parameter {}", self.clean(param))));
        extras.retain(|extra| !extra.ends_with(&format!(" {}", status.as_u16())));
        extras.truncate(3);
        if !extras.is_empty() {
            what.push_str(&format!(" ({})", extras.join(", ")));
        }
        let mut fault = self.fault(kind, what);
        fault.help = self.status_help(kind, status);
        if matches!(kind, FaultKind::RateLimited | FaultKind::Unavailable) {
            fault.retry_after = asked;
        }
        fault
    }

    fn status_help(&self, kind: FaultKind, status: StatusCode) -> Option<String> {
        Some(match kind {
            FaultKind::Unauthorized if self.has_key => format!("check the key in {}", self.api_key_env),
            FaultKind::Unauthorized => format!("the endpoint wants a key: set {}", self.api_key_env),
            FaultKind::Forbidden => {
                format!(
                    "check that the key in {} may use this model, and from this network",
                    self.api_key_env
                )
            }
            FaultKind::NotFound => {
                "check endpoint.base_url (it often ends with /v1) and the model's name".to_owned()
            }
            FaultKind::QuotaSpent => {
                "check the plan and the balance of the account behind the key".to_owned()
            }
            FaultKind::RateLimited => {
                "lower endpoint.max_concurrency, or set endpoint.rpm and endpoint.tpm".to_owned()
            }
            FaultKind::ContextLength => "shorten the case's context or the prompt".to_owned(),
            FaultKind::ContentFilter => {
                "the endpoint's filter refused this request; see the case's texts".to_owned()
            }
            FaultKind::Rejected if status == StatusCode::METHOD_NOT_ALLOWED => {
                "check endpoint.base_url: this path takes no POST".to_owned()
            }
            FaultKind::Rejected if status == StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                "check the user and password in the proxy variables (HTTPS_PROXY)".to_owned()
            }
            FaultKind::Rejected => "check model and parameters".to_owned(),
            _ => return None,
        })
    }

    /// The fault of an answer that began well and broke off.
    pub(super) fn cut_off(&self, error: &reqwest::Error) -> Fault {
        if error.is_timeout() {
            return self.transport(error);
        }
        self.fault(FaultKind::InvalidAnswer, "the answer is cut off: the connection ended within its body")
            .help("see the server's log")
    }

    /// The fault of a transport that failed.
    pub(super) fn transport(&self, error: &reqwest::Error) -> Fault {
        let cause = Cause::of(error);
        if cause.certificate {
            let kind = FaultKind::Certificate;
            return self.fault(kind, format!("the server's certificate was not accepted: {}", self.clean(&cause.text))).help(
                "name the certificate of its authority in endpoint.ca_cert, if the server is yours; verification is never turned off",
            );
        }
        if error.is_connect() && error.is_timeout() {
            let seconds = self.connect_timeout.as_secs_f64();
            return self
                .fault(FaultKind::Connection, format!("no connection within {seconds} s"))
                .help("check the address in endpoint.base_url, the network and the proxy variables");
        }
        if error.is_timeout() {
            let seconds = self.timeout.as_secs_f64();
            return self
                .fault(FaultKind::Timeout, format!("no whole answer within {seconds} s"))
                .help("raise endpoint.timeout, or lower endpoint.max_concurrency");
        }
        let (what, help) = match cause.io {
            Some(io::ErrorKind::ConnectionRefused) => (
                "connection refused".to_owned(),
                "is the server running? check host and port in endpoint.base_url",
            ),
            _ if cause.dns => (
                "the host was not found".to_owned(),
                "check the host in endpoint.base_url, the network and the proxy variables",
            ),
            _ if cause.tls => (
                format!("no encrypted connection: {}", self.clean(&cause.text)),
                "does the server speak https on this port? else write http in endpoint.base_url",
            ),
            Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => {
                ("the connection was reset".to_owned(), "see the server's log")
            }
            _ if cause.incomplete => {
                ("the connection was closed before the answer was whole".to_owned(), "see the server's log")
            }
            _ if error.is_connect() => (
                format!("no connection: {}", self.clean(&cause.text)),
                "check the address in endpoint.base_url, the network and the proxy variables",
            ),
            _ => (format!("the connection failed: {}", self.clean(&cause.text)), "see the server's log"),
        };
        self.fault(FaultKind::Connection, what).help(help)
    }
}

/// Whether a transport error is that of a connection which the server had closed while it lay idle: nothing of
/// an answer came.
pub(super) fn closed_before_answer(error: &reqwest::Error) -> bool {
    let cause = Cause::of(error);
    let reset = matches!(
        cause.io,
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted)
    );
    error.is_request() && !error.is_connect() && !error.is_timeout() && (reset || cause.incomplete)
}

fn classify(status: StatusCode, headers: &HeaderMap, error: &ServerError) -> FaultKind {
    match status.as_u16() {
        401 => FaultKind::Unauthorized,
        402 => FaultKind::QuotaSpent,
        403 => FaultKind::Forbidden,
        404 => FaultKind::NotFound,
        429 if quota_is_spent(headers, error) => FaultKind::QuotaSpent,
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

fn says(error: &ServerError, phrases: &[&str]) -> bool {
    let message = error.message.to_lowercase();
    phrases.iter().any(|phrase| message.contains(phrase))
}

/// Codes decide. Words do only where the server names no time to come back: some say "quota" of a limit that is
/// over in a minute.
fn quota_is_spent(headers: &HeaderMap, error: &ServerError) -> bool {
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
    let comes_back =
        headers.contains_key("retry-after") || says(error, &["retry in", "try again in", "per minute"]);
    has_code(error, &codes) || (!comes_back && says(error, &phrases))
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
    has_code(error, &codes) || says(error, &phrases)
}

fn is_filtered(error: &ServerError) -> bool {
    let codes =
        ["content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation", "moderation_blocked"];
    let phrases = ["content management policy", "content filter", "content policy", "safety system"];
    has_code(error, &codes) || says(error, &phrases)
}

/// Neither a control character nor one that changes the direction of the line or hides in it.
fn is_printable(character: char) -> bool {
    !character.is_control()
        && !matches!(
            character,
            '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
        )
}

/// What the chain of an error's sources says.
#[derive(Default)]
struct Cause {
    /// The innermost kind of operating-system error.
    io: Option<io::ErrorKind>,
    certificate: bool,
    tls: bool,
    dns: bool,
    incomplete: bool,
    /// The innermost text.
    text: String,
}

impl Cause {
    fn of(error: &reqwest::Error) -> Self {
        let mut cause = Self::default();
        let mut next: Option<&(dyn Error + 'static)> = error.source();
        while let Some(error) = next {
            cause.text = error.to_string();
            cause.dns |= cause.text == "dns error";
            if let Some(tls) = error.downcast_ref::<rustls::Error>() {
                cause.tls = true;
                cause.certificate |= matches!(tls, rustls::Error::InvalidCertificate(_));
            }
            if let Some(error) = error.downcast_ref::<hyper::Error>() {
                cause.incomplete |= error.is_incomplete_message() || error.is_closed() || error.is_canceled();
            }
            next = error.source();
            if let Some(error) = error.downcast_ref::<io::Error>() {
                cause.io = Some(error.kind());
                // An I/O error is transparent: its source is that of the error it wraps, which is the one we want.
                if let Some(inner) = error.get_ref() {
                    next = Some(inner);
                }
            }
        }
        cause
    }
}

#[cfg(test)]
mod tests;
