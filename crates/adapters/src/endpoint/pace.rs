//! Calls and tokens a minute: two token buckets.
//!
//! A bucket holds five seconds' worth when full and refills so that no window of 60 seconds sees more than the
//! limit: capacity plus one minute of refilling, less the one unit that stands on both ends of the window, is the
//! limit. A turn is taken from the bucket at once and may leave it in debt; the debt says how long to wait, so turns
//! come in the order in which they were asked for. Tokens are estimated first and corrected by what the answer
//! reports.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use super::lock;
use promptgate_core::model::{ChatRequest, Completion, Fault};

/// Seconds' worth of calls that may leave at once.
const BURST_SECONDS: f64 = 5.0;

/// Bytes of English text in one token, about.
const BYTES_PER_TOKEN: usize = 4;

/// Tokens of an answer whose request sets no limit, about.
const ANSWER_TOKENS: u64 = 512;

/// The pace of one endpoint.
pub(super) struct Pace {
    calls: Option<Mutex<Bucket>>,
    tokens: Option<Mutex<Bucket>>,
}

impl Pace {
    pub(super) fn new(rpm: Option<u32>, tpm: Option<u64>) -> Self {
        // Counts beyond 2^52 lose their last digits, which no limit needs.
        let tpm = tpm.map(|tpm| tpm as f64);
        let bucket = |limit: f64| Mutex::new(Bucket::new(limit, Instant::now()));
        Self { calls: rpm.map(f64::from).map(bucket), tokens: tpm.map(bucket) }
    }

    /// Whether there is any limit.
    pub(super) fn has_limits(&self) -> bool {
        self.calls.is_some() || self.tokens.is_some()
    }

    /// The next turn. Dropped before it left, it gives back what it took.
    pub(super) fn turn(&self, request: &ChatRequest) -> Turn<'_> {
        let mut turn = Turn { pace: self, tokens: 0.0, at: None, left: false };
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

/// One call's place in the pace.
pub(super) struct Turn<'a> {
    pace: &'a Pace,
    /// Tokens taken.
    tokens: f64,
    at: Option<Instant>,
    left: bool,
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

    /// The call leaves: what was taken is spent.
    pub(super) fn leave(&mut self) {
        self.left = true;
    }

    /// Corrects the estimate by what the call took; a fault without usage keeps the estimate, on the safe side.
    pub(super) fn settle(&self, result: &Result<Completion, Fault>) {
        let Some(tokens) = &self.pace.tokens else { return };
        if let Ok(Completion { usage: Some(usage), .. }) = result {
            let used = usage.prompt_tokens.saturating_add(usage.completion_tokens) as f64;
            lock(tokens).give_back(self.tokens - used);
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.left {
            return;
        }
        if let Some(calls) = &self.pace.calls {
            lock(calls).give_back(1.0);
        }
        if let Some(tokens) = &self.pace.tokens {
            lock(tokens).give_back(self.tokens);
        }
    }
}

/// Tokens that a call will take, about.
fn estimate(request: &ChatRequest) -> f64 {
    let bytes: usize = request.messages.iter().map(|message| message.content.len()).sum();
    let answer = answer_limit(request).unwrap_or(ANSWER_TOKENS);
    (bytes / BYTES_PER_TOKEN) as f64 + answer as f64
}

/// The limit that the request sets on the tokens of its answer.
pub(super) fn answer_limit(request: &ChatRequest) -> Option<u64> {
    ["max_completion_tokens", "max_tokens"]
        .iter()
        .find_map(|name| request.parameters.get(*name).and_then(serde_json::Value::as_u64))
}

/// A token bucket that may be in debt.
struct Bucket {
    capacity: f64,
    /// Units a second.
    rate: f64,
    level: f64,
    filled: Instant,
}

impl Bucket {
    /// A full bucket for a limit a minute, in units; a limit below 1 counts as 1.
    fn new(limit: f64, now: Instant) -> Self {
        let limit = limit.max(1.0);
        let capacity = (limit * BURST_SECONDS / 60.0).max(1.0);
        Self { capacity, rate: (limit - (capacity - 1.0)) / 60.0, level: capacity, filled: now }
    }

    /// Takes units and says how long to wait for them. What is larger than the bucket waits for a full one.
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

    /// Puts units back, or takes more where the number is below 0.
    fn give_back(&mut self, units: f64) {
        self.level = (self.level + units).min(self.capacity);
    }
}

#[cfg(test)]
mod tests;
