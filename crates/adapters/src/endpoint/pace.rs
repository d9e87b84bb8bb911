//! Calls and tokens per minute: two token buckets.
//!
//! A full bucket holds five seconds of the limit and refills so that no window of 60 seconds exceeds the limit: the
//! limit is the capacity plus one minute of refill, less the unit that counts at both ends of the window. A turn is
//! taken from the bucket at once and may leave it in debt; the debt determines the wait, so turns come in the order of
//! their requests. Tokens are estimated first, then corrected by the reported usage.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use super::sync::lock;
use promptgate_core::model::{ChatRequest, Completion, Fault, Purpose};

/// Seconds of the limit that may be used at once.
const BURST_SECONDS: f64 = 5.0;

/// Approximate bytes of English text per token.
const BYTES_PER_TOKEN: usize = 4;

/// Approximate tokens of an answer without a limit.
const ANSWER_TOKENS: u64 = 512;

/// The pace of one endpoint.
pub(super) struct Pace {
    calls: Option<Mutex<Bucket>>,
    tokens: Option<Mutex<Bucket>>,
}

impl Pace {
    pub(super) fn new(rpm: Option<u32>, tpm: Option<u64>) -> Self {
        // Counts beyond 2^52 lose their last digits, which do not matter for a limit.
        let tpm = tpm.map(|tpm| tpm as f64);
        let bucket = |limit: f64| Mutex::new(Bucket::new(limit, Instant::now()));
        Self { calls: rpm.map(f64::from).map(bucket), tokens: tpm.map(bucket) }
    }

    pub(super) fn has_limits(&self) -> bool {
        self.calls.is_some() || self.tokens.is_some()
    }

    /// Takes the next turn. One that is dropped before its call starts returns its units.
    pub(super) fn turn(&self, request: &ChatRequest) -> Turn<'_> {
        let mut turn = Turn { pace: self, tokens: 0.0, at: None, started: false };
        if self.calls.is_none() && self.tokens.is_none() {
            return turn;
        }
        let now = Instant::now();
        let mut wait = Duration::ZERO;
        if let Some(calls) = &self.calls {
            wait = lock(calls).take(1.0, now);
        }
        if let Some(tokens) = &self.tokens {
            turn.tokens = estimate(request);
            wait = wait.max(lock(tokens).take(turn.tokens, now));
        }
        if !wait.is_zero() {
            turn.at = now.checked_add(wait).or(Some(now));
        }
        turn
    }
}

/// The turn of one call.
pub(super) struct Turn<'a> {
    pace: &'a Pace,
    /// Tokens taken from the bucket.
    tokens: f64,
    at: Option<Instant>,
    started: bool,
}

impl Turn<'_> {
    pub(super) fn must_wait(&self) -> bool {
        self.at.is_some()
    }

    pub(super) async fn wait(&self) {
        if let Some(at) = self.at {
            tokio::time::sleep_until(at).await;
        }
    }

    /// Starts the call: its units are spent.
    pub(super) fn start(&mut self) {
        self.started = true;
    }

    /// Corrects the estimate by the reported usage; without usage, the estimate remains.
    pub(super) fn settle(&self, result: &Result<Completion, Fault>) {
        let Some(tokens) = &self.pace.tokens else { return };
        if let Ok(Completion { usage: Some(usage), .. }) = result {
            let used = usage.prompt_tokens.saturating_add(usage.completion_tokens) as f64;
            lock(tokens).put_back(self.tokens - used);
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.started {
            return;
        }
        if let Some(calls) = &self.pace.calls {
            lock(calls).put_back(1.0);
        }
        if let Some(tokens) = &self.pace.tokens {
            lock(tokens).put_back(self.tokens);
        }
    }
}

/// Estimates the tokens of a call.
fn estimate(request: &ChatRequest) -> f64 {
    let bytes: usize = request.messages.iter().map(|message| message.content.len()).sum();
    let answer = match request.purpose {
        Purpose::Embedding => 0,
        Purpose::Completion | Purpose::Judgement => max_answer_tokens(request).unwrap_or(ANSWER_TOKENS),
    };
    (bytes / BYTES_PER_TOKEN) as f64 + answer as f64
}

/// Returns the request's limit on answer tokens.
pub(super) fn max_answer_tokens(request: &ChatRequest) -> Option<u64> {
    let config =
        ["generationConfig", "generation_config"].iter().find_map(|name| request.parameters.get(*name));
    let names = ["max_completion_tokens", "max_tokens", "max_output_tokens", "maxOutputTokens"];
    let limit = |name: &&str| request.parameters.get(*name).or_else(|| config?.get(*name))?.as_u64();
    names.iter().find_map(limit)
}

/// A token bucket that may be in debt.
struct Bucket {
    capacity: f64,
    /// Units per second.
    rate: f64,
    level: f64,
    filled: Instant,
}

impl Bucket {
    /// Creates a full bucket for a limit per minute; a limit below 1 counts as 1.
    fn new(limit: f64, now: Instant) -> Self {
        let limit = limit.max(1.0);
        let capacity = (limit * BURST_SECONDS / 60.0).max(1.0);
        Self { capacity, rate: (limit - (capacity - 1.0)) / 60.0, level: capacity, filled: now }
    }

    /// Takes units and returns the wait for them. More than the capacity waits for a full bucket.
    fn take(&mut self, units: f64, now: Instant) -> Duration {
        let elapsed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.level = (self.level + elapsed * self.rate).min(self.capacity);
        self.filled = self.filled.max(now);
        let missing = units.min(self.capacity) - self.level;
        self.level -= units;
        if missing <= 0.0 {
            return Duration::ZERO;
        }
        Duration::try_from_secs_f64(missing / self.rate).unwrap_or(Duration::MAX)
    }

    /// Returns units, or takes more where the number is negative.
    fn put_back(&mut self, units: f64) {
        self.level = (self.level + units).min(self.capacity);
    }
}

#[cfg(test)]
mod tests;
