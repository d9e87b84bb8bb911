//! Failed exchanges: the kinds of failures, and what the error chain of the transport says about them.

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::message::server_text;
use promptgate_core::text::Redactor;

/// Names of a service's settings, for messages.
#[derive(Debug, Clone, Copy)]
pub struct SettingNames {
    /// The setting with the base URL.
    pub url: &'static str,
    /// The setting with extra certificates, where there is one.
    pub ca_cert: Option<&'static str>,
    /// The next step after a timeout.
    pub timeout_help: &'static str,
    /// The credential that is sent: `key`, `token`.
    pub credential: &'static str,
}

/// A failed exchange. Server text in the message is redacted, short and on one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// The kind of failure.
    pub kind: ErrorKind,
    /// `METHOD host/path: reason`.
    pub message: String,
    /// The next step.
    pub help: String,
    /// How often the request had been sent before, on connections that ended before a response.
    pub resends: u32,
}

/// The kind of a failed exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// No connection.
    Connection,
    /// A connection that ended before a response.
    Disconnected,
    /// No complete response in time.
    Timeout,
    /// The server's certificate was not accepted.
    Certificate,
    /// A redirect that may not be followed, or a link to another origin.
    Redirected,
    /// The body exceeds the size limit.
    TooLarge,
    /// The connection ended within the body.
    Truncated,
    /// The body is not the expected JSON.
    InvalidBody,
}

/// The parts of messages that all requests of one client share.
#[derive(Debug)]
pub(super) struct ErrorContext {
    pub(super) names: SettingNames,
    pub(super) timeout: Duration,
    pub(super) connect_timeout: Duration,
    /// Host and port of the proxy.
    pub(super) proxy: Option<String>,
    pub(super) redactor: Arc<Redactor>,
}

impl ErrorContext {
    pub(super) fn error(&self, kind: ErrorKind, label: &str, reason: &str, help: impl Into<String>) -> Error {
        Error { kind, message: format!("{label}: {reason}"), help: help.into(), resends: 0 }
    }

    /// Returns the error of a URL that may be the wrong one.
    pub(super) fn wrong_url(&self, kind: ErrorKind, label: &str, reason: &str) -> Error {
        self.error(kind, label, reason, format!("check {}", self.names.url))
    }

    /// Describes a body that started well and broke off.
    pub(super) fn truncated(&self, label: &str, error: &reqwest::Error) -> Error {
        if error.is_timeout() {
            return self.transport(label, error);
        }
        let reason = "the answer is cut off: the connection ended within its body";
        self.error(ErrorKind::Truncated, label, reason, "see the server's log")
    }

    /// Describes a compressed body that cannot be decompressed.
    pub(super) fn damaged(&self, label: &str, error: &io::Error) -> Error {
        let reason = match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                "the answer is cut off: its compressed body is incomplete".to_owned()
            }
            _ => format!(
                "the answer's compressed body is damaged: {}",
                server_text(&self.redactor, &error.to_string())
            ),
        };
        self.error(ErrorKind::Truncated, label, &reason, "see the server's log")
    }

    /// Describes a request without a response.
    pub(super) fn transport(&self, label: &str, error: &reqwest::Error) -> Error {
        let cause = Cause::of(error);
        let text = server_text(&self.redactor, &cause.text);
        let names = &self.names;
        if cause.certificate {
            let trust = match names.ca_cert {
                Some(name) => {
                    format!("if the server is yours, set {name} to the certificate of its authority")
                }
                None => "install the certificate of the server's authority on this machine".to_owned(),
            };
            let reason = format!("the server's certificate was not accepted: {text}");
            let help = format!("{trust}; verification cannot be turned off");
            return self.error(ErrorKind::Certificate, label, &reason, help);
        }
        if error.is_timeout() && !error.is_connect() {
            let reason = format!("no complete answer within {} s", self.timeout.as_secs_f64());
            return self.error(ErrorKind::Timeout, label, &reason, names.timeout_help);
        }
        if let Some((reason, help)) = self.proxy.as_deref().and_then(|proxy| of_proxy(proxy, &cause)) {
            return self.error(ErrorKind::Connection, label, &reason, help);
        }
        let address = || format!("check the address in {}, the network and the proxy variables", names.url);
        let log = || "see the server's log".to_owned();
        let (mut reason, help) = match cause.io {
            _ if error.is_timeout() => {
                (format!("no connection within {} s", self.connect_timeout.as_secs_f64()), address())
            }
            Some(io::ErrorKind::ConnectionRefused) => (
                "connection refused".to_owned(),
                format!("is the server running? check host and port in {}", names.url),
            ),
            _ if cause.dns => ("the host was not found".to_owned(), address()),
            _ if cause.tls => (
                format!("no encrypted connection: {text}"),
                format!("does the server speak https on this port? else write http in {}", names.url),
            ),
            Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => {
                ("the connection was reset".to_owned(), log())
            }
            _ if cause.incomplete => {
                ("the connection was closed before the answer was complete".to_owned(), log())
            }
            _ if error.is_connect() => (format!("no connection: {text}"), address()),
            _ => (format!("the connection failed: {text}"), log()),
        };
        if let Some(proxy) = &self.proxy {
            reason.push_str(&format!(" (through the proxy {proxy})"));
        }
        // Once connected, the server may have read the request.
        let is_unconnected = error.is_connect() || cause.dns || cause.tls;
        let kind = if is_unconnected { ErrorKind::Connection } else { ErrorKind::Disconnected };
        self.error(kind, label, &reason, help)
    }
}

/// A connection that the proxy did not make: the reason and the next step.
fn of_proxy(proxy: &str, cause: &Cause) -> Option<(String, String)> {
    let variables = "check HTTPS_PROXY, HTTP_PROXY and ALL_PROXY, or add the host to NO_PROXY";
    // The texts are those of hyper-util's tunnel.
    Some(match cause.text.as_str() {
        "tunnel error: proxy authorization required" => (
            format!("the proxy {proxy} requires a user and a password"),
            "put them into the proxy variable, like http://USER:PASSWORD@HOST:PORT".to_owned(),
        ),
        "tunnel error: unsuccessful" => (
            format!("the proxy {proxy} refused to connect to this host"),
            "check what the proxy allows, or add the host to NO_PROXY".to_owned(),
        ),
        text if text.starts_with("tunnel error: ") => (
            format!("the proxy {proxy} made no connection: {}", text.trim_start_matches("tunnel error: ")),
            variables.to_owned(),
        ),
        _ if cause.io == Some(io::ErrorKind::ConnectionRefused) => {
            (format!("the proxy {proxy} refused the connection"), format!("is it running? {variables}"))
        }
        _ if cause.dns => (format!("the host of the proxy {proxy} was not found"), variables.to_owned()),
        _ => return None,
    })
}

/// Whether the server had closed an idle connection: the request failed before any byte of a response.
pub(super) fn closed_before_response(error: &reqwest::Error) -> bool {
    let cause = Cause::of(error);
    let reset = matches!(
        cause.io,
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted)
    );
    error.is_request() && !error.is_connect() && !error.is_timeout() && (reset || cause.incomplete)
}

/// The findings in an error's chain of sources.
#[derive(Default)]
struct Cause {
    /// The innermost I/O error.
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
        let mut next: Option<&(dyn std::error::Error + 'static)> = error.source();
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
                // An I/O error is transparent: its source is that of the error it wraps, which must not be skipped.
                if let Some(inner) = error.get_ref() {
                    next = Some(inner);
                }
            }
        }
        cause
    }
}
