//! What can be set for one endpoint.

use std::sync::Arc;
use std::time::Duration;

use super::Budget;
use promptgate_core::text::Secret;

/// The settings of one endpoint.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the API is, up to and without `/chat/completions`; a query is kept.
    pub base_url: String,
    /// Sent as `Authorization: Bearer`; `None` or empty: no such header.
    pub api_key: Option<Secret>,
    /// Name of the variable the key is read from, for messages.
    pub api_key_env: String,
    /// Time for one attempt, from sending to the last byte.
    pub timeout: Duration,
    /// Calls in flight at most; 0 counts as 1.
    pub max_concurrency: usize,
    /// Calls a minute at most.
    pub rpm: Option<u32>,
    /// Tokens a minute at most, of requests and answers.
    pub tpm: Option<u64>,
    /// Further headers, name and value.
    pub headers: Vec<(String, Secret)>,
    /// Certificates in PEM that are trusted beside those of the system.
    pub ca_cert: Option<Vec<u8>>,
    /// Attempts a call at most; 0 counts as 1.
    pub attempts: u32,
    /// Waiting between the attempts of a call, in total at most.
    pub max_wait: Duration,
    /// Size of an answer's body at most, in bytes.
    pub max_body_bytes: usize,
    /// Ceilings shared by all endpoints of a run; every attempt counts.
    pub budget: Option<Arc<Budget>>,
}

impl Options {
    /// The defaults for an address: no key, 120 s a call, 32 in flight, 6 attempts, 120 s of waiting, 8 MiB.
    pub fn new(base_url: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            api_key: None,
            api_key_env: "OPENAI_API_KEY".to_owned(),
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

    /// Host and port of the address, without anything secret; for telling endpoints apart.
    pub(super) fn host(&self) -> String {
        let rest = self.base_url.split_once("://").map_or(self.base_url.as_str(), |(_, rest)| rest);
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        authority.rsplit('@').next().unwrap_or_default().to_owned()
    }

    /// Time in which a call that has failed once is tried again: that of all its attempts and of all its waiting.
    /// Waits that the endpoint asks for cost no attempt, so attempts alone do not bound it.
    pub(super) fn call_time(&self) -> Duration {
        self.timeout.saturating_mul(self.attempts.max(1)).saturating_add(self.max_wait)
    }

    /// The key, if there is one with anything in it.
    pub(super) fn key(&self) -> Option<&Secret> {
        self.api_key.as_ref().filter(|key| !key.is_empty())
    }
}
