//! Settings of one endpoint.

use std::sync::Arc;
use std::time::Duration;

use super::Budget;
use promptgate_core::document::is_auth_header;
use promptgate_core::model::{Protocol, StreamMode};
use promptgate_core::text::Secret;

/// Settings of one endpoint.
#[derive(Debug, Clone)]
pub struct Options {
    /// The API that it speaks.
    pub protocol: Protocol,
    /// URL of the API, without the path of a call; a query is kept.
    pub base_url: String,
    /// Sent in the header of the protocol; `None` or empty sends no such header.
    pub api_key: Option<Secret>,
    /// Environment variable with the key, for messages.
    pub api_key_env: String,
    /// Whether an endpoint outside this machine and private networks needs a key.
    pub needs_key: bool,
    /// Whether answers are asked for as a stream.
    pub stream: StreamMode,
    /// Timeout of one attempt, from sending to the last byte.
    pub timeout: Duration,
    /// Maximum calls in flight; 0 counts as 1.
    pub max_concurrency: usize,
    /// Maximum calls per minute.
    pub rpm: Option<u32>,
    /// Maximum tokens per minute, of requests and answers.
    pub tpm: Option<u64>,
    /// Extra headers.
    pub headers: Vec<(String, Secret)>,
    /// Certificates in PEM that are trusted in addition to the system's.
    pub ca_cert: Option<Vec<u8>>,
    /// Maximum attempts per call; 0 counts as 1.
    pub attempts: u32,
    /// Maximum total wait between the attempts of a call.
    pub max_wait: Duration,
    /// Maximum size of a response body, in bytes.
    pub max_body_bytes: usize,
    /// Budget shared by all endpoints of a run; every attempt counts.
    pub budget: Option<Arc<Budget>>,
}

impl Options {
    /// Returns the defaults: OpenAI's protocol, no key, 120 s per attempt, 32 calls in flight, 6 attempts, 120 s of waiting, 8 MiB.
    pub fn new(base_url: impl Into<String>) -> Self {
        Self {
            protocol: Protocol::OpenAi,
            base_url: base_url.into(),
            api_key: None,
            api_key_env: Protocol::OpenAi.key_variable().to_owned(),
            needs_key: true,
            stream: StreamMode::Auto,
            timeout: Duration::from_secs(120),
            max_concurrency: 32,
            rpm: None,
            tpm: None,
            headers: Vec::new(),
            ca_cert: None,
            attempts: 6,
            max_wait: Duration::from_secs(120),
            max_body_bytes: 8 << 20,
            budget: None,
        }
    }

    /// Returns host and port without credentials, to distinguish endpoints in messages.
    pub(super) fn host(&self) -> String {
        let rest = self.base_url.split_once("://").map_or(self.base_url.as_str(), |(_, rest)| rest);
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        authority.rsplit('@').next().unwrap_or_default().to_owned()
    }

    /// Returns the time limit for retries of a call: the time of all attempts and all waiting. The number of attempts
    /// does not bound it, since waits that the endpoint asks for cost no attempt.
    pub(super) fn max_call_time(&self) -> Duration {
        self.timeout.saturating_mul(self.attempts.max(1)).saturating_add(self.max_wait)
    }

    /// Whether a key or a header authenticates the requests.
    pub(super) fn is_authenticated(&self) -> bool {
        self.key().is_some() || self.headers.iter().any(|(name, _)| is_auth_header(name))
    }

    /// Returns the key, unless it is empty.
    pub(super) fn key(&self) -> Option<&Secret> {
        self.api_key.as_ref().filter(|key| !key.is_empty())
    }
}
